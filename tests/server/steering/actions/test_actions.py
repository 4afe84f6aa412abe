"""What is known of actions while they go on and after."""

from __future__ import annotations

import asyncio

import msgspec

from core.events import Actor
from server.steering.actions.actions import Action, Actions, ActionState, new_action

ADA = Actor(kind="key", name="ada")


def test_one_that_goes_on_is_known_however_many_come_after_it_and_told_once_it_is_over() -> None:
    async def test() -> None:
        actions = Actions(most=2)
        first = actions.put(new_action("pin", "Price", ADA, ""))
        waiting = asyncio.create_task(actions.over(first.id))
        await asyncio.sleep(0)
        earlier, *later = [actions.put(over()) for _ in range(3)]
        assert [actions.find(one.id) for one in (first, earlier, *later)] == [first, None, *later]
        actions.put(msgspec.structs.replace(first, state=ActionState.DONE))
        assert (await waiting).state is ActionState.DONE
        assert [actions.find(one.id) is None for one in (first, *later)] == [False, True, False]

    asyncio.run(test())


def over() -> Action:
    return msgspec.structs.replace(new_action("load", "Price", ADA, ""), state=ActionState.DONE)
