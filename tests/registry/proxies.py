"""What stands between the registry and its database, and loses an answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PORT_FILE = ".s.PGSQL.5432"


class Proxy:
    """Passes everything on, until it is armed: then it hangs up between the next commit and the answer to that."""

    def __init__(self, server: Path, folder: Path) -> None:
        """`server`: the folder of PostgreSQL's socket; `folder`: that of its own."""
        self.armed = threading.Event()
        self.has_cut = threading.Event()
        self._server = str(server / _PORT_FILE)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _PORT_FILE))
        self._listener.listen()

    def run(self) -> None:
        """Until it is closed."""
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            for work in (self._pass_on, self._answer):
                threading.Thread(target=work, args=(client, server), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        while sent := _receive(client):
            if b"COMMIT" in sent and self.armed.is_set():
                self.armed.clear()
                self.has_cut.set()
                client.shutdown(socket.SHUT_RDWR)
            server.sendall(sent)
        with suppress(OSError):  # the other direction has ended, and closed it
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            while answered := _receive(server):
                try:
                    client.sendall(answered)
                except OSError:
                    return


def _receive(sender: socket.socket) -> bytes:
    try:
        return sender.recv(65_536)
    except OSError:
        return b""


@contextmanager
def proxy_of(server: Path, folder: Path) -> Iterator[Proxy]:
    proxy = Proxy(server, folder)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(100)
