"""What the child of a run runs first: `python -P -s boot.py CHANNEL`, the descriptor of its end of the channel.

The folder above becomes the package `_pawl`: nothing of ours is on `sys.path`, where it would shadow what is the
author's.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import signal
import socket
import sys

_PACKAGE = "_pawl"
_NEEDS = ("msgspec",)


def boot() -> None:
    sock = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(sock.fileno(), False)
    _load_package()
    from _pawl.process.parent import (  # type: ignore[import-not-found]
        die_with_parent,
        exit_if_abandoned,
        protect_parent,
    )

    die_with_parent()
    exit_if_abandoned(sock)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=True, chain=False)
    _exit_if_needs_are_unmet(sock)
    from _pawl.training.channel import Channel  # type: ignore[import-not-found]
    from _pawl.training.main import main  # type: ignore[import-not-found]
    from _pawl.training.output import show_lines_at_once  # type: ignore[import-not-found]

    show_lines_at_once()
    protect_parent()
    sys.dont_write_bytecode = True  # the folder is as the commit has it
    sys.argv[1:] = []
    main(Channel(sock))


def _exit_if_needs_are_unmet(sock: socket.socket) -> None:
    """Before anything is imported that would fail for it. The author may have asked for versions of his own."""
    from _pawl.wire.runtime_packages import OLDEST, why_not_run  # type: ignore[import-not-found]

    if problem := why_not_run({name: OLDEST[name] for name in _NEEDS}):
        import json  # only here: the messages are written without msgspec only where it can't be used

        while (received := sock.recv(65536)) and not received.endswith(b"\n"):  # unread, it would break the socket
            pass
        sock.sendall(json.dumps({"type": "Breach", "message": problem}).encode() + b"\n")
        os._exit(1)


def _load_package() -> None:
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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
