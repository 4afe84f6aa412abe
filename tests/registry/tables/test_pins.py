from __future__ import annotations

from dataclasses import dataclass

import msgspec

from core.events import Actor
from core.steering import Pin, Rejection
from registry.registry import Registry

ADA = Actor(kind="key", name="ada", address="10.0.0.1")
PIN = Pin(model="Iris", release="a" * 64, version="v3", commit="c" * 40, run="0123456789ab", actor=ADA, reason="works")


def test_a_pin_comes_back_as_it_was_put_and_another_takes_its_place(registry: Registry) -> None:
    newer = msgspec.structs.replace(PIN, release="b" * 64, actor=None)
    with registry.transaction() as transaction:
        transaction.pins.put(PIN)
        transaction.pins.put(Pin(model="Other", release="o"))
    with registry.transaction() as transaction:
        assert transaction.pins.of("Iris") == PIN
        transaction.pins.put(newer)
        assert transaction.pins.of("Iris") == newer
        assert set(transaction.pins.all()) == {"Iris", "Other"}


def test_a_pin_is_lifted_once(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.pins.put(PIN)
        assert [transaction.pins.lift("Iris"), transaction.pins.lift("Iris")] == [True, False]
        assert transaction.pins.of("Iris") is None


def test_what_a_transaction_did_before_it_failed_is_not_done(registry: Registry) -> None:
    try:
        with registry.transaction() as transaction:
            transaction.pins.put(PIN)
            raise Changed
    except Changed:
        pass
    with registry.transaction() as transaction:
        assert transaction.pins.all() == {}


def test_rejections_of_a_model_come_newest_first_each_release_once(registry: Registry) -> None:
    first, second = (Rejection(model="Iris", release=release, reason="worse", actor=ADA) for release in "ab")
    second = msgspec.structs.replace(second, to_release="z", to_version="v1", to_commit="d" * 40, to_run="0123456789ab")
    with registry.transaction() as transaction:
        for rejection in (first, Rejection(model="Other", release="a"), second, second):
            transaction.rejections.put(rejection)
        assert transaction.rejections.all("Iris") == [second, first]
        assert len(transaction.rejections.all()) == 3
        transaction.rejections.mark_pinned("Iris", "b", second.at)
        assert transaction.rejections.all("Iris") == [msgspec.structs.replace(second, pinned_at=second.at), first]
        transaction.rejections.put(second)
        assert [transaction.rejections.lift("Iris", "a"), transaction.rejections.lift("Iris", "a")] == [True, False]
        assert transaction.rejections.all("Iris") == [second]


@dataclass
class Changed(Exception):
    """What an action finds out while it acts."""
