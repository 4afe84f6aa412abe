"""Opening files that others may write to, replace or have made anything of."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path


def open_plain(path: Path) -> BufferedReader:
    """The file, to be read. Raises OSError for what is not a plain file: a pipe would be waited for without end."""
    return open(path, "rb", opener=_open_plain)


def is_open_for_writing(path: Path) -> bool:
    """Whether some process has the file open for writing, as far as this system can tell.

    The kernel grants a read lease only on a file that nobody has open for writing.
    """
    with suppress(OSError), open_plain(path) as file:
        # A writer who comes just now makes the kernel signal the lease's holder; SIGIO would end us, SIGURG does not.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            # Anything else says that leases don't work here: another user's file, a file system without them.
            return error.errno == errno.EAGAIN
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _open_plain(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, "it is not a plain file", path)
