from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from core.decisions import Decisions, Rejected
from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Artifact, Candidate, Choice, Release, Revision, Served, Version, Wanted
from loader.desire import desire


def revision(number: int = 1, code: int | None = None) -> Revision:
    key = None if code is None else f"code{code}"
    return Revision("M", f"r{number}", Manifest(), {"M": "tree"}, code_key=key)


def artifact(number: int) -> Artifact:
    return Artifact(f"a{number}", f"run{number}")


def served(number: int = 1, of: int | None = None) -> Served:
    release = Release(revision(number), None if of is None else artifact(of))
    return Served(release, Version(number, f"c{number}"))


def candidate(found: Revision | None, number: int = 9) -> Candidate:
    failure = None if found is not None else ReleaseFailed("no class", stage="manifest")
    return Candidate("M", Version(number, f"c{number}"), found, failure)


@dataclass(frozen=True)
class Known:
    """All that decides over one model."""

    head: Candidate | None
    decisions: Decisions
    last_live: Sequence[Served]

    @property
    def rejected(self) -> Rejected:
        return (self.decisions.rejections or {}).get("M", Rejected())

    @property
    def accepted(self) -> list[Artifact]:
        """Of the head's code key, those of runs that were not rejected."""
        assert self.head is not None
        assert self.head.revision is not None
        found = (self.decisions.artifacts or {}).get(self.head.revision.code_key or "", ())
        return [one for one in found if one.run not in self.rejected.runs]

    @property
    def is_turned_down(self) -> bool:
        """Whether what is live was rejected, and nobody pinned it since."""
        return self._is_live_rejected and self.last_live[0].release.id not in self.rejected.pinned

    @property
    def stays(self) -> list[Served]:
        """What is live, was rejected and was pinned since: it stays for what is not trained yet."""
        return list(self.last_live[:1]) if self._is_live_rejected and not self.is_turned_down else []

    @property
    def _is_live_rejected(self) -> bool:
        return bool(self.last_live) and self.last_live[0].release.id in self.rejected.releases

    @property
    def acceptable(self) -> list[Served]:
        """What one may go back to, the best first."""
        target = (self.decisions.targets or {}).get("M")
        named = [target] if target is not None and (self._is_live_rejected or not self.last_live) else []
        return [one for one in (*named, *self.last_live) if one.release.id not in self.rejected.releases]

    def wanted(self) -> Wanted | None:
        heads = {} if self.head is None else {"M": self.head}
        return desire(heads, self.decisions, {"M": self.last_live}).models.get("M")


numbers = st.integers(1, 4)
serveds = st.builds(served, numbers, st.none() | numbers)
revisions = st.builds(revision, numbers, st.none() | numbers)
heads = st.builds(candidate, st.none() | revisions)
ids = st.frozensets(st.builds(lambda one: one.release.id, serveds) | st.builds(lambda one: one.id, revisions))
runs = st.builds(lambda one: f"run{one}", numbers)
decisions = st.builds(
    Decisions,
    pins=st.none() | st.dictionaries(st.just("M"), serveds),
    rejections=st.none()
    | st.dictionaries(
        st.just("M"), st.builds(Rejected, ids, st.frozensets(st.builds(lambda one: f"run{one}", numbers)), ids)
    ),
    targets=st.none() | st.dictionaries(st.just("M"), serveds),
    artifacts=st.none()
    | st.dictionaries(
        st.builds(lambda one: f"code{one}", numbers),
        st.lists(st.builds(artifact, numbers), max_size=3).map(tuple),
    ),
)
everything = st.builds(Known, st.none() | heads, decisions, st.lists(serveds, max_size=3))


@given(everything)
def test_a_pin_holds_against_everything_and_without_one_a_folder_that_has_gone_is_not_wanted(known: Known) -> None:
    wanted, pin = known.wanted(), (known.decisions.pins or {}).get("M")
    if pin is None:
        assert (wanted is None) == (known.head is None)
    else:
        assert wanted is not None
        assert (wanted.release, wanted.version, wanted.choice) == (*pin, Choice.PINNED)


@given(everything)
def test_nothing_rejected_is_wanted_unless_it_is_pinned(known: Known) -> None:
    wanted = known.wanted()
    if wanted is not None and wanted.release is not None and wanted.choice is not Choice.PINNED:
        stays = wanted.choice is Choice.UNTRAINED and [(wanted.release, wanted.version)] == known.stays
        assert stays or wanted.release.id not in known.rejected.releases


@given(everything)
def test_what_is_wanted_is_the_heads_the_pinned_or_the_newest_that_was_live_and_is_not_rejected(known: Known) -> None:
    wanted = known.wanted()
    if wanted is None or known.head is None or wanted.choice is Choice.PINNED:
        return
    if wanted.choice is Choice.HEAD:
        assert wanted.version == known.head.version
        assert wanted.release is None or wanted.release.revision == known.head.revision
    elif wanted.choice is Choice.UNTRAINED and known.stays:
        assert (wanted.release, wanted.version) == known.stays[0]
    elif known.acceptable:
        assert (wanted.release, wanted.version) == known.acceptable[0]
    else:
        assert wanted.release is None
        assert wanted.withheld


@given(everything)
def test_a_release_of_the_head_has_the_newest_artifact_where_it_trains_and_none_where_it_does_not(known: Known) -> None:
    wanted = known.wanted()
    if wanted is None or wanted.choice is not Choice.HEAD or wanted.release is None:
        return
    trains = wanted.release.revision.code_key is not None
    assert wanted.release.artifact == (known.accepted[0] if trains else None)
    assert wanted.release.run == (known.accepted[0].run if trains else None)


@given(everything)
def test_the_head_is_wanted_unless_something_speaks_against_it(known: Known) -> None:
    if known.head is None or known.head.revision is None or known.decisions.pins:
        return
    trains = known.head.revision.code_key is not None
    untrained = trains and not known.accepted
    release = None if untrained else Release(known.head.revision, known.accepted[0] if trains else None)
    wanted = known.wanted()
    assert wanted is not None
    goes_back = known.is_turned_down and bool(known.acceptable)
    is_head = release is not None and release.id not in known.rejected.releases and not goes_back
    assert (wanted.choice is Choice.HEAD) == is_head
    assert not is_head or wanted == Wanted("M", known.head.version, release)


@given(everything)
def test_a_folder_that_cannot_be_served_fails_unless_what_is_live_was_rejected(known: Known) -> None:
    if known.head is None or known.head.revision is not None or known.decisions.pins:
        return
    wanted = known.wanted()
    assert wanted is not None
    if not known.is_turned_down or wanted.release is None:
        assert wanted.failure is known.head.failure
    assert wanted.withheld is None


@given(everything)
def test_what_trains_is_told_with_its_artifact_whatever_is_live(known: Known) -> None:
    heads = {} if known.head is None else {"M": known.head}
    training = desire(heads, known.decisions, {"M": known.last_live}).training
    if known.head is None or known.head.revision is None or known.head.revision.code_key is None:
        assert training == {}
    else:
        assert training["M"].revision == known.head.revision
        assert training["M"].artifact == next(iter(known.accepted), None)


@given(everything)
def test_where_nothing_is_decided_and_nothing_trains_the_head_is_all_that_counts(known: Known) -> None:
    if known.head is None or (known.head.revision is not None and known.head.revision.code_key is not None):
        return
    wanted = replace(known, decisions=Decisions()).wanted()
    release = None if known.head.revision is None else Release(known.head.revision)
    assert wanted == Wanted("M", known.head.version, release, known.head.failure)


def test_a_model_that_was_never_trained_waits_and_says_how_its_run_stands() -> None:
    known = Known(candidate(revision(code=1)), Decisions(runs={"code1": "running"}), ())
    wanted = known.wanted()
    assert wanted is not None
    assert (wanted.choice, wanted.release, wanted.run) == (Choice.UNTRAINED, None, "running")
    assert "running" in (wanted.withheld or "")


def test_a_change_of_the_code_keeps_what_is_live_until_it_is_trained() -> None:
    live = served(1, of=1)
    known = Known(candidate(revision(2, code=2)), Decisions(artifacts={"code1": (artifact(1),)}), (live,))
    wanted = known.wanted()
    assert wanted is not None
    assert (wanted.release, wanted.version, wanted.choice) == (*live, Choice.UNTRAINED)
    assert wanted.head == Version(9, "c9")


def test_decisions_that_cannot_be_asked_for_are_those_known_last() -> None:
    known = Decisions(pins={"M": served()}, rejections={"M": Rejected(frozenset("r"))}, artifacts={"c": (artifact(1),)})
    assert Decisions(runs={"c": "queued"}).over(known) == replace(known, runs={"c": "queued"})
    nothing = Decisions(pins={}, rejections={}, targets={}, artifacts={})
    assert nothing.over(known) == nothing


def test_a_pin_that_can_be_found_nowhere_keeps_what_is_live_and_else_serves_nothing() -> None:
    pinned = Decisions(pins={}, missing={"M": Version(4, "gone")})
    live = Known(candidate(revision(2)), pinned, (served(1),)).wanted()
    assert live == Wanted("M", *reversed(served(1)), choice=Choice.PINNED, head=Version(9, "c9"))
    nothing = Known(candidate(revision(2)), pinned, ()).wanted()
    assert nothing is not None
    assert (nothing.release, nothing.version, nothing.choice) == (None, Version(4, "gone"), Choice.PINNED)
    assert "v4 (commit gone)" in str(nothing.failure)


def test_what_was_turned_down_is_left_before_the_head_is_tried() -> None:
    """For the head's may be on its way for long, or fail."""
    rejected = Decisions(rejections={"M": Rejected(frozenset({"r3"}))}, targets={"M": served(1)})
    going = Known(candidate(revision(4)), rejected, (served(3), served(2))).wanted()
    assert going is not None
    assert (going.release, going.version, going.choice) == (*served(1), Choice.REJECTED)
    gone = Known(candidate(revision(4)), rejected, (served(1), served(3), served(2))).wanted()
    assert gone == Wanted("M", Version(9, "c9"), Release(revision(4)))


def test_what_was_pinned_after_it_was_turned_down_stays_until_something_newer_is_there() -> None:
    rejected = Decisions(rejections={"M": Rejected(frozenset({"r3"}), pinned=frozenset({"r3"}))})
    newer = Known(candidate(revision(4)), rejected, (served(3), served(2))).wanted()
    assert newer == Wanted("M", Version(9, "c9"), Release(revision(4)))
    untrained = Known(candidate(revision(4, code=4)), rejected, (served(3), served(2))).wanted()
    assert untrained is not None
    assert (untrained.release, untrained.version, untrained.choice) == (*served(3), Choice.UNTRAINED)
    itself = Known(candidate(revision(3)), rejected, (served(3), served(2))).wanted()
    assert itself is not None
    assert (itself.release, itself.version, itself.choice) == (*served(2), Choice.REJECTED)
