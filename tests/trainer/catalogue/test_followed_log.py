from __future__ import annotations

from pathlib import Path

import pytest

from trainer.attempt.run_log import RunLog, ring_of
from trainer.catalogue.followed_log import FollowedLog, Overtaken

MOST = 4000


def rest(followed: FollowedLog) -> bytes:
    found = b""
    while piece := followed.read():
        found += piece
    return found


def lines(first: int, last: int) -> bytes:
    return b"".join(b"line %05d\n" % number for number in range(first, last))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def test_a_reader_gets_what_is_printed_as_it_is_printed_past_the_half_that_is_cut(path: Path) -> None:
    printed = RunLog(path, MOST)
    followed = FollowedLog(path, MOST)
    for number in range(1000):
        printed.write(lines(number, number + 1))
        assert rest(followed) == lines(number, number + 1)
    printed.close()
    assert not ring_of(path).exists()
    assert rest(followed) == b""
    assert followed.at == 11_000
    followed.close()


def test_what_came_just_before_the_end_is_read_after_the_files_are_gone(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(lines(0, 200))
    followed = FollowedLog(path, MOST)
    assert rest(followed) == lines(0, 200)
    printed.write(lines(200, 220))
    printed.close()
    path.unlink()
    assert rest(followed) == lines(200, 220)
    followed.close()


def test_a_reader_who_comes_after_the_end_gets_all_that_was_kept(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(lines(0, 300))
    printed.close()
    followed = FollowedLog(path, MOST)
    assert rest(followed) == lines(0, 300)
    followed.close()


def test_a_reader_who_was_cut_off_goes_on_where_it_was(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(lines(0, 250))
    for offset in (0, 5, 1999, 2000, 2001, 2750):
        followed = FollowedLog(path, MOST, offset)
        assert (followed.at, rest(followed)) == (offset, lines(0, 250)[offset:])
        followed.close()
    followed = FollowedLog(path, MOST, 10**9)
    assert followed.at == 2750
    followed.close()
    printed.close()


def test_a_reader_who_is_overtaken_is_told_and_goes_on_with_what_is_kept(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(lines(0, 220))
    followed = FollowedLog(path, MOST)
    assert rest(followed) == lines(0, 220)
    printed.write(lines(220, 5000))
    with pytest.raises(Overtaken):
        followed.read()
    followed.close()
    later = FollowedLog(path, MOST, followed.at)
    place = later.at
    assert place > followed.at
    assert rest(later) == lines(0, 5000)[place:]
    later.close()
    printed.close()
