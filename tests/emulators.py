"""Object stores on this machine: Amazon's S3 and Google's, as processes from an environment of their own."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ports import free_port
from tests.waiting import wait_for

PACKAGES = ("moto[s3,server]==5.2.5", "gcp-storage-emulator==2026.7.19")
LOGIN = "tester:a-secret-key"
"""Key and secret; moto takes any."""


@contextmanager
def s3(host: str = "127.0.0.1") -> Iterator[str]:
    """`host:port` of a running S3 with the bucket `bucket`. `host`: an address of this machine."""
    with _running("moto_server", "--host", host, "--port", host=host) as endpoint:
        _make_bucket(endpoint)
        yield endpoint


@contextmanager
def gcs() -> Iterator[str]:
    """`host:port` of a running Google Cloud Storage with the bucket `bucket`."""
    started = _running(
        "gcp-storage-emulator", "start", "--in-memory", "--default-bucket=bucket", "--host=127.0.0.1", "--port"
    )
    with started as endpoint:
        yield endpoint


@contextmanager
def _running(*command: str, host: str = "127.0.0.1") -> Iterator[str]:
    port = free_port()
    program = _environment() / "bin" / command[0]
    process = subprocess.Popen(
        [program, *command[1:], str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what tests send to their own group is not for it
    )
    try:
        wait_for(lambda: _listens(host, port), command[0], alive=lambda: process.poll() is None)
        yield f"{host}:{port}"
        assert process.poll() is None, f"{command[0]} ended while tests used it ({process.returncode})"
    finally:
        process.kill()
        process.wait()


def address(endpoint: str, path: str) -> str:
    """Of what is at `path` in the bucket."""
    return f"s3://{LOGIN}@bucket/{path}?endpoint_override={endpoint}&scheme=http"


def gcs_address(endpoint: str, path: str) -> str:
    return f"gs://anonymous@bucket/{path}?scheme=http&endpoint_override={endpoint.replace(':', '%3A')}"


class Door:
    """A server in front of another, which passes on what comes, hangs, or forbids everything."""

    def __init__(self, behind: str) -> None:
        host, port = behind.split(":")
        self._behind = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.does = "pass"
        self.endpoint = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def turn(self, does: str) -> None:
        """`pass`, `hang` or `forbid`; who is connected is cut off."""
        self.does = does
        self._cut()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._cut()
        self._threads[0].join()
        self._cut()
        for thread in self._threads:
            thread.join()
        for one in [self._listener, *self._open]:
            one.close()

    def _cut(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self.does == "pass":
                    server = socket.create_connection(self._behind)
                    self._open.append(server)
                    self._start(_pipe, client, server)
                    self._start(_pipe, server, client)
                elif self.does == "forbid":
                    self._start(_forbid, client)

    def _start(self, target: Callable[..., None], *sockets: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=sockets))
        self._threads[-1].start()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _forbid(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(1 << 16):
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _make_bucket(endpoint: str) -> None:
    from pyarrow.fs import S3FileSystem

    key, secret = LOGIN.split(":")
    S3FileSystem(
        access_key=key,
        secret_key=secret,
        region="us-east-1",
        endpoint_override=endpoint,
        scheme="http",
        allow_bucket_creation=True,
    ).create_dir("bucket")


def _environment() -> Path:
    """Made once, beside the packages that the tests run in: these need others."""
    folder = Path(sys.prefix).resolve() / "emulators"
    folder.mkdir(exist_ok=True)
    made = folder / "made"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text() != str(PACKAGES):
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "--quiet", "--clear", folder / "packages"], check=True)
            python = folder / "packages" / "bin" / "python"
            subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *PACKAGES], check=True)
            made.write_text(str(PACKAGES))
    return folder / "packages"


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
