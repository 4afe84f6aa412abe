from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from pawl.terminal.interruption import Interruption

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ends:
    """Somebody who ends this process while it is being finalized, where an exception would be lost."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[list[object]]:
    before = [signal.signal(number, signal.default_int_handler) for number in _NUMBERS]
    yield [signal.getsignal(number) for number in _NUMBERS]
    for number, handler in zip(_NUMBERS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", _NUMBERS)
def test_it_is_seen_wherever_the_process_is(number: int) -> None:
    with Interruption() as interruption:
        assert not interruption.is_asked
        Ends(number)
        assert interruption.is_asked


def test_what_was_done_before_is_done_after(handlers: list[object]) -> None:
    with Interruption():
        assert signal.getsignal(signal.SIGTERM) not in handlers
    assert [signal.getsignal(number) for number in _NUMBERS] == handlers


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not interruption.is_asked
