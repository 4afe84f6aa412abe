"""Where a running server is asked, and what for."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from bench.inputs.models import Model

_TOGETHER = 16
_TOLERANCE = 1e-4

Row = np.ndarray[Any, np.dtype[np.float64]]


class WrongAnswer(Exception):
    """The server answered something else than ONNX Runtime does."""


class NotReady(Exception):
    """The server has not begun to answer in time."""


@dataclass(frozen=True)
class Wire:
    """How one kind of server is spoken to."""

    path: str
    pack: Callable[[Sequence[float]], bytes]
    """The body that asks about one row."""
    unpack: Callable[[Any], Sequence[float]]
    """The probabilities in the JSON of an answer."""
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """One running server."""

    url: str
    wire: Wire
    counters: Callable[[], Mapping[str, float]] = dict
    """What it counts itself: calls and batches, if it tells."""

    def ask(self, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            connection.request("POST", parts.path, body, {"Content-Type": self.wire.media, **self.wire.headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait(self, model: Model, seconds: float, alive: Callable[[], bool]) -> None:
        """Return at the first good answer. Raises NotReady."""
        body, end, last = self.wire.pack(model.rows(1)[0].tolist()), time.monotonic() + seconds, ""
        while time.monotonic() < end and alive():
            try:
                status, answer = self.ask(body)
            except (OSError, http.client.HTTPException) as error:
                last = str(error)
            else:
                if status == 200:
                    return
                last = f"{status} {answer[:200].decode(errors='replace')}"
            time.sleep(0.1)
        raise NotReady(f"no answer within {seconds:g} s ({last})" if alive() else "its process has ended")

    def check(self, model: Model) -> None:
        """Ask about many rows at once, and hold each answer to ONNX Runtime's. Raises WrongAnswer."""
        rows = model.rows(64)
        with ThreadPoolExecutor(_TOGETHER) as threads:
            answers = list(threads.map(self._probabilities, rows.tolist()))
        for number, (answer, right) in enumerate(zip(answers, model.answers(rows), strict=True)):
            if np.shape(answer) != right.shape or not np.allclose(answer, right, atol=_TOLERANCE):
                raise WrongAnswer(f"row {number}: {answer.tolist()} instead of {right.tolist()}")

    def _probabilities(self, row: list[float]) -> Row:
        try:
            status, answer = self.ask(self.wire.pack(row))
        except (OSError, http.client.HTTPException) as error:
            raise WrongAnswer(f"{type(error).__name__}: {error}") from error
        told = f"{status} {answer[:200].decode(errors='replace')}"
        if status != 200:
            raise WrongAnswer(told)
        try:
            return np.asarray(self.wire.unpack(json.loads(answer)), dtype=np.float64)
        except (ValueError, LookupError, TypeError) as error:
            raise WrongAnswer(told) from error


def dump(content: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(content, separators=(",", ":")).encode()
