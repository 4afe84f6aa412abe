"""Exceptions as their author wants to read them: where in his files, and without our frames."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from types import TracebackType

TRACEBACK_CHARS = 20_000
_MESSAGE_CHARS = 2_000


class AuthorTracebacks:
    """Knows which files are the author's: those under `root`, named relative to `folder` where they lie in it."""

    def __init__(self, folder: str, root: str) -> None:
        self.folder = os.path.join(os.path.abspath(folder), "")
        self._root = os.path.join(os.path.abspath(root), "")

    def where(self, error: BaseException) -> str:
        """Like `etls.py, line 3`: the last of the author's lines that the error came through; empty without one."""
        if isinstance(error, SyntaxError) and error.filename and self._is_authors(error.filename):
            return self._place(error.filename, error.lineno or 0)
        place, tb = "", error.__traceback__
        while tb is not None:
            filename = tb.tb_frame.f_code.co_filename
            if self._is_authors(filename):
                place = self._place(filename, tb.tb_lineno)
            tb = tb.tb_next
        return place

    def traceback(self, error: BaseException) -> str:
        """The traceback from the author's first line on, its middle left out where it is very long."""
        try:
            whole = traceback.TracebackException(type(error), error, self._authors_part(error))
            text = "".join(whole.format())
        except BaseException:  # an exception may raise while it is formatted: its text is the author's code
            text = f"{type(error).__name__} (it can't be formatted)\n"
        return _shortened(text, TRACEBACK_CHARS)

    def _authors_part(self, error: BaseException) -> TracebackType | None:
        first = tb = error.__traceback__
        while first is not None and not self._is_authors(first.tb_frame.f_code.co_filename):
            first = first.tb_next
        if first is None and isinstance(error, SyntaxError):
            return None  # it says itself where it is
        return first or tb

    def _is_authors(self, filename: str) -> bool:
        return filename.startswith((self.folder, self._root))

    def _place(self, filename: str, line: int) -> str:
        base = self.folder if filename.startswith(self.folder) else self._root
        return f"{filename.removeprefix(base)}, line {line}"


def print_traceback(message: str, error: BaseException, tracebacks: AuthorTracebacks) -> None:
    """Print it where the author reads what his code prints."""
    with suppress(OSError, ValueError, AttributeError):  # he may have closed it
        print(f"{message}:\n{tracebacks.traceback(error)}", file=sys.stderr, end="")


def in_words(error: BaseException) -> str:
    """`ValueError: what it says`, bounded."""
    try:
        said = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # as above
        said = "(it can't be shown)"
    name = type(error).__name__
    return _shortened(f"{name}: {said}" if said else name, _MESSAGE_CHARS)


def bounded(message: str) -> str:
    """What an exception says, fit to be sent."""
    return _shortened(message, _MESSAGE_CHARS)


def _shortened(text: str, limit: int) -> str:
    # What Python's strings may hold but UTF-8 can't would make the message itself unsendable.
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= limit:
        return text
    left_out = "\n… left out …\n"
    head = limit // 4
    return text[:head] + left_out + text[head + len(left_out) - limit :]
