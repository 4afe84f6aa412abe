"""`pawl stop`."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Any

import click

from pawl.exits import FAILED, STILL_RUNNING, CommandFailed
from pawl.options import FiniteRange, as_json, command


@command("stop")
@click.option(
    "--timeout",
    type=FiniteRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for its end; by default ten seconds more than STOP_TIMEOUT_S.",
)
@as_json
def stop(timeout: float, fields: str | None) -> int:
    """End the server that runs here, and return once it is gone.

    Here is the folder DATA_DIR (.pawl), as for 'pawl serve'; whether it was started in the background makes no
    difference. Requests in flight finish first, for up to STOP_TIMEOUT_S seconds. Where no server runs there is nothing
    to do, and that is not a failure.

    Example:

      pawl stop

    Exit code: 0 once none runs, 1 if it can't be stopped, 2 for a wrong setting, 7 if it was still running when the
    time was over.
    """
    from pawl.serving.background import settings_here  # here and below: what is slow to import, not for --help
    from pawl.terminal.json_output import check_fields
    from server.process.data_dir import holder_of
    from server.process.running_file import read_running

    check_fields(fields or "", ("stopped", "pid", "url"))
    settings = settings_here()
    running = read_running(settings.data)
    pid = holder_of(settings.data) if running is None else running.pid
    if pid is None:
        _say(f"no server runs in {settings.data}", {"stopped": False, "pid": None, "url": ""}, fields)
        return 0
    patience_s = timeout or settings.stop_timeout_s + 10
    if not _ended(pid, patience_s):
        raise CommandFailed(
            STILL_RUNNING,
            f"process {pid} still runs after {patience_s:g} s; once more cuts requests in flight off",
        )
    url = "" if running is None else running.url
    which = f"at {url}" if url else f"that was starting in {settings.data}"
    _say(f"the server {which} has ended", {"stopped": True, "pid": pid, "url": url}, fields)
    return 0


def _say(says: str, told: dict[str, Any], fields: str | None) -> None:
    from pawl.terminal.json_output import print_json

    if fields is None:
        sys.stdout.write(f"{says}\n")
    else:
        print_json(told, fields)


def _ended(pid: int, within_s: float) -> bool:
    """Ask it to, and wait for it. Raises CommandFailed."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        return bool(select.select([handle], [], [], within_s)[0])
    except ProcessLookupError:
        return True
    except PermissionError as error:
        raise CommandFailed(FAILED, f"process {pid} is another user's; that user can stop it") from error
    finally:
        os.close(handle)
