"""What the Dockerfile says, for tests that need no Docker."""

from __future__ import annotations

import json
import re
import shlex

from tests.serving import ROOT


def instruction(name: str) -> str:
    """The last instruction of that name, what continues it on further lines included."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    return [line.removeprefix(f"{name} ") for line in text.splitlines() if line.startswith(f"{name} ")][-1]


def environment() -> dict[str, str]:
    """The variables that the image sets."""
    return dict(part.split("=", 1) for part in shlex.split(instruction("ENV")))


def health_command() -> list[str]:
    command: list[str] = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    return command


def ignored_exceptions() -> list[str]:
    """What .dockerignore lets into the image."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line.removeprefix("!") for line in lines if line.startswith("!")]
