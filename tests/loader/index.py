"""Package indexes: of wheels in a folder, and one that fails in the ways that indexes do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = b"<html><a href='/never-1.0-py3-none-any.whl'>never-1.0-py3-none-any.whl</a></html>"


@contextmanager
def failing_index(how: str, status: int = 200) -> Iterator[str]:
    """The address of an index. `how`: `status`, `garbage`, `cut` (off in the middle), `silent`, or `package` (the page
    is there, and the package is answered with the status)."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if how == "silent":
                over.wait()
                return
            is_page = "/simple/" in self.path
            body = {"garbage": b"\0\xff<<<", "package": PAGE}.get(how, b"sorry")
            self.send_response(200 if how == "package" and is_page else status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "5000" if how == "cut" else str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="failing index")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def package_index(wheels: Path) -> Iterator[str]:
    """The address of an index of the wheels in a folder."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.startswith("/simple/"):
                name = self.path.split("/")[2].replace("-", "_")
                found = [each.name for each in wheels.iterdir() if each.name.startswith(f"{name}-")]
                self._send("".join(f"<a href='/{each}'>{each}</a>" for each in found).encode())
            else:
                self._send((wheels / self.path[1:]).read_bytes())

        def do_HEAD(self) -> None:
            self.do_GET()

        def _send(self, body: bytes) -> None:
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html" if self.path.startswith("/simple/") else "application/zip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="index")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()
            thread.join()
