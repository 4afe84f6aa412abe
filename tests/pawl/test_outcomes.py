from __future__ import annotations

from pawl.sync.outcomes import Outcome, Synced, since


def synced(**states: str) -> Synced:
    return Synced("head", {name: Outcome(state, "v2") for name, state in states.items()})


def states(found: Synced) -> dict[str, str]:
    return {name: one.state for name, one in found.models.items()}


def test_what_went_live_between_two_askings_is_told_live() -> None:
    assert states(since(synced(A="pending", B="live"), synced(A="unchanged", B="unchanged"))) == {
        "A": "live",
        "B": "live",
    }


def test_what_was_so_all_along_is_told_unchanged() -> None:
    assert states(since(synced(A="unchanged"), synced(A="unchanged"))) == {"A": "unchanged"}
    assert states(since(Synced("", {}), synced(A="unchanged"))) == {"A": "unchanged"}


def test_what_went_away_between_two_askings_is_told_removed() -> None:
    assert states(since(synced(A="pending", B="removed"), synced(C="live"))) == {
        "A": "removed",
        "B": "removed",
        "C": "live",
    }


def test_a_failure_that_is_mended_meanwhile_is_none() -> None:
    assert not since(synced(A="failed"), synced(A="live")).failed
    assert since(synced(A="live"), synced(A="failed")).failed


def test_as_long_as_the_server_has_not_looked_what_it_told_before_holds() -> None:
    assert states(since(synced(A="pending"), Synced("head", {}))) == {"A": "pending"}


def test_a_repository_that_can_not_be_read_is_a_failure() -> None:
    assert Synced("head", {}, "no route to it").failed
