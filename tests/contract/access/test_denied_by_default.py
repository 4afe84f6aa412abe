"""Every route that a running server has, asked with no, bad, expired, revoked and each lesser credential.

A new route is denied to whoever shows nothing, or is in `OPEN` with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.keys import new_key_text
from core.paths import (
    API_KEY,
    API_KEYS,
    API_SESSION,
    DOCS,
    INDEX,
    METRICS,
    OPENAPI,
    PAGE_KEY_REVOKE,
    PAGE_KEYS,
    PAGE_SIGN_IN,
    PAGE_SIGN_OUT,
    PAGE_THEME,
    STATIC,
    SYNC,
    HttpPath,
)
from tests.contract.access import routes
from tests.contract.access.keys import bearer, make_key, revoke_key
from tests.contract.access.routes import DAEMON, methods
from tests.repos import Repo
from tests.serving import TOKEN, Answer, Server, echo, serving

OPEN = {
    INDEX: "what is served is no secret",
    DOCS: "neither is how",
    OPENAPI: "neither is how",
    METRICS: "Prometheus has no key; ADMIN_BIND takes it off the public port",
    STATIC: "files of Pawl's own",
    API_SESSION: "whoever signs in has shown nothing yet",
    PAGE_SIGN_IN: "the same",
    PAGE_SIGN_OUT: "ends what the cookie shows, if it shows anything",
    PAGE_THEME: "a cookie of the browser's own",
}
ADMIN_ALONE = {API_KEYS, API_KEY, PAGE_KEYS, PAGE_KEY_REVOKE}
READING_BY_POST = {"/-/models/{model}/try"}
"""Asks a model, and changes nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("denied")
    repo = Repo(home / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    with serving(home / "data", repo.path, WEBHOOK_SECRET="") as server:
        yield server


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key of each scope, and those that are valid no longer."""
    made = {scope: make_key(server, scopes=[scope])["key"] for scope in ("admin", "operate", "view", "predict")}
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    made["expired"] = make_key(server, scopes=["admin"], expires=soon)["key"]
    server.wait(lambda: ask(server, "GET", API_KEYS, made["expired"]).status == 401, "the key's end")
    revoked = make_key(server, scopes=["admin"])
    revoke_key(server, revoked["id"])
    made["revoked"] = revoked["key"]
    made["unknown"] = new_key_text()
    made["not whole"] = made["admin"][:-1]
    made["no key"] = "x"
    return made


def ask(server: Server, method: str, path: HttpPath, key: str | None) -> Answer:
    return routes.ask(server, method, path, {} if key is None else bearer(key))


@pytest.mark.parametrize("path", [path for path in DAEMON if path not in OPEN], ids=lambda path: path.template)
def test_a_route_is_denied_to_whoever_shows_nothing_or_too_little(
    server: Server, keys: dict[str, str], path: HttpPath
) -> None:
    taken = methods(server, path)
    assert taken, "there is no such route"
    for method in taken:
        required = "unauthorized" if path == SYNC else "key_required"
        for credential in (None, *(keys[name] for name in ("expired", "revoked", "unknown", "not whole", "no key"))):
            answer = ask(server, method, path, credential)
            answer.error(401, required)
            assert answer.headers["www-authenticate"] == "Bearer"
        is_reading = method == "GET" or path.template in READING_BY_POST
        needed = "admin" if path in ADMIN_ALONE else "view" if is_reading else "operate"
        ranks = ["predict", "view", "operate", "admin"]
        for scope in ranks:
            is_enough = scope != "predict" and ranks.index(scope) >= ranks.index(needed)
            answer = ask(server, method, path, keys[scope])
            is_refused = answer.status == 403 and answer.code == "key_forbidden"
            assert is_refused != is_enough, (method, scope, answer)
            assert answer.status not in (401, 500), (method, scope, answer)


@pytest.mark.parametrize("path", OPEN, ids=lambda path: path.template)
def test_a_route_that_is_open_is_there(server: Server, path: HttpPath) -> None:
    assert methods(server, path)


def test_admin_token_is_a_key_of_scope_admin(server: Server) -> None:
    assert server.request("GET", server.base + "/-/api/keys", headers=bearer(TOKEN)).status == 200
