from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import uvloop

from loader.workers.process.relay import Relay
from tests.processes import command_line, descendants


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with suppress(OSError):
                os.close(end)


def test_its_process_has_the_environment_that_it_is_given_and_no_other() -> None:
    async def environment() -> bytes:
        source, writer = os.pipe()
        try:
            with closing(Relay({"GIVEN": "this"})) as relay:
                async with relay.reading(source) as printed:
                    os.write(writer, b"hello")
                    assert await printed.read(5) == b"hello"
                    [pid] = [pid for pid in descendants(os.getpid()) if "relay_program.py" in command_line(pid)]
                    return Path(f"/proc/{pid}/environ").read_bytes()
        finally:
            os.close(source)
            os.close(writer)

    assert asyncio.run(environment()) == b"GIVEN=this\0"


def test_an_output_that_has_ended_does_not_hold_up_those_that_begin() -> None:
    async def test() -> None:
        async with asyncio.timeout(60):
            with closing(Relay({})) as relay, pipe() as (ended, end), pipe() as (silent, _), pipe() as (source, writer):
                async with relay.reading(ended) as first:
                    os.write(end, b"last")
                    assert await first.read(4) == b"last"
                    os.close(end)
                    assert await first.read(1) == b""
                    async with relay.reading(silent) as second, relay.reading(source) as third:
                        waiting = asyncio.ensure_future(second.read(1))
                        await asyncio.sleep(0)
                        os.write(writer, b"hello")
                        assert await third.read(5) == b"hello"
                        waiting.cancel()

    uvloop.run(test())


def test_no_descriptor_of_another_thread_is_closed_with_an_output() -> None:
    lost: list[OSError] = []
    is_over = threading.Event()

    def open_and_close() -> None:
        while not is_over.is_set():
            opened = os.open(os.devnull, os.O_RDONLY)
            try:
                os.close(opened)
            except OSError as error:
                lost.append(error)

    async def test() -> None:
        with closing(Relay({})) as relay, pipe() as (source, _):
            relay.close()  # from now on outputs are read without its process
            for _ in range(1000):
                _, transport = await relay.connect(source)
                transport.close()
                await asyncio.sleep(0)

    threads = [threading.Thread(target=open_and_close) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        uvloop.run(test())
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert lost == []
