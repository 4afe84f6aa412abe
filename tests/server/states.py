"""What the pages and the OpenAPI document are made of, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.manifest.manifest import Manifest
from server.state import LiveRelease, ModelFailure, ModelState, ServerState
from worker.wire.messages import Description

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def description(**fields: Any) -> Description:
    return Description(**{"takes": "dict", "concurrent": True, "why": "its methods change nothing", **fields})


def live(root: Path | str = "/nowhere", *, about: str = "", **fields: Any) -> LiveRelease:
    """A live release; `fields` are those of its description."""
    return LiveRelease(
        version="v3",
        commit=COMMIT,
        release="feedbeef",
        workers=1,
        crashing=False,
        memory_mb=50,
        description=description(**fields),
        manifest=Manifest(description=about),
        root=str(root),
    )


def failure(message: str, *, detail: str = "", version: str = "v4") -> ModelFailure:
    return ModelFailure(version=version, commit="f" * 40, stage="load", message=message, detail=detail, tries=1)


def model(
    name: str, release: LiveRelease | None, *, doing: str | None = None, failed: ModelFailure | None = None
) -> ModelState:
    return ModelState(name=name, live=release, doing=doing, failure=failed)


def state(*models: ModelState, **fields: Any) -> ServerState:
    given: dict[str, Any] = {
        "source": "https://git.example.org/models.git",
        "head": COMMIT,
        "problem": None,
        "ready": True,
        "left_out": {},
        **fields,
    }
    return ServerState(models={one.name: one for one in models}, **given)
