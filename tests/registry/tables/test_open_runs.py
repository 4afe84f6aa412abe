from __future__ import annotations

from registry.registry import Registry


def test_what_a_person_asked_for_stays_asked_for_whatever_is_told_of_it(registry: Registry) -> None:
    with registry.transaction() as transaction:
        asked = transaction.open_runs.ask("a" * 12, "queued")
        transaction.open_runs.tell({"a" * 12: "running", "b" * 12: "running"})
        [first, second] = transaction.open_runs.all()
    assert (first.asked_at, first.state) == (asked.asked_at, "running")
    assert (second.asked_at, second.state) == (None, "running")


def test_what_is_asked_for_again_meanwhile_is_not_forgotten(registry: Registry) -> None:
    with registry.transaction() as transaction:
        seen = transaction.open_runs.ask("a" * 12, "queued")
        again = transaction.open_runs.ask("a" * 12, "queued again")
        transaction.open_runs.tell({"b" * 12: "running"})
        transaction.open_runs.forget([seen])
        assert [row.state for row in transaction.open_runs.all()] == ["queued again", "running"]
        transaction.open_runs.forget([again, *transaction.open_runs.all()[1:]])
        assert transaction.open_runs.all() == []
        transaction.open_runs.forget([])
