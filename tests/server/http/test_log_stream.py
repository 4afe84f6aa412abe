from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import pytest

from server.http.log_stream import follow
from trainer.attempt.run_log import RunLog
from trainer.catalogue.followed_log import FollowedLog

MOST = 4000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def test_what_is_printed_before_the_end_is_sent_though_the_end_is_seen_first(path: Path) -> None:
    printed = RunLog(path, MOST)
    followed = FollowedLog(path, MOST)
    left = [b"last words\n"]

    def is_going_on() -> bool:
        if left:
            printed.write(left.pop())  # between the question and the answer
        return False

    async def test() -> list[bytes]:
        return [piece async for piece in follow(followed, is_going_on)]

    assert asyncio.run(test()) == [b"last words\n"]
    printed.close()
    followed.close()


def test_a_stream_ends_after_silence_though_the_run_goes_on(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(b"one\n")
    followed = FollowedLog(path, MOST)

    async def test() -> list[bytes]:
        return [piece async for piece in follow(followed, lambda: True, now=count(step=20).__next__)]

    assert asyncio.run(test()) == [b"one\n"]
    assert followed.at == 4, "from where the reader goes on"
    printed.close()
    followed.close()


def test_a_stream_that_never_falls_silent_ends_after_a_long_time(path: Path) -> None:
    printed = RunLog(path, MOST)
    followed = FollowedLog(path, MOST)

    def is_going_on() -> bool:
        printed.write(b"x")
        return True

    async def test() -> int:
        return sum([len(piece) async for piece in follow(followed, is_going_on, now=count(step=100).__next__)])

    assert 1 <= asyncio.run(test()) <= 10
    printed.close()
    followed.close()


def test_a_stream_ends_where_more_was_printed_than_is_kept(path: Path) -> None:
    printed = RunLog(path, MOST)
    printed.write(b"x" * MOST)
    followed = FollowedLog(path, MOST)

    async def test() -> int:
        size = 0
        async for piece in follow(followed, lambda: True):
            size += len(piece)
            printed.write(b"y" * MOST)
        return size

    assert asyncio.run(test()) == MOST // 2
    printed.close()
    followed.close()
