from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.events import Actor
from server.steering.actions.actions import Actions
from server.uploads.errors import StillUnderWay, TooManyUploads
from server.uploads.intake import Intake
from server.uploads.submission import Author, Uploaded
from server.uploads.uploads import MOST_UNDER_WAY, Uploads
from tests.loader.pools import until


class Held:
    """Proves nothing until it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def make(self, change: Any, event: Any) -> Uploaded:
        await self.go.wait()
        return Uploaded(model=change.model, commit="c", release=None, changed=True)


async def zipped() -> AsyncIterator[bytes]:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("etls.py", "")
    yield held.getvalue()


def test_what_waits_to_be_proven_is_bounded(tmp_path: Path) -> None:
    async def test() -> None:
        maker, reconciler = Held(), SimpleNamespace(known=SimpleNamespace(heads={}))
        intake = Intake(tmp_path / "uploads", 2**20)
        uploads = Uploads(cast(Any, None), cast(Any, reconciler), intake, cast(Any, maker), Actions())
        author = Author(Actor(kind="key", name="ci"), "a test", "")
        for _ in range(MOST_UNDER_WAY):
            with pytest.raises(StillUnderWay):
                await uploads.put("Echo", zipped(), author, wait_s=0)
        with pytest.raises(TooManyUploads, match="16 changes wait to be proven"):
            await uploads.put("Echo", zipped(), author, wait_s=0)
        maker.go.set()
        await until(lambda: not list((tmp_path / "uploads").iterdir()))
        assert (await uploads.put("Echo", zipped(), author)).changed

    asyncio.run(test())
