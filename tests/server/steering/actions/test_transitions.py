"""What goes live, in which order, of what operators and pushes do one after another: the rows that actions write, what
is decided of them, and a model that follows as its controller does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.decisions import Decisions
from core.release import Candidate, Served, Wanted
from loader.desire import desire
from loader.releases.live_file import LiveFile
from registry.registry import Registry
from server.steering.actions.actions import new_action
from server.steering.actions.intents import Intent, ToAccept, ToPin, ToRollBack, ToUnpin
from server.steering.decisions.decided import Decided
from tests.server.steering.releases import ADA, served


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    yield registry
    registry.close()


class Model:
    """One model, on a server that restarts as often as a test likes."""

    def __init__(self, registry: Registry, path: Path) -> None:
        self.went_live: list[int] = []
        """The numbers of the versions, as they went live."""
        self._registry = registry
        self._path = path
        self._decided = Decided(lambda named: served(int(named.release.removeprefix("r"))))
        self._known = Decisions()
        self._last_live: Sequence[Served] = ()
        self._head: Served | None = None
        self._unready: set[int] = set()
        """Versions that are starting, or failed: nothing goes live of them."""

    def push(self, number: int) -> None:
        self._head = served(number)

    def push_unready(self, number: int) -> None:
        self._unready.add(number)
        self.push(number)

    def unready(self, number: int) -> None:
        self._unready.add(number)

    def ready(self, number: int) -> None:
        self._unready.discard(number)

    def pin(self, number: int) -> None:
        self._write(ToPin(new_action("pin", "M", ADA, ""), served=served(number)))

    def unpin(self, _: int) -> None:
        self._write(ToUnpin(new_action("unpin", "M", ADA, "")))

    def rollback(self, to: int) -> None:
        self._write(ToRollBack(new_action("rollback", "M", ADA, ""), live=self._last_live[0], to=served(to)))

    def accept(self, number: int) -> None:
        with self._registry.transaction() as transaction:
            rejected = tuple(one for one in transaction.rejections.all("M") if one.version == f"v{number}")
        self._write(ToAccept(new_action("accept", "M", ADA, ""), rejected=rejected))

    def restart(self, _: int) -> None:
        """With `live.json` alone: the registry is read later, if it can be."""
        assert self._head is not None
        heads = {"M": Candidate("M", self._head.version, self._head.release.revision)}
        LiveFile(self._path, "here").update({"M": tuple(self._last_live)}, known=(heads, self._known))
        file = LiveFile(self._path, "here")
        self._known, self._last_live = file.decisions(), file.last_live().get("M", ())
        self._decided.rows = None

    def follow(self) -> None:
        """Until nothing changes any more."""
        while (wanted := self._wanted()).release is not None and not self._is_live(wanted):
            if wanted.version.number in self._unready:
                return
            now = Served(wanted.release, wanted.version)
            self._last_live = (now, *(one for one in self._last_live if one.release != now.release))[:3]
            self.went_live.append(wanted.version.number)

    def _is_live(self, wanted: Wanted) -> bool:
        return bool(self._last_live) and self._last_live[0].release == wanted.release

    def _wanted(self) -> Wanted:
        assert self._head is not None
        self._decided.look_for()
        self._known = self._decided.over(Decisions()).over(self._known)
        heads = {"M": Candidate("M", self._head.version, self._head.release.revision)}
        return desire(heads, self._known, {"M": self._last_live}).models["M"]

    def _write(self, intent: Intent) -> None:
        with self._registry.transaction() as transaction:
            transaction.events.append(intent.act(transaction))
        self._decided.take(intent.rows)


TWO_LIVE = "push 1, push 2"
PINNED_THOUGH_REJECTED = f"{TWO_LIVE}, rollback 1, pin 2"


@pytest.mark.parametrize(
    ("done", "live"),
    [
        # a pin is lifted
        (f"{TWO_LIVE}, pin 1, unpin", [1, 2, 1, 2]),
        (f"{TWO_LIVE}, pin 1, push 3, unpin", [1, 2, 1, 3]),
        (f"{TWO_LIVE}, pin 1, push-unready 3, unpin", [1, 2, 1]),
        (f"{TWO_LIVE}, pin 1, push-unready 3, unpin, ready 3", [1, 2, 1, 3]),
        # of what was rejected before it was pinned: it stays until something newer is there
        (f"{PINNED_THOUGH_REJECTED}, unpin", [1, 2, 1, 2, 1]),
        (f"{PINNED_THOUGH_REJECTED}, push 3, unpin", [1, 2, 1, 2, 3]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin", [1, 2, 1, 2]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, ready 3", [1, 2, 1, 2, 3]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, restart, ready 3", [1, 2, 1, 2, 3]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, restart, unpin, ready 3", [1, 2, 1, 2, 3]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, push 4", [1, 2, 1, 2, 4]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, pin 2, unpin, ready 3", [1, 2, 1, 2, 3]),
        (f"{PINNED_THOUGH_REJECTED}, unready 1, pin 1, push-unready 3, unpin, ready 3", [1, 2, 1, 2, 3]),
        # where somebody rolls back from it once more, it goes at once
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, rollback 1", [1, 2, 1, 2, 1]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, rollback 1, ready 3", [1, 2, 1, 2, 1, 3]),
        (f"{PINNED_THOUGH_REJECTED}, push-unready 3, unpin, accept 2, ready 3", [1, 2, 1, 2, 3]),
        # what is newest was rejected too
        ("push 1, push 2, rollback 1, push 3, rollback 1, pin 2, unpin", [1, 2, 1, 3, 1, 2, 1]),
        ("push 1, push 2, rollback 1, push 3, rollback 1, pin 2, push-unready 4, unpin", [1, 2, 1, 3, 1, 2]),
        # a rejection is lifted
        (f"{TWO_LIVE}, rollback 1, accept 2", [1, 2, 1, 2]),
        (f"{TWO_LIVE}, rollback 1, push-unready 3, accept 2", [1, 2, 1]),
        (f"{TWO_LIVE}, rollback 1, push-unready 3, accept 2, ready 3", [1, 2, 1, 3]),
        (f"{PINNED_THOUGH_REJECTED}, accept 2, unpin", [1, 2, 1, 2]),
        # a rollback is first, whatever is pushed meanwhile
        (f"{TWO_LIVE}, rollback 1, push 3", [1, 2, 1, 3]),
        (f"{TWO_LIVE}, push-unready 3, rollback 1, ready 3", [1, 2, 1, 3]),
        (f"{TWO_LIVE}, unready 1, rollback 1, push 3", [1, 2]),
        (f"{TWO_LIVE}, unready 1, rollback 1, push 3, ready 1", [1, 2, 1, 3]),
        (f"{TWO_LIVE}, unready 1, rollback 1, push 3, restart, ready 1", [1, 2, 1, 3]),
        (f"{TWO_LIVE}, unready 1, rollback 1, pin 2, push-unready 3, unpin", [1, 2]),
        ("push 1, push 2, push 3, rollback 1, push-unready 4, restart", [1, 2, 3, 1]),
    ],
)
def test_nothing_older_goes_live_in_between_unless_somebody_turned_down_what_is_live(
    registry: Registry, tmp_path: Path, done: str, live: list[int]
) -> None:
    model = Model(registry, tmp_path / "live.json")
    for step in done.split(", "):
        what, _, number = step.partition(" ")
        act: Callable[[int], None] = getattr(model, what.replace("-", "_"))
        act(int(number or 0))
        model.follow()
    assert model.went_live == live
