"""What is going on while somebody waits, on stderr."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.text import Text

_KEPT = 200


class Progress:
    """Shows the step that is being done, and above it what is logged, which it keeps."""

    def __init__(self, log_level: str) -> None:
        self._log_level = log_level.upper()
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._handler = _Handler(self._log)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was logged: what the model printed, and what the server would say of it."""
        return tuple(self._lines)

    def __enter__(self) -> Progress:
        logging.basicConfig(level=logging.WARNING, handlers=[self._handler], force=True)
        logging.getLogger("pawl").setLevel(self._log_level)
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._status.stop()
        logging.getLogger().removeHandler(self._handler)

    def tell(self, what: str) -> None:
        text = Text(f"{what.rstrip('…')}…")
        if self._console.is_terminal:
            self._status.update(text)
        else:
            self._console.print(text)

    def _log(self, line: str, level: int) -> None:
        self._lines.append(line)
        self._console.print(Text(line, style="yellow" if level >= logging.WARNING else "dim"), soft_wrap=True)


class _Handler(logging.Handler):
    def __init__(self, take: Callable[[str, int], None]) -> None:
        super().__init__()
        self._take = take
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._take(self.format(record), record.levelno)
