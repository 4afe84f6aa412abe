"""`python -I -S draining.py CONTROL`: reads what workers print, always at once, and passes on what is taken.

A worker's `print` must not wait for a daemon that is stopped, or that waits for the disk of its log. CONTROL is a
socket over which pairs of pipes come: where to read, where to write. When it closes, this process ends.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

_CHUNK = 1 << 16
_KEPT = 1 << 16
"""Bytes for which there is no room yet; of more, the newest."""
_PAUSE_S = 0.0003
"""After a full chunk. Some 150 MB/s are read of one worker that prints all the time."""
_CUT = "\n({:,} bytes of output are cut here: they came faster than they were read)\n"


class Drain:
    """One worker's output."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self.kept = bytearray()
        self.is_over = False
        self._cut = 0
        os.set_blocking(sink, False)

    def read(self) -> bool:
        """Whether there is likely to be more."""
        chunk = os.read(self.source, _CHUNK)
        self.is_over = not chunk
        self.kept += chunk
        over = len(self.kept) - _KEPT
        if over > 0:
            del self.kept[:over]
            self._cut += over
        if not self._cut:
            self.write()
        return len(chunk) == _CHUNK

    def write(self) -> None:
        """As much as there is room for. Raises BrokenPipeError."""
        if self._cut:
            self.kept[:0] = _CUT.format(self._cut).encode()
            self._cut = 0
        try:
            while self.kept:
                del self.kept[: os.write(self.sink, self.kept)]
        except BlockingIOError:
            pass


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    poll = select.epoll()
    poll.register(control, select.EPOLLIN)
    drains: dict[int, Drain] = {}
    while True:
        for fd, _ in poll.poll():
            if fd != control.fileno():
                _turn(poll, drains, fd)
                continue
            data, handles, _, _ = socket.recv_fds(control, 1, 2)
            if not data:
                return
            drain = Drain(*handles)
            drains[drain.source] = drains[drain.sink] = drain
            poll.register(drain.source, select.EPOLLIN)
            poll.register(drain.sink, 0)  # which tells when nobody reads it any more


def _turn(poll: select.epoll, drains: dict[int, Drain], fd: int) -> None:
    drain = drains.get(fd)
    if drain is None:  # it ended in this very turn
        return
    try:
        if fd == drain.sink:
            drain.write()
        elif drain.read():
            time.sleep(_PAUSE_S)
    except OSError:
        drain.kept.clear()
        drain.is_over = True
    if drain.is_over and not drain.kept:
        for handle in (drain.source, drain.sink):
            del drains[handle]
            os.close(handle)
    else:
        poll.modify(drain.source, 0 if drain.is_over else select.EPOLLIN)
        poll.modify(drain.sink, select.EPOLLOUT if drain.kept else 0)


if __name__ == "__main__":
    main()
