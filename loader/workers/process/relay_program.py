"""`python -I -S relay_program.py CONTROL`: reads workers' output as soon as it comes, and passes it on to the daemon.

A worker's `print` must not block while the daemon is stopped, or waits for the disk of its log; what the daemon doesn't
read in time is cut. CONTROL is a socket over which pairs of descriptors come: a pipe to read and a pipe to write. When
it closes, this process ends.
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


class RelayedOutput:
    """One worker's output, on its way from `source` to `sink`."""

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
    outputs: dict[int, RelayedOutput] = {}
    while True:
        for fd, _ in poll.poll():
            if fd != control.fileno():
                _handle(poll, outputs, fd)
                continue
            data, handles, _, _ = socket.recv_fds(control, 1, 2)
            if not data:
                return
            output = RelayedOutput(*handles)
            outputs[output.source] = outputs[output.sink] = output
            poll.register(output.source, select.EPOLLIN)
            poll.register(output.sink, 0)  # which tells when nobody reads it any more


def _handle(poll: select.epoll, outputs: dict[int, RelayedOutput], fd: int) -> None:
    output = outputs.get(fd)
    if output is None:  # it ended earlier in this round of epoll's events
        return
    try:
        if fd == output.sink:
            output.write()
        elif output.read():
            time.sleep(_PAUSE_S)
    except OSError:
        output.kept.clear()
        output.is_over = True
    if output.is_over and not output.kept:
        for handle in (output.source, output.sink):
            del outputs[handle]
            # Closing is not enough: the daemon has the pipe too, so epoll would go on telling its end, under a number
            # that the next output may get.
            poll.unregister(handle)
            os.close(handle)
    else:
        poll.modify(output.source, 0 if output.is_over else select.EPOLLIN)
        poll.modify(output.sink, select.EPOLLOUT if output.kept else 0)


if __name__ == "__main__":
    main()
