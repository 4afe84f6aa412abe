"""Routes of keys and sessions."""

from __future__ import annotations

from core import paths
from server.http.admin_openapi import shapes
from server.http.admin_openapi.operations import Operation, Reply, listed, text
from server.http.api.askers import Reasoned
from server.http.api.keys_api import NewKey
from server.http.api.lists import MOST
from server.http.api.session_api import Shown

KEYS: tuple[Operation, ...] = (
    Operation(
        "get",
        paths.API_KEYS,
        "Lists the keys that were not revoked, the newest first.",
        "admin",
        {200: Reply(shapes.KeyList)},
        parameters=listed(MOST, 100),
    ),
    Operation(
        "post",
        paths.API_KEYS,
        "Makes a key, which this answer alone tells.",
        "admin",
        {201: Reply(shapes.MadeKey)},
        errors=("registry_unavailable", "too_many_keys"),
        body=NewKey,
    ),
    Operation(
        "delete",
        paths.API_KEY,
        "Revokes a key.",
        "admin",
        {200: Reply(shapes.RevokedKey)},
        errors=("key_not_found", "registry_unavailable", "malformed_json"),
        parameters=(text("reason", "Why, for those who ask later."),),
        body=Reasoned,
    ),
    Operation(
        "post",
        paths.API_SESSION,
        "Signs a browser in, by a key or a one-time code.",
        "none",
        {200: Reply(shapes.Session)},
        errors=("rate_limited",),
        body=Shown,
    ),
    Operation("delete", paths.API_SESSION, "Signs a browser out.", "none", {200: Reply(shapes.SignedOut)}),
)
