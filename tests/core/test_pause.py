from __future__ import annotations

import asyncio

from core.pause import LEAST_S, Pause

FOR_EVER_S = 1e6


def test_what_is_said_before_during_and_after_a_pause_ends_one() -> None:
    async def test() -> None:
        pause = Pause()
        pause.hasten()
        await pause.wait(FOR_EVER_S)
        waiting = asyncio.create_task(pause.wait(FOR_EVER_S))
        await asyncio.sleep(0)
        assert not waiting.done()
        pause.hasten()
        await waiting
        pause.hasten()
        await pause.wait(FOR_EVER_S)

    asyncio.run(asyncio.wait_for(test(), 60))


def test_it_ends_by_itself_and_what_ended_one_does_not_end_the_next() -> None:
    async def test() -> None:
        pause = Pause()
        pause.hasten()
        await pause.wait(FOR_EVER_S)
        waiting = asyncio.create_task(pause.wait(FOR_EVER_S))
        await Pause().wait(2 * LEAST_S)
        assert not waiting.done()
        waiting.cancel()

    asyncio.run(asyncio.wait_for(test(), 60))
