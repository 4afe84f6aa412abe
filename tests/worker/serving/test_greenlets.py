"""Greenlets are used again, and nobody can tell."""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import Callable

import pytest
from greenlet import getcurrent, greenlet

from worker.serving.greenlets import Greenlets

_SAID = contextvars.ContextVar("said", default="nothing")


class Thing:
    """Something to run."""


def test_one_after_the_other_run_in_the_same_greenlet() -> None:
    ran: list[greenlet] = []
    greenlets = Greenlets[Thing](lambda _: ran.append(getcurrent()))
    for _ in range(3):
        greenlets.take().switch(Thing())
    assert len(ran) == 3
    assert len(set(ran)) == 1


def test_one_that_waits_keeps_its_greenlet() -> None:
    ran: list[greenlet] = []

    def wait(_: Thing) -> None:
        current = getcurrent()
        ran.append(current)
        assert current.parent is not None
        current.parent.switch()

    greenlets = Greenlets(wait)
    for _ in range(2):
        greenlets.take().switch(Thing())
    assert len(set(ran)) == 2
    for each in ran:
        each.switch()
    greenlets.take().switch(Thing())
    assert len(ran) == 3
    assert len(set(ran)) == 2


def test_each_runs_in_a_context_of_its_own() -> None:
    found = []

    def run(_: Thing) -> None:
        found.append(_SAID.get())
        _SAID.set("something")

    greenlets = Greenlets(run)
    for _ in range(2):
        greenlets.take().switch(Thing())
    assert found == ["nothing", "nothing"]
    assert _SAID.get() == "nothing"


def test_an_idle_greenlet_holds_nothing_of_what_it_ran() -> None:
    ran: list[greenlet] = []
    greenlets = Greenlets[Thing](lambda _: ran.append(getcurrent()))
    thing = Thing()
    gone = weakref.ref(thing)
    greenlets.take().switch(thing)
    del thing
    assert gone() is None
    assert not ran[0].dead


KEPT: weakref.WeakKeyDictionary[greenlet, int] = weakref.WeakKeyDictionary()


@pytest.mark.parametrize(
    "mark",
    [lambda each: setattr(each, "user", 1), lambda each: KEPT.setdefault(each, 1)],
    ids=["an attribute", "an entry under a weak key"],
)
def test_what_was_kept_of_a_greenlet_is_not_found_by_the_next(mark: Callable[[greenlet], None]) -> None:
    """As gevent's locals are kept."""
    found: list[bool] = []

    def run(_: Thing) -> None:
        each = getcurrent()
        found.append(bool(vars(each)) or each in KEPT)
        mark(each)

    greenlets = Greenlets(run)
    for _ in range(3):
        greenlets.take().switch(Thing())
    assert found == [False] * 3
    assert not KEPT
