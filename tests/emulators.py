"""Object stores on this machine: Amazon's S3, by moto, as a process from an environment of its own."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.serving import wait_for

MOTO = "moto[s3,server]==5.2.5"
LOGIN = "tester:a-secret-key"
"""Key and secret; moto takes any."""


@contextmanager
def s3() -> Iterator[str]:
    """`host:port` of a running S3 with the bucket `bucket`."""
    port = free_port()
    server = _environment() / "bin" / "moto_server"
    process = subprocess.Popen(
        [server, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: _listens(port), "moto", alive=lambda: process.poll() is None)
        _make_bucket(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def address(endpoint: str, path: str) -> str:
    """Of what is at `path` in the bucket."""
    return f"s3://{LOGIN}@bucket/{path}?endpoint_override={endpoint}&scheme=http"


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
    """Made once, beside the packages that the tests run in: moto needs others."""
    folder = Path(sys.prefix) / "emulators"
    folder.mkdir(exist_ok=True)
    made = folder / f"made-{MOTO}"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "--quiet", "--clear", folder / "moto"], check=True)
            python = folder / "moto" / "bin" / "python"
            subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, MOTO], check=True)
            made.touch()
    return folder / "moto"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
