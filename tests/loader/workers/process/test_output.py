from __future__ import annotations

import asyncio
import logging

import pytest

from loader.workers.process.output import Output


def said(caplog: pytest.LogCaptureFixture, *pieces: bytes, burst: int = 500) -> tuple[Output, list[str]]:
    """What is logged of a worker that prints `pieces` and closes."""
    output = Output("Model", burst)

    async def pump() -> None:
        stream = asyncio.StreamReader()
        for piece in pieces:
            stream.feed_data(piece)
        stream.feed_eof()
        await output.pump(stream)

    with caplog.at_level(logging.INFO, "pawl.model"):
        asyncio.run(pump())
    return output, [record.getMessage() for record in caplog.records]


def test_lines_are_logged_with_the_models_name(caplog: pytest.LogCaptureFixture) -> None:
    assert said(caplog, b"one\ntwo", b"\nthr", b"ee")[1] == ["Model: one", "Model: two", "Model: three"]


def test_control_characters_reach_no_terminal(caplog: pytest.LogCaptureFixture) -> None:
    assert said(caplog, b"\x1b[31mred\x00\r\x9b\n")[1] == ["Model: \ufffd[31mred\ufffd\ufffd\ufffd"]


def test_what_has_no_end_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    _, lines = said(caplog, b"x" * 100_000)
    assert max(map(len, lines)) <= 2_000 + len("Model: ")


def test_lines_over_the_bound_are_counted_and_the_last_ones_kept_for_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    output, lines = said(caplog, b"".join(b"%d\n" % number for number in range(1_000)), burst=10)
    logged = [line for line in lines if line.removeprefix("Model: ").isdigit()]
    assert 10 <= len(logged) < 80
    left_out = [int(word) for line in lines if "left out" in line for word in line.split() if word.isdigit()]
    assert len(logged) + sum(left_out) == 1_000
    assert output.lines == 1_000
    assert output.last_lines().splitlines()[-1] == "999"
    assert len(output.last_lines().splitlines()) == 60
