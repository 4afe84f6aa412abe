from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.manifest.manifest import Manifest
from core.release import Release, Revision, Version
from loader.controller.live_recorder import LiveRecorder
from loader.controller.routes import Live
from loader.known_models import KnownModels
from loader.releases.live_file import LiveFile
from tests.loader.pools import Shown, run, until


def live(model: str, number: int = 1) -> Any:
    release = Release(Revision(model, f"{number:020x}", Manifest(), {model: "tree"}))
    return Live(Version(number, "c" * 40), SimpleNamespace(release=release))  # type: ignore[arg-type]


def written(path: Path) -> dict[str, int]:
    return {model: version.number for model, (_, version) in LiveFile(path, "here").live().items()}


def recorder(path: Path, shown: Shown, seen: Any, **more: float) -> LiveRecorder:
    live_file = LiveFile(path, "here")
    return LiveRecorder(shown, live_file, KnownModels(live_file), seen, **more)


def test_what_was_shown_is_written_down_by_then(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "live.json"
        routes = recorder(path, Shown(), lambda: ({}, {}))
        await asyncio.gather(*(routes.show(f"M{number}", live(f"M{number}")) for number in range(20)))
        assert len(written(path)) == 20
        await routes.hide("M0", "it is being replaced")
        assert "M0" in written(path)
        await routes.hide("M0", None)
        assert "M0" not in written(path)
        await routes.close()

    run(test())


def test_a_disk_that_is_full_holds_up_no_swap_is_told_of_once_and_gets_all_when_it_has_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        path = tmp_path / "live.json"
        tries: list[None] = []

        def seen() -> tuple[dict[str, list[str]], dict[str, int]]:
            tries.append(None)
            return {}, {}

        routes = recorder(path, shown := Shown(), seen, again_s=0.01)
        in_the_way = path.with_suffix(".tmp")
        in_the_way.mkdir()
        first = asyncio.create_task(routes.show("M1", live("M1")))
        await until(lambda: len(tries) > 3)
        await routes.show("M2", live("M2", 7))
        assert set(shown.live) == {"M1", "M2"}
        assert written(path) == {}
        in_the_way.rmdir()
        await first
        await until(lambda: written(path) == {"M1": 1, "M2": 7})
        assert len([record for record in caplog.records if "can't be written" in record.getMessage()]) == 1
        await routes.close()

    run(test())
