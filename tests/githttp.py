"""A real git server over smart HTTP: `git http-backend` behind a small threaded server, with a login and Git LFS."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.repos import isolated


@dataclass
class GitServer:
    """Serves the repositories under `root`. Its fields may be changed while it runs."""

    root: Path
    port: int = 0
    host: str = "127.0.0.1"
    user: str = ""
    password: str = ""
    """With a user or a password, whoever asks must show them."""
    certificate: Path | None = None
    """A file that holds it and its key: then the server speaks https."""
    redirect: str = ""
    """Where every request is sent instead."""
    status: int = 0
    """What every request is answered instead."""
    hold: threading.Event | None = None
    """Every request waits for it first."""
    large: dict[str, bytes] = field(default_factory=dict)
    """Git LFS: content by hash."""
    large_at: str = ""
    """Where large files are instead."""
    redirect_at: dict[str, str] = field(default_factory=dict)
    """Where requests are sent instead, by what their path holds."""
    redirect_status: int = 302
    drip_at: str = ""
    """Of paths that hold this, the answer comes byte by byte, without an end."""
    dried: threading.Event = field(default_factory=threading.Event)
    """Set to end what drips."""
    dripping: threading.Event = field(default_factory=threading.Event)
    """Set when something does."""
    lfs_answer: bytes | None = None
    """What Git LFS says, whatever it is asked."""
    logins: list[tuple[str, str]] = field(default_factory=list)
    """(path, Authorization) of every request."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set at the first request."""

    @property
    def origin(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"

    def url(self, name: str, login: str = "") -> str:
        return f"{self.origin.replace('//', f'//{login}')}/{name}"

    def asked_for(self, part: str) -> int:
        """How many requests were for a path that holds this."""
        return sum(part in path for path, _ in list(self.logins))

    def hold_large(self, content: bytes) -> str:
        """Put a file into Git LFS; returns the pointer that stands for it."""
        oid = sha256(content).hexdigest()
        self.large[oid] = content
        return pointer(content)


def pointer(content: bytes) -> str:
    """The Git LFS pointer for a file."""
    oid = sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


@contextlib.contextmanager
def git_server(
    root: Path, user: str = "", password: str = "", certificate: Path | None = None, host: str = "127.0.0.1"
) -> Iterator[GitServer]:
    """`host`: an address of this machine."""
    served = GitServer(root, host=host, user=user, password=password, certificate=certificate)

    class Handler(_Handler):
        git = served

    with ThreadingHTTPServer((host, 0), Handler) as server:
        served.port = server.server_address[1]
        if certificate is not None:
            server.socket = _secured(server.socket, certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            if served.hold is not None:
                served.hold.set()
            served.dried.set()
            server.shutdown()
            thread.join()


def _secured(listener: socket.socket, certificate: Path) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listener, server_side=True)


class _Handler(BaseHTTPRequestHandler):
    git: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        git = self.git
        git.logins.append((self.path, self.headers.get("Authorization", "")))
        git.asked.set()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if git.hold is not None:
            git.hold.wait(60)
        if git.drip_at and git.drip_at in self.path:
            self._drip()
        elif to := git.redirect or next((to for part, to in git.redirect_at.items() if part in self.path), ""):
            self._send(git.redirect_status, b"", Location=to + self.path)
        elif git.status:
            self._send(git.status, b"no")
        elif not self._may_enter():
            self._send(401, b"who?", **{"WWW-Authenticate": 'Basic realm="git"'})
        elif self.path.endswith("/objects/batch") or "/large/" in self.path:
            self._answer_lfs(body)
        else:
            self._answer_git(body)

    def _drip(self) -> None:
        self.git.dripping.set()
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            while not self.git.dried.wait(0.05):
                self.wfile.write(b" ")

    def _may_enter(self) -> bool:
        git = self.git
        login = base64.b64encode(f"{git.user}:{git.password}".encode()).decode()
        return not (git.user or git.password) or self.headers.get("Authorization") == f"Basic {login}"

    def _answer_lfs(self, body: bytes) -> None:
        if "/large/" in self.path:
            self._send(200, self.git.large[self.path.rpartition("/")[2]])
            return
        if self.git.lfs_answer is not None:
            self._send(200, self.git.lfs_answer)
            return
        objects = [
            {"oid": one["oid"], "size": one["size"]}
            | (
                {"actions": {"download": {"href": f"{self.git.large_at or self.git.origin}/large/{one['oid']}"}}}
                if one["oid"] in self.git.large
                else {"error": {"code": 404, "message": "Object does not exist"}}
            )
            for one in json.loads(body)["objects"]
        ]
        self._send(200, json.dumps({"objects": objects}).encode(), **{"Content-Type": "application/vnd.git-lfs+json"})

    def _answer_git(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = isolated(self.git.root) | {
            "GIT_PROJECT_ROOT": str(self.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self._send(int(headers.pop("Status", "200").split()[0]), content, **headers)

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        with contextlib.suppress(ConnectionError):  # a git that was killed waits for no answer
            self.end_headers()
            self.wfile.write(content)
