"""A pin that is asked for while something is killed, and what was found after the kills."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import httpx

from tests.admin_actions import act
from tests.serving import Server


@dataclass
class Killed:
    """What was found after the kills."""

    kills: int = 0
    acknowledged: int = 0
    committed: int = 0
    """Not acknowledged, and done all the same: the intent had been written down."""
    wrong: list[str] = field(default_factory=list)


class Pinning(threading.Thread):
    """Asks for a pin; `status` is None where no answer came."""

    def __init__(self, server: Server, version: str) -> None:
        super().__init__(daemon=True)
        self.status: int | None = None
        self._server, self._version = server, version
        self.start()

    def run(self) -> None:
        try:
            self.status = act(self._server, "PUT", "models/Echo/pin", {"version": self._version}).status
        except httpx.HTTPError:
            self.status = None
