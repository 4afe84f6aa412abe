"""Keys of a server that asks for one with each prediction, over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.admin_actions import act
from tests.contract.access.keys import bearer, make_key, revoke_key
from tests.postgres import Postgres
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

MODELS = ("Echo", "Other", "Third")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("keys")
    repo = Repo(home / "models")
    for model in MODELS:
        repo.write(f"{model}/etls.py", echo(model))
    repo.commit()
    return home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home / "data", home / "models", AUTH="keys", GATEWAYS="2", CORS_ORIGINS="*") as server:
        yield server


def predict(server: Server, key: str | None, path: str = "/Echo") -> Any:
    return server.post(path, {"variables": {}}, headers={} if key is None else bearer(key))


def test_a_key_is_told_once_and_kept_as_its_digest(server: Server, home: Path) -> None:
    made = make_key(server, name="shop", scopes=["predict", "view"], rate=9, expires="2100-01-01T00:00:00+01:00")
    key = made.pop("key")
    assert key.startswith(f"pawl_{made['id']}_")
    assert made.items() >= {"name": "shop", "scopes": ["view", "predict"], "models": None, "rate": 9.0}.items()
    listed = server.admin("GET", "/-/api/keys").json
    assert made in listed["items"]
    assert key not in json.dumps(listed)
    assert hashlib.sha256(key.encode()).hexdigest() not in json.dumps(listed)
    secret = key.rpartition("_")[2].encode()
    files = [path for path in (home / "data").rglob("*") if path.is_file() and path.suffix != ".sock"]
    assert not [path for path in files if secret in path.read_bytes()]
    assert secret.decode() not in server.log


def test_without_a_key_no_model_is_asked_and_what_is_served_is_told(server: Server) -> None:
    for path in ("/Echo", "/Echo/", "/Echo/v1", "/Echo/v9", "/Nobody", "/all", "/all?flat=true"):
        for method in ("POST", "GET", "PUT"):
            answer = server.request(method, server.base + path)
            answer.error(401, "key_required")
            assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/", "/openapi.json", "/docs"):
        assert server.get(path).status == 200
    for path in ("/healthz", "/readyz", "/metrics"):
        assert server.request("GET", server.url + path).status == 200


def test_a_key_of_scope_predict_asks_every_model_and_the_admin_token_none(server: Server) -> None:
    key = make_key(server, scopes=["predict"])["key"]
    for path in ("/Echo", "/Echo/", "/Echo/v1", "/all"):
        assert predict(server, key, path).status == 200
    predict(server, key, "/Nobody").error(404, "model_not_found")
    predict(server, TOKEN).error(403, "key_forbidden")
    server.request("GET", server.base + "/-/api/models", headers=bearer(key)).error(403, "key_forbidden")


def test_a_key_for_some_models_gets_those_alone_of_all(server: Server) -> None:
    key = make_key(server, scopes=["predict"], models=["Third", "Echo"])["key"]
    assert list(predict(server, key, "/all").json) == ["Echo", "Third"]
    assert predict(server, key, "/all?flat=true").json["by"] == "Third"
    assert predict(server, key, "/Echo").status == 200
    for path in ("/Other", "/Other/v1", "/Nobody"):
        predict(server, key, path).error(403, "key_forbidden")


def test_a_stream_ends_when_its_key_is_revoked(server: Server) -> None:
    made = make_key(server, scopes=["view"])
    address = f"{server.base}/-/api/events/stream"
    with httpx.stream("GET", address, headers=bearer(made["key"]), timeout=60, trust_env=False) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        revoke_key(server, made["id"])
        assert not any("key_revoked" in line for line in lines)


def test_a_key_that_is_revoked_is_refused_by_every_gateway_once_that_is_answered(server: Server) -> None:
    for _ in range(5):
        made = make_key(server, scopes=["predict"])
        asked = [predict_anew(server, made["key"]) for _ in range(8)]
        assert set(asked) == {200}, "and accepted by every gateway once it is made"
        revoke_key(server, made["id"])
        assert {predict_anew(server, made["key"]) for _ in range(8)} == {401}
    server.request("DELETE", f"{server.base}/-/api/keys/{made['id']}", headers=bearer(TOKEN)).error(
        404, "key_not_found"
    )


def predict_anew(server: Server, key: str) -> int:
    """The status, over a connection of its own: any gateway may take it."""
    head = f"POST {server.settings.base}/Echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    answer = server.send(f"{head}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    assert answer is not None
    return answer.status


def test_requests_under_way_are_answered_while_keys_come_and_go(server: Server) -> None:
    key = make_key(server, scopes=["predict"])["key"]
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(predict(server, key).status for _ in range(50))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for _ in range(10):
        revoke_key(server, make_key(server, scopes=["predict"])["id"])
    for asker in askers:
        asker.join()
    assert statuses == [200] * 150


def test_a_rate_is_used_up_and_the_answer_says_when_to_try_again(server: Server) -> None:
    key = make_key(server, scopes=["predict"], rate=0.01)["key"]
    assert predict(server, key).status == 200
    answer = next(answer for answer in (predict(server, key) for _ in range(9)) if answer.status != 200)
    answer.error(429, "rate_limited")
    assert 50 <= int(answer.headers["retry-after"]) <= 100
    assert answer.headers["access-control-allow-origin"] == "*", "a page may read it"


def test_a_preflight_needs_no_key(server: Server) -> None:
    asks = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    headers = {**asks, "access-control-request-headers": "authorization"}
    answer = server.request("OPTIONS", server.base + "/Echo", headers=headers)
    assert (answer.status, answer.headers["access-control-allow-headers"]) == (200, "authorization")
    answer = server.request("OPTIONS", server.base + "/-/api/keys", headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_documentation_says_that_a_key_is_needed(server: Server) -> None:
    document = server.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer", "description": ANY}
    assert document["security"] == [{"key": []}]


class _Any:
    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ANY = _Any()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x"}, "scopes"),
        ({"name": "", "scopes": ["view"]}, "name"),
        ({"name": " ", "scopes": ["view"]}, "name"),
        ({"name": "x" * 101, "scopes": ["view"]}, "name"),
        ({"name": "a\nb", "scopes": ["view"]}, "name"),
        ({"name": "admin_token ", "scopes": ["view"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "scopes": "view"}, "scopes"),
        ({"name": "x", "scopes": ["view"], "models": ["Echo"]}, "models"),
        ({"name": "x", "scopes": ["predict"], "models": []}, "models"),
        ({"name": "x", "scopes": ["predict"], "models": ["../x"]}, "models"),
        ({"name": "x", "scopes": ["predict"], "rate": 0}, "rate"),
        ({"name": "x", "scopes": ["predict"], "rate": -1}, "rate"),
        ({"name": "x", "scopes": ["predict"], "rate": "1"}, "rate"),
        ({"name": "x", "scopes": ["view"], "expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"name": "x", "scopes": ["view"], "expires": "2100-01-01T00:00:00"}, "expires"),
        ({"name": "x", "scopes": ["view"], "expires": "tomorrow"}, "expires"),
        ({"name": "x", "scopes": ["view"], "expires": "9999-12-31T23:59:59-14:00"}, "expires"),
        ({"name": "x", "scopes": ["view"], "wings": 2}, "wings"),
    ],
)
def test_what_makes_no_key_is_refused_by_name(server: Server, body: dict[str, Any], field: str) -> None:
    answer = server.post("/-/api/keys", body, headers=bearer(TOKEN))
    assert answer.error(422, "invalid_parameter")["field"].split("[")[0] == field


def test_the_end_of_a_key_is_told_in_utc(server: Server) -> None:
    made = make_key(server, name="ends", scopes=["view"], expires="2100-01-01T02:00:00+02:00")
    assert made["expires"] == "2100-01-01T00:00:00Z"


def test_what_is_no_json_is_a_400(server: Server) -> None:
    server.post("/-/api/keys", raw=b"{", headers=bearer(TOKEN)).error(400, "malformed_json")


def test_a_list_of_keys_comes_in_parts_the_newest_first(server: Server) -> None:
    ids = [make_key(server, name=f"part {number}", scopes=["view"])["id"] for number in range(3)][::-1]
    page = server.admin("GET", "/-/api/keys?limit=2").json
    assert [item["id"] for item in page["items"]] == ids[:2]
    rest = server.admin("GET", f"/-/api/keys?limit=1&cursor={page['next']}").json
    assert [item["id"] for item in rest["items"]] == ids[2:]


def test_making_and_revoking_are_events_that_say_who_did_it(server: Server) -> None:
    admin = make_key(server, name="grace", scopes=["admin"])
    made = make_key(server, token=admin["key"], name="short", scopes=["view"])
    revoke_key(server, made["id"], admin["key"])
    for kind in ("key_revoked", "key_created"):
        event = server.events(kind)[0]
        assert event["actor"] == {"kind": "key", "name": "grace", "address": "127.0.0.1"}
        assert made["id"] in event["message"]


def test_a_key_is_revoked_for_a_reason(server: Server) -> None:
    for query, body in (("", {"reason": "lost"}), ("?reason=lost", None)):
        id = make_key(server, scopes=["view"])["id"]
        assert act(server, "DELETE", f"keys/{id}{query}", body).status == 200
        assert server.events("key_revoked")[0]["reason"] == "lost"


def test_a_page_asks_no_model_that_its_key_does_not_cover(server: Server) -> None:
    keys = {
        "view": make_key(server, scopes=["view"]),
        "others": make_key(server, scopes=["view", "predict"], models=["Other"]),
        "it": make_key(server, scopes=["view", "predict"], models=["Echo"]),
        "operate": make_key(server, scopes=["operate"]),
    }
    asked = {}
    for name, made in keys.items():
        headers = {"accept": "text/html", **bearer(made["key"])}
        assert server.get("/-/models/Echo/try", headers=headers).status == 200
        answer = server.request("POST", f"{server.base}/-/models/Echo/try", headers=headers, data={})
        asked[name] = answer.status != 403
    assert asked == {"view": False, "others": False, "it": True, "operate": True}


def test_keys_outlast_a_restart_and_without_the_registry_go_on_reading_and_predicting(home: Path) -> None:
    data, models = home / "away", home / "models"
    with serving(data, models, AUTH="keys") as server:
        both = make_key(server, scopes=["operate", "predict"])["key"]
        other = make_key(server, scopes=["view"])["key"]
    with serving(data, models, AUTH="keys") as server:
        assert predict(server, both).status == 200
        predict(server, None).error(401, "key_required")
    with serving(data, models, AUTH="keys", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as server:
        assert predict(server, both).status == 200
        predict(server, other).error(403, "key_forbidden")
        for key in (both, other):
            assert server.request("GET", server.base + "/-/api/models", headers=bearer(key)).status == 200
        server.post("/-/api/models/Echo/retry", headers=bearer(both)).error(503, "registry_unavailable")
        server.post("/-/api/models/Echo/retry", headers=bearer(other)).error(403, "key_forbidden")
        asked = {"name": "x", "scopes": ["view"]}
        server.post("/-/api/keys", asked, headers=bearer(TOKEN)).error(503, "registry_unavailable")
        assert server.post("/-/api/session", {"key": other}).status == 200


def test_servers_that_share_a_database_know_each_others_keys(home: Path, postgres: Postgres) -> None:
    with ExitStack() as stack:
        settings = {"AUTH": "keys", "DATABASE_URL": postgres.url}
        one, two = (stack.enter_context(serving(home / name, home / "models", **settings)) for name in ("one", "two"))
        made = make_key(one, scopes=["predict", "view"])
        two.wait(lambda: predict(two, made["key"]).status == 200, "the key")
        session = two.post("/-/api/session", {"key": made["key"]})
        cookie = {"cookie": session.headers["set-cookie"].partition(";")[0]}
        assert one.get("/-/api/models", headers=cookie).status == 200, "a session of the other's"
        revoke_key(one, made["id"])
        assert predict(one, made["key"]).status == 401
        two.wait(lambda: predict(two, made["key"]).status == 401, "its end")
        assert two.get("/-/api/models", headers=cookie).status == 401
