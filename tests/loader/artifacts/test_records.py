from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loader.artifacts.files.files import Files
from loader.artifacts.records import RunRecords

KEY = "0123456789ab"


def test_the_first_result_stays(files: Files) -> None:
    records = RunRecords(files)
    assert records.get("Iris", KEY, "result.json") is None
    assert records.put_once("Iris", KEY, "result.json", b"first")
    assert not records.put_once("Iris", KEY, "result.json", b"second")
    assert records.get("Iris", KEY, "result.json") == b"first"


def test_of_many_who_write_the_same_result_one_wins_and_all_read_its(files: Files) -> None:
    ready = threading.Barrier(6)

    def write(number: int) -> tuple[bool, bytes | None]:
        records = RunRecords(files)
        ready.wait(100)
        won = records.put_once("Iris", KEY, "result.json", b"%d" % number)
        return won, records.get("Iris", KEY, "result.json")

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(write, range(6)))
    winner = next(number for number, (won, _) in enumerate(answers) if won)
    assert [won for won, _ in answers].count(True) == 1
    assert {read for _, read in answers} == {b"%d" % winner}


def test_a_log_is_written_again(files: Files) -> None:
    records = RunRecords(files)
    for content in (b"one", b"one two"):
        records.put("Iris", KEY, "log.txt", content)
    assert records.get("Iris", KEY, "log.txt") == b"one two"


def test_runs_are_listed(files: Files) -> None:
    records = RunRecords(files)
    records.put_once("iris", KEY, "a1.json", b"{}")
    records.put_once("iris", KEY, "result.json", b"{}")
    records.put_once("iris", "ba9876543210", "a1.json", b"{}")
    records.put_once("Breast.Cancer", KEY, "a1.json", b"{}")
    found = [(run.model[:13], run.key, run.names) for run in records.list()]
    assert found == [
        ("breast-cancer", KEY, ("a1.json",)),
        ("iris", KEY, ("a1.json", "result.json")),
        ("iris", "ba9876543210", ("a1.json",)),
    ]
    assert [run.key for run in records.list("Breast.Cancer")] == [KEY]
    assert records.list("another") == []
    assert records.names("iris", KEY) == ("a1.json", "result.json")


@pytest.mark.parametrize(("key", "name"), [("../../x", "a"), (KEY, "../x"), (KEY, ""), (KEY, ".hidden"), (KEY, "a/b")])
def test_nothing_of_a_url_becomes_a_path(files: Files, key: str, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a run's file"):
        RunRecords(files).get("Iris", key, name)


def test_several_runs_are_read_at_once_and_what_is_missing_is_none(files: Files) -> None:
    records = RunRecords(files)
    records.put_once("Breast.Cancer", KEY, "a1.json", b"one")
    records.put_once("iris", KEY, "a1.json", b"two")
    listed = records.list()
    assert records.get_each([(run, "a1.json") for run in listed]) == [b"one", b"two"]
    assert records.get_each([(run, "result.json") for run in listed]) == [None, None]
