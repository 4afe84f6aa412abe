"""Keys of a running server."""

from __future__ import annotations

from typing import Any

from tests.serving import TOKEN, Server


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def make_key(server: Server, *, token: str = TOKEN, name: str = "ada", **fields: Any) -> dict[str, Any]:
    """What `POST keys` tells of it, the key among that."""
    answer = server.post("/-/api/keys", {"name": name, **fields}, headers=bearer(token))
    assert answer.status == 201, answer.body
    return dict(answer.json)


def revoke_key(server: Server, id: str, token: str = TOKEN) -> None:
    answer = server.request("DELETE", f"{server.base}/-/api/keys/{id}", headers=bearer(token))
    assert answer.status == 200, answer.body
