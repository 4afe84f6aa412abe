"""Acting on models through the admin API, and looking at what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from core.steering import Deployment
from registry.registry import Registry
from registry.transaction import Transaction
from tests.serving import TOKEN, Answer, Server

T = TypeVar("T")


def act(server: Server, method: str, path: str, body: Any = None) -> Answer:
    """On the admin API, with the admin's token."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    return server.request(method, f"{server.base}/-/api/{path}", content=content, headers=headers)


def live(server: Server, model: str) -> str:
    """The version that answers."""
    return str(server.post(f"/{model}").headers["x-pawl-version"])


def steps(action: Any) -> set[str]:
    return set(action["steps"])


def deployments(server: Server, model: str, url: str = "") -> list[Deployment]:
    """The ledger as the registry has it, the newest first."""
    return _looked_up(server, url, lambda transaction: transaction.deployments.listed(model)[0])


def pinned(server: Server, model: str, url: str = "") -> str:
    """The version that the registry holds it at; empty: none."""
    pin = _looked_up(server, url, lambda transaction: transaction.pins.of(model))
    return "" if pin is None else pin.version


def _looked_up(server: Server, url: str, look: Callable[[Transaction], T]) -> T:
    registry = Registry(url or f"sqlite:///{server.settings.data}/registry.db")
    try:
        with registry.transaction() as transaction:
            return look(transaction)
    finally:
        registry.close()
