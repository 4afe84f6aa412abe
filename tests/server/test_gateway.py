"""The way of a request through a gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.server.gateways import COMMIT, echoes, gateway


def test_an_answer_says_what_gave_it(tmp_path: Path) -> None:
    async def check() -> None:
        async with gateway(tmp_path) as running, running.client() as client:
            await running.serve(Iris=echoes)
            answer = await client.post("/models/Iris", json={"variables": {"x": 1}})
            assert (answer.status_code, answer.json()) == (200, {"variables": {"x": 1}})
            assert answer.headers["x-pawl-model"] == "Iris"
            assert answer.headers["x-pawl-version"] == "v1"
            assert answer.headers["x-pawl-commit"] == COMMIT
            assert answer.headers["content-type"] == "application/json"

    asyncio.run(check())
