"""An https server with data, and what can go wrong with one."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class DataServer:
    """Its fields may be changed while it runs."""

    context: ssl.SSLContext
    """For clients: it trusts the server's certificate."""
    certificate: Path
    port: int = 0
    content: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    redirect: str = ""
    """Where every request is sent instead."""
    cut: int = 0
    """Bytes that every answer lacks in the end."""
    hold: threading.Event | None = None
    """After the first half of a body, every answer waits for it."""
    held: threading.Event = field(default_factory=threading.Event)
    """Set when one does."""
    after: Callable[[], None] = lambda: None
    """Called once a body has gone."""
    logins: list[str] = field(default_factory=list)
    bodies: int = 0
    """Answers that were read to their end."""

    def url(self, path: str, login: str = "") -> str:
        return f"https://{login}127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def data_server(folder: Path) -> Iterator[DataServer]:
    certificate = _certificate(folder)
    served = DataServer(ssl.create_default_context(cafile=str(certificate)), certificate)

    class Handler(_Handler):
        server_: DataServer = served

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            if served.hold is not None:
                served.hold.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_: DataServer

    def do_GET(self) -> None:
        served = self.server_
        served.logins.append(self.headers.get("Authorization", ""))
        body = served.content.get(self.path.partition("?")[0], b"")
        status = 302 if served.redirect else served.status
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **served.headers}.items():
            if value:
                self.send_header(name, value)
        if served.redirect:
            self.send_header("Location", served.redirect)
        with contextlib.suppress(OSError):
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            if served.hold is not None and body:
                self.wfile.flush()
                served.held.set()
                served.hold.wait(60)
            self.wfile.write(body[half : len(body) - served.cut])
            served.bodies += 1
            served.after()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _certificate(folder: Path) -> Path:
    """With its key in the same file, for 127.0.0.1, signed by nobody but itself."""
    file = folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    done = subprocess.run([*command.split(), "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    file.write_bytes(done.stdout)
    return file
