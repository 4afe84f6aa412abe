"""Two editions of Pawl side by side: what their turns say together."""

from __future__ import annotations

import subprocess

import pytest

from bench.against import Comparison, Turn
from bench.contenders.contender import CannotStart
from bench.contenders.edition import OURS, edition_of
from bench.machine.home import ROOT

IS_A_CHECKOUT = (ROOT / ".git").exists()


def turns(*cpu_us: float) -> list[Turn]:
    return [Turn(cpu_us=each, rate=1e6 / each) for each in cpu_us]


def test_each_turn_is_compared_with_the_other_of_its_own_time() -> None:
    compared = Comparison.of("trees", turns(50, 110, 60), turns(50, 100, 50))
    assert compared.cpu.rounds == pytest.approx([1.0, 1.1, 1.2])
    assert compared.cpu.value == pytest.approx(1.1)
    assert compared.rate.value == pytest.approx(1 / 1.1)


def test_what_costs_more_in_every_turn_is_worse() -> None:
    assert Comparison.of("trees", turns(51, 52), turns(50, 50)).is_worse
    assert not Comparison.of("trees", turns(49, 60), turns(50, 50)).is_worse


@pytest.mark.skipif(not IS_A_CHECKOUT, reason="NO git CHECKOUT HERE: there is no other commit")
def test_an_edition_is_the_code_of_its_commit() -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    edition = edition_of("HEAD")
    assert edition.code.name == head.strip()
    assert (edition.code / "server" / "__main__.py").exists()
    assert edition.code != OURS.code


@pytest.mark.skipif(not IS_A_CHECKOUT, reason="NO git CHECKOUT HERE: there is no other commit")
def test_a_commit_that_is_none_is_said() -> None:
    with pytest.raises(CannotStart, match="no such commit"):
        edition_of("nowhere")
