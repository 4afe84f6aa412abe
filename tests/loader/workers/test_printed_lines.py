from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loader.workers.printed_lines import PrintedLines


def test_lines_are_told_newest_first_and_followed_in_order() -> None:
    lines = PrintedLines()
    for number in range(5):
        lines.add("A", "ab"[number % 2], str(number))
    lines.add("B", "a", "other")
    assert [line.line for line in lines.newest("A")] == ["4", "3", "2", "1", "0"]
    assert [line.line for line in lines.newest("A", "b")] == ["3", "1"]
    third = lines.newest("A")[2]
    assert [line.line for line in lines.newest("A", before=third.id, most=1)] == ["1"]
    assert [line.line for line in lines.after(third.id, "A")] == ["3", "4"]
    assert lines.newest("A", since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_lines_are_bounded_in_number_and_in_size_for_each_release() -> None:
    lines = PrintedLines()
    for number in range(5000):
        lines.add("A", "a", str(number))
    lines.add("A", "b", "kept")
    assert len(lines.newest("A", "a", most=10_000)) == 2000
    for _ in range(500):
        lines.add("A", "a", "x" * 2000)
    assert sum(len(line.line) for line in lines.newest("A", "a", most=10_000)) <= 256 * 1024
    assert [line.line for line in lines.newest("A", "b")] == ["kept"]


def test_the_releases_that_printed_last_are_kept() -> None:
    lines = PrintedLines()
    for number in range(500):
        lines.add("A", f"{number}", "x")
    assert len(lines.newest("A", most=1000)) == 400
    assert lines.newest("A", "0") == []
