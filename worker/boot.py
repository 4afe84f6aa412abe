"""What a worker process runs first: `python -P -s boot.py CHANNEL PAGE`. Both arguments are descriptors: the worker's
end of the control channel, and the shared memory of its status page.

The folder of this file becomes the package `_pawl`. Nothing of ours is on `sys.path`, where it would shadow modules of
the author's.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import signal
import socket
import sys

_PACKAGE = "_pawl"


def boot() -> None:
    sock, status_page = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for handle in (sock.fileno(), status_page):
        os.set_inheritable(handle, False)
    _load_package()
    from _pawl.process.parent import (  # type: ignore[import-not-found]
        die_with_parent,
        exit_if_abandoned,
        protect_parent,
    )

    die_with_parent()
    exit_if_abandoned(sock)
    _ignore_signals()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=True, chain=False)
    tracebacks = os.dup(status_page)  # stderr the author may have closed, and others write to it
    faulthandler.register(signal.SIGRTMAX - 1, file=tracebacks, all_threads=True, chain=False)
    faulthandler.register(signal.SIGRTMAX, file=tracebacks, all_threads=False, chain=False)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _exit_if_needs_are_unmet(sock)
    from _pawl.main import main  # type: ignore[import-not-found]
    from _pawl.process.channel import Channel  # type: ignore[import-not-found]
    from _pawl.process.exits import leave  # type: ignore[import-not-found]
    from _pawl.wire.status_page import StatusPage  # type: ignore[import-not-found]

    protect_parent()
    sys.dont_write_bytecode = True  # a release is never edited
    sys.argv[1:] = []
    leave(main(Channel(sock), StatusPage(status_page), die_with_parent))


def _exit_if_needs_are_unmet(sock: socket.socket) -> None:
    """Before anything is imported that would fail for it. The author may have asked for versions of his own."""
    from _pawl.wire.runtime_packages import why_not_run  # type: ignore[import-not-found]

    if problem := why_not_run():
        import json  # only here: the messages are written without msgspec only where it can't be used

        _wait_for_config(sock)
        sock.sendall(json.dumps({"type": "Failed", "message": problem}).encode() + b"\n")
        os._exit(1)


def _wait_for_config(sock: socket.socket) -> None:
    """Closing a socket in which something is unread would break it before what we say is read."""
    while (received := sock.recv(65536)) and not received.endswith(b"\n"):
        pass


def _ignore_signals() -> None:
    """The daemon ends its workers itself; Ctrl-C, and a terminal's end, may reach every process. With handlers, not
    SIG_IGN, which programs that the author starts would inherit."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)


def _load_package() -> None:
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    boot()
