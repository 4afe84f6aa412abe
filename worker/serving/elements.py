"""Runs the elements of a list request: together, so that their sessions' calls merge, or one after the other."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import Any

from greenlet import getcurrent

from ..errors import ElementFailed
from ..onnx.batch_wait import RequestGreenlet

Run = Callable[[Callable[[Any], bytes], Sequence[Any]], list[bytes]]
"""Runs a function on each of many; what it returned, in order. Raises ElementFailed for the first that raised."""


def one_by_one(run: Callable[[Any], bytes], many: Sequence[Any]) -> list[bytes]:
    answers = []
    for index, one in enumerate(many):
        try:
            answers.append(run(one))
        except BaseException as error:
            raise ElementFailed(index, error) from None
    return answers


def together(run: Callable[[Any], bytes], many: Sequence[Any]) -> list[bytes]:
    """Each in a greenlet of its own. Only in a request's greenlet."""
    elements = _Elements(run, many)
    elements.finish()
    if elements.errors:
        index = min(elements.errors)
        raise ElementFailed(index, elements.errors[index])
    return elements.answers


class _Elements:
    """A greenlet for each element. Their parent is the request's greenlet, so it goes on whenever one of them waits for
    a batch or ends."""

    def __init__(self, run: Callable[[Any], bytes], many: Sequence[Any]) -> None:
        self.answers = [b""] * len(many)
        self.errors: dict[int, BaseException] = {}
        self._run = run
        self._many = many
        self._unfinished = len(many)

    def finish(self) -> None:
        """Return once all have answered or raised."""
        request = getcurrent()
        assert request.parent is not None
        for index in range(len(self._many)):
            element = RequestGreenlet(self._score)
            element.gr_context = contextvars.copy_context()
            element.switch(index)
        while self._unfinished:
            request.parent.switch()

    def _score(self, index: int) -> None:
        try:
            self.answers[index] = self._run(self._many[index])
        except BaseException as error:
            self.errors[index] = error
        self._unfinished -= 1
