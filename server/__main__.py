"""`python -m server`: the daemon."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import suppress

from core.errors import PawlError
from core.process.logs import start_logging
from core.process.privacy import forbid_dumping
from core.process.signals import ending_signals
from core.process.streams import open_closed_streams
from core.settings.misspelt import misspelt
from core.settings.reading import read_settings, scrubbed
from core.settings.settings import Settings
from core.task import spawn
from server.process.data_dir import DataDir
from server.process.listening import listen
from server.process.privacy import warn_of_root
from server.process.reaper import Reaper, start_reaper

log = logging.getLogger("pawl")

_HELP = """\
python -m server: serves models until SIGTERM, Ctrl-C, or the end of its terminal.

Follows the repository that gitPath names or, without it, the folder models_serve here. It takes no arguments: settings
are environment variables, such as gitPath, HOST, PORT, baseUrl, ADMIN_TOKEN and DATA_DIR; env.example lists them all.

Exit code: 0 after a stop that was asked for, 1 when it was cut short, 2 if it could not start."""


def main(arguments: list[str]) -> int:
    """Exit code: 0 after a stop that was asked for, 1 when it was cut short, 2 when it could not start."""
    open_closed_streams()
    if arguments:
        return _explain(arguments)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whoever starts us may have blocked some for itself
    _exit_when_told()
    try:
        settings = read_settings(os.environ)
        _check_folder()
        start_logging(settings.log_level)
        forbid_dumping()
        reaper = start_reaper()
        data = DataDir(settings.data)
        data.tell_holder()  # before the rest is imported: until then 'pawl stop' finds no server to stop
        listener = listen(settings.host, settings.port)
        admin = listen(*settings.admin_address, "ADMIN_BIND") if settings.admin_address else None
        return _run(settings, data, listener, admin, reaper)
    except PawlError as error:
        with suppress(OSError):  # it may be a file on a full disk; what stays in a buffer changes the exit code
            os.write(sys.stderr.fileno(), f"pawl: {error}\n".encode(errors="backslashreplace"))
        return 2


def _exit_when_told() -> None:
    """Until the loop takes these signals: the first process of a container is not ended by one that it has no handler
    for."""
    for number in ending_signals():
        signal.signal(number, lambda *_: sys.exit(0))


def _check_folder() -> None:
    """Relative paths lead from it."""
    try:
        os.getcwd()
    except OSError as error:
        raise PawlError(
            f"the folder that it is started in can't be used ({error.strerror}); start it in another"
        ) from error


def _run(
    settings: Settings, data: DataDir, listener: socket.socket, admin: socket.socket | None, reaper: Reaper
) -> int:
    import uvloop

    from server.assembly import assemble  # here, for that is slow

    async def serve() -> None:
        keeping = spawn(reaper.keep(), "reaper")
        daemon = assemble(settings, data, listener, scrubbed(os.environ), admin)
        for line in misspelt(os.environ):  # not before: a start that is refused says one line, why
            log.warning(line)
        warn_of_root()
        code = await daemon.run()
        keeping.cancel()
        for output in (sys.stdout, sys.stderr):
            with suppress(OSError):  # whoever read it may have gone
                output.flush()
        os._exit(code)  # threads may wait for a network or a disk as long as they like

    uvloop.run(serve())
    return 0


def _explain(arguments: list[str]) -> int:
    if arguments[0] in ("-h", "--help"):
        print(_HELP)
        return 0
    print(f"pawl: {arguments[0]!r} is not understood: settings are environment variables; see --help", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
