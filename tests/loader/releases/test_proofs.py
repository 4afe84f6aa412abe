from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.manifest.manifest import Manifest
from core.release import Release, Revision
from loader.releases.proofs import Answered, Proof, ProofStore

NOW = datetime(2026, 6, 21, tzinfo=UTC)


def release(number: int = 1, model: str = "A") -> Release:
    return Release(Revision(model, f"{number:020x}", Manifest(), {}))


def test_what_came_of_a_start_is_kept_and_the_next_takes_its_place(tmp_path: Path) -> None:
    store = ProofStore(tmp_path)
    assert store.get("A", release().id) is None
    store.put(release(), Proof(at=NOW, failed=1))
    proof = Proof(at=NOW, environment="e", packages={"numpy": "2"}, answers=[Answered(variables={"a": 1}, answer=[2])])
    store.put(release(), proof)
    assert store.get("A", release().id) == proof
    assert store.get("B", release().id) is None


def test_only_so_many_are_kept_and_large_answers_are_left_out(tmp_path: Path) -> None:
    store = ProofStore(tmp_path)
    answers = [Answered(answer="x" * 30_000) for _ in range(5)]
    for number in range(55):
        store.put(release(number), Proof(at=NOW, passed=5, answers=answers if number == 54 else []))
        os.utime(tmp_path / "A" / f"{number:020x}.json", (number, number))
    store.put(release(300), Proof(at=NOW))
    assert len(list((tmp_path / "A").iterdir())) == 50
    assert store.get("A", release(3).id) is None
    kept = store.get("A", release(54).id)
    assert kept is not None
    assert (kept.passed, len(kept.answers)) == (5, 2)


@pytest.mark.parametrize("content", [b"", b"{", b'{"at": 1}', b"[" * 100_000, b"\xff"])
def test_one_that_can_not_be_read_counts_as_none(tmp_path: Path, content: bytes) -> None:
    store = ProofStore(tmp_path)
    store.put(release(), Proof(at=NOW))
    (tmp_path / "A" / f"{release().id}.json").write_bytes(content)
    assert store.get("A", release().id) is None


@pytest.mark.parametrize(
    ("model", "id"), [("..", "a" * 20), ("A/../B", "a" * 20), ("A", "../x"), ("A", "a\n"), ("", "")]
)
def test_nothing_beside_the_folder_is_read(tmp_path: Path, model: str, id: str) -> None:
    assert ProofStore(tmp_path).get(model, id) is None


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ProofStore(tmp_path / "file").put(release(), Proof(at=NOW))


def test_models_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    store = ProofStore(tmp_path / "proofs")
    store.prune_models({"A"})
    for model in ("A", "B"):
        store.put(release(model=model), Proof(at=NOW))
    store.prune_models({"A", "C"})
    assert store.get("A", release().id) is not None
    assert store.get("B", release().id) is None
