from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path

from loader.workers.process.relay import Relay
from tests.serving import command_line, descendants


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
