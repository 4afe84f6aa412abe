"""What all connections of a server have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from gateway.http.bodies import BodyBudget
from gateway.http.exchange import Answerer, Exchange
from gateway.http.limits import Limits
from gateway.http.refusals import Refused


class Application(Protocol):
    """Who answers."""

    def route(self, exchange: Exchange) -> Answerer:
        """Who answers a request of which only the head has come. Raises Refused where nobody does."""


class Client(Protocol):
    """A connection, as the server looks after it."""

    def sweep(self) -> None:
        """Look at the time: end what has lasted too long."""

    def stop(self) -> None:
        """Answer what has come, then close."""

    def cut(self, refused: Refused) -> None:
        """Answer what has come with `refused`, and close."""


@dataclass
class Shared:
    """One for each server."""

    application: Application
    bodies: BodyBudget
    limits: Limits
    date: bytes
    """The header's line."""
    connections: set[Client] = field(default_factory=set)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last connection closes."""
    is_stopping: bool = False
