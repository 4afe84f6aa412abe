from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.attempt.run_log import LAST_BYTES, RunLog, read_end, read_log, ring_of


def written(path: Path, pieces: list[bytes], most: int) -> bytes:
    log = RunLog(path, most)
    for piece in pieces:
        log.write(piece)
    while_open = read_log(path, most)
    log.close()
    assert read_log(path, most) == while_open
    return while_open


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_what_fits_is_kept_as_it_came(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert written(Path(folder) / "log.txt", pieces, 2000) == b"".join(pieces)


@pytest.mark.parametrize("size", [1, 7, 99, 100, 101, 1000])
def test_the_first_and_the_last_are_kept_and_the_middle_is_told(tmp_path: Path, size: int) -> None:
    text = b"".join(b"%06d\n" % number for number in range(1000))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    kept = written(tmp_path / "log.txt", pieces, 200)
    head, told, tail = kept[:100], kept[100:].split(b"\n")[1], kept[100:].split(b" ...\n")[1]
    assert head == text[:100]
    assert text.endswith(tail)
    assert told == b"... %d bytes are left out here ..." % (len(text) - 100 - len(tail))
    assert len(tail) > 80


def test_it_takes_no_more_of_the_disk_than_it_may(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "log.txt", 2**16)
    for _ in range(100):
        log.write(b"y" * 10_000)
    sizes = [path.stat().st_size for path in (tmp_path / "log.txt", ring_of(tmp_path / "log.txt"))]
    assert sum(sizes) <= 2**16 + 8
    log.close()
    assert not ring_of(tmp_path / "log.txt").exists()


def test_nothing_is_read_where_nothing_was_printed(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.txt", 100) == b""


def test_the_end_of_a_log_is_whole_lines_of_it(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert read_end(path, 2**20) == ""
    written(path, [b"%04d a line\n" % number for number in range(1000)], 2**20)
    lines = read_end(path, 2**20).splitlines()
    assert (lines[-1], len(lines)) == ("0999 a line", LAST_BYTES // 12)
    written(path, [b"x" * 10_000], 2**20)
    assert read_end(path, 2**20) == "x" * LAST_BYTES
