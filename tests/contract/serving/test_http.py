"""Routes, methods, headers and errors, as a client sees them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator

import pytest

from tests.repos import Repo
from tests.serving import Answer, Server, echo, serving

FAILS = '''
class Fails:
    """Fails when it is told to."""

    def transform_predict(self, variables):
        if "exit" in variables:
            raise SystemExit(variables["exit"])
        raise ValueError("no " + str(variables.get("what")))
'''

NOTHING_LIVE = "1 / 0\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("http") / "models")
    repo.write("Echo/etls.py", echo("one"))
    repo.write("Fails/etls.py", FAILS)
    repo.write("Described/etls.py", echo("described"))
    repo.write("Described/model.yaml", "description: Says what it is told.\n")
    repo.write("a.b_c-1/etls.py", echo("odd"))
    repo.write("NotLive/etls.py", NOTHING_LIVE)
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


@pytest.mark.parametrize("path", ["/Echo", "/Echo/", "/Echo/v1", "/Echo/v1/"])
def test_post_scores_and_says_what_answered(server: Server, repo: Repo, path: str) -> None:
    answer = server.post(path, {"variables": {"say": "hello"}})
    assert (answer.status, answer.json) == (200, {"said": "hello", "by": "one"})
    _check_says_what_answered(answer, "Echo", repo.head)
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize("path", ["/Echo", "/Echo/v1"])
def test_get_scores_without_variables_and_is_not_to_be_stored(server: Server, repo: Repo, path: str) -> None:
    answer = server.get(path)
    assert (answer.status, answer.json) == (200, {"said": None, "by": "one"})
    assert answer.headers["cache-control"] == "no-store"
    _check_says_what_answered(answer, "Echo", repo.head)


def test_head_is_get_without_the_body(server: Server) -> None:
    for path in ("/Echo", "/all", "/"):
        answer, whole = (server.request(method, server.base + path) for method in ("HEAD", "GET"))
        assert (answer.status, answer.body) == (200, b""), path
        assert answer.headers["content-length"] == str(len(whole.body)), path


def test_a_failure_of_the_model_says_its_message_and_an_id_and_no_traceback(server: Server, repo: Repo) -> None:
    answer = server.post("/Fails", {"variables": {"what": "luck"}})
    error = answer.error(500, "model_error")
    assert error["message"] == "ValueError: no luck"
    assert not re.search(rb"etls\.py|Traceback|transform_predict", answer.body)
    _check_says_what_answered(answer, "Fails", repo.head)
    server.wait(lambda: error["error_id"] in server.log, "the error id in the log")
    found = next(event for event in server.events("request_failed") if error["error_id"] in event["message"])
    assert "etls.py" in found["detail"]
    assert "ValueError: no luck" in found["detail"]


def test_a_model_that_asks_to_exit_fails_that_request_alone(server: Server) -> None:
    assert "SystemExit" in server.post("/Fails", {"variables": {"exit": 3}}).error(500, "model_error")["message"]
    server.post("/Fails").error(500, "model_error")


def test_a_model_that_is_not_live_answers_503_and_when_to_ask_again(server: Server) -> None:
    answer = server.post("/NotLive")
    assert "NotLive" in answer.error(503, "not_live")["message"]
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "path", ["/Nobody", "/echo", "/Nobody/v1", "/%2e%2e", "/%00", "/%E2%82%AC", "/%ff", "/Echo;x", "/" + "x" * 10_000]
)
def test_an_unknown_model_is_not_found(server: Server, path: str) -> None:
    answer = server.send(_request(server, "POST", path))
    assert answer is not None
    assert len(answer.error(404, "model_not_found")["message"]) < 300


@pytest.mark.parametrize("path", ["/Echo/v1/more", "/Echo//", "/Echo/../Fails", "//Echo", "/all/v1", "/-/nothing"])
def test_a_path_that_leads_nowhere_is_not_found(server: Server, path: str) -> None:
    answer = server.send(_request(server, "POST", path))
    assert answer is not None
    answer.error(404, "not_found")


@pytest.mark.parametrize("url", ["/", "/favicon.ico", "/models_servex/Echo", "/Echo", "/healthz/", "/models_serv"])
def test_what_is_beside_the_base_path_is_not_found(server: Server, url: str) -> None:
    server.request("GET", server.url + url).error(404, "not_found")


@pytest.mark.parametrize("path", ["/Echo", "/Echo/v1", "/Fails", "/NotLive", "/all"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_model_takes_get_head_and_post(server: Server, method: str, path: str) -> None:
    answer = server.request(method, server.base + path)
    if path == "/NotLive":
        assert answer.status in (405, 503)
        return
    answer.error(405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/", "GET, HEAD"),
        ("POST", "", "GET, HEAD"),
        ("PUT", "/docs", "GET, HEAD"),
        ("GET", "/-/sync", "POST"),
        ("DELETE", "/-/api/models", "GET, HEAD"),
    ],
)
def test_routes_beside_the_models_say_what_they_allow(server: Server, method: str, path: str, allow: str) -> None:
    answer = server.request(method, server.base + path)
    answer.error(405, "method_not_allowed")
    assert sorted(answer.headers["allow"].split(", ")) == allow.split(", ")


def test_the_metrics_say_what_they_allow(server: Server) -> None:
    answer = server.request("POST", f"{server.url}/metrics")
    answer.error(405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "",
    ],
)
def test_json_is_taken_under_its_names_and_as_curl_sends_it(server: Server, content_type: str) -> None:
    assert server.post("/Echo", {}, headers={"content-type": content_type}).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonx", "multipart/form-data; boundary=x", "json"])
def test_another_content_type_is_refused(server: Server, content_type: str) -> None:
    server.post("/Echo", {}, headers={"content-type": content_type}).error(415, "unsupported_media_type")


@pytest.mark.parametrize(("path", "place"), [("/docs/", "../docs"), ("/-/api/models/?x=1", "../models?x=1")])
def test_a_redirect_holds_behind_any_proxy(server: Server, path: str, place: str) -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-host": "models.example.org", "x-forwarded-prefix": "/ml"}
    for headers in ({}, forwarded):
        answer = server.get(path, headers=headers)
        assert (answer.status, answer.headers["location"]) == (307, place)


@pytest.mark.parametrize("path", ["/docs/", "/-/nothing", "/-/nothing/", "/-/", "/v2/x", "/docs//"])
def test_a_client_that_names_no_host_is_told_nothing_of_where_the_server_keeps_things(
    server: Server, repo: Repo, path: str
) -> None:
    answer = server.send(f"GET {server.settings.base}{path} HTTP/1.0\r\n\r\n".encode(), "GET")
    assert answer is not None
    assert answer.status in (307, 401, 404)
    said = answer.body.decode() + str(answer.headers)
    assert "daemon.sock" not in said
    assert str(repo.path.parent) not in said
    if answer.status == 404:
        assert path in answer.error(404, "not_found")["message"]


def test_a_body_packed_with_gzip_is_scored_and_so_is_the_answer_where_asked(server: Server) -> None:
    say = "long " * 1000
    body = gzip.compress(json.dumps({"variables": {"say": say}}).encode())
    answer = server.post("/Echo", raw=body, headers={"content-encoding": "gzip", "accept-encoding": "gzip"})
    assert (answer.status, answer.json["said"]) == (200, say)
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    assert int(answer.headers["content-length"]) < 1000


def test_a_body_packed_otherwise_or_badly_is_refused(server: Server) -> None:
    server.post("/Echo", {}, headers={"content-encoding": "br"}).error(415, "unsupported_encoding")
    server.post("/Echo", {}, headers={"content-encoding": "gzip"}).error(400, "malformed_encoding")
    bomb = gzip.compress(bytes(40 * 1024 * 1024))
    server.post("/Echo", raw=bomb, headers={"content-encoding": "gzip"}).error(413, "body_too_large")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_a_page_is_packed_once_where_asked(server: Server, path: str) -> None:
    plain, packed = (
        server.get(path, headers={"accept": "text/html", "accept-encoding": accept}) for accept in ("gzip;q=0", "gzip")
    )
    assert without_nonces(plain) == without_nonces(packed)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"]


def without_nonces(page: Answer) -> bytes:
    """What is new in each answer, so that nobody can guess it, left out."""
    return re.sub(rb'nonce="[^"]*"', b"", page.body)


def test_a_file_of_the_pages_is_packed_only_where_that_is_taken(server: Server) -> None:
    page = server.get("/docs", headers={"accept": "text/html"}).body.decode()
    path = re.findall(r'src="([^"]+bundle\.js)"', page)[0]
    for accept, coding in (("gzip", "gzip"), ("gzip;q=0", None)):
        answer = server.request("GET", server.url + path, headers={"accept-encoding": accept})
        assert (answer.status, answer.headers.get("content-encoding")) == (200, coding)


@pytest.mark.parametrize("path", ["/Echo?say=hello", "/Echo/v1?x", "/all?say=hello", "/Echo/?flat=true"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_variables_in_a_query_are_refused_not_left_out(server: Server, method: str, path: str) -> None:
    answer = server.request(method, server.base + path)
    assert answer.status == 422
    if method == "GET":
        assert "POST" in answer.error(422, "invalid_variables")["message"]


def test_a_query_that_says_nothing_or_comes_with_variables_does_no_harm(server: Server) -> None:
    assert server.get("/Echo?").status == server.get("/all?flat=true").status == 200
    assert server.post("/Echo?utm_source=x", {"variables": {"say": 1}}).json["said"] == 1


@pytest.mark.parametrize("path", ["/", ""])
def test_the_catalogue_tells_programs_what_is_served(server: Server, repo: Repo, path: str) -> None:
    answer = server.get(path, headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    models = answer.json["models"]
    assert set(models) == {"Echo", "Fails", "Described", "a.b_c-1", "NotLive"}
    assert models["Described"] == {
        "url": "/models_serve/Described",
        "live": True,
        "version": "v1",
        "commit": repo.head,
        "description": "Says what it is told.",
    }
    assert models["Fails"]["description"] == "Fails when it is told to."
    assert models["NotLive"]["live"] is False
    assert "ZeroDivisionError" in models["NotLive"]["failed"]["message"]


def test_the_catalogue_leads_to_each_model(server: Server) -> None:
    for name, model in server.get("/").json["models"].items():
        if model["live"] and name != "Fails":
            assert server.request("POST", server.url + model["url"]).status == 200, name


def test_health_readiness_and_metrics_are_at_the_root(server: Server) -> None:
    assert server.request("GET", f"{server.url}/healthz").json == {"status": "ok"}
    assert server.request("GET", f"{server.url}/readyz").json == {"status": "ready"}
    for path in ("/healthz", "/readyz"):
        server.request("POST", server.url + path).error(405, "method_not_allowed")
    metrics = server.request("GET", f"{server.url}/metrics")
    assert metrics.status == 200
    assert metrics.headers["content-type"].startswith("text/plain")


def test_names_from_urls_never_become_metric_labels(server: Server) -> None:
    server.post("/Sesame")
    server.post("/Echo/v77")
    server.post("/Echo/feedbee")
    server.post("/Echo")

    def counted() -> str:
        text = server.request("GET", f"{server.url}/metrics").body.decode()
        return text if 'model="Echo"' in text else ""

    assert not re.search("Sesame|v77|feedbee", server.wait(counted, "a count of Echo"))


def test_before_everything_is_tried_the_server_lives_and_is_not_ready(repo: Repo, tmp_path_factory) -> None:
    home = tmp_path_factory.mktemp("slow")
    slow = Repo(home / "models")
    gate = home / "gate"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n"
    slow.write("Slow/etls.py", wait + echo("slow")).write("Echo/etls.py", echo("quick")).commit()
    with serving(home / "data", slow.path, ready=False) as server:
        server.wait(lambda: server.post("/Echo").status == 200, "the quick one")
        assert server.request("GET", f"{server.url}/healthz").status == 200
        waiting = server.request("GET", f"{server.url}/readyz")
        assert "Slow" in waiting.error(503, "not_ready")["message"]
        assert int(waiting.headers["retry-after"]) > 0
        assert server.post("/Slow").status == 503
        gate.touch()
        server.wait_ready()
        assert server.score("Slow")["by"] == "slow"


@pytest.mark.parametrize("base_url", ["", "/one/~ada/v1.0/"])
def test_everything_is_under_the_base_path(tmp_path_factory, repo: Repo, base_url: str) -> None:
    with serving(tmp_path_factory.mktemp("base") / "data", repo.path, baseUrl=base_url) as server:
        base = "/" + base_url.strip("/") if base_url.strip("/") else ""
        for path in ("/Echo", "/all", "/Echo/v1"):
            assert server.request("POST", server.url + base + path).status == 200
        assert server.request("GET", f"{server.url}{base}/").json["models"]["Echo"]["url"] == f"{base}/Echo"
        assert server.state("Echo")["live"]
        assert server.request("GET", f"{server.url}/models_serve/Echo").status == 404


@pytest.mark.parametrize("offer", ["h2c", "websocket", "TLS/1.0"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_offer_to_upgrade_is_ignored_and_the_body_scored(server: Server, offer: str, framing: str) -> None:
    body = '{"variables": {"say": "kept"}}'
    framed = f"Content-Length: {len(body)}\r\n\r\n{body}"
    if framing == "chunks":
        framed = f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    head = f"POST {server.settings.base}/Echo HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: {offer}\r\n"
    answer = server.send((head + framed).encode())
    assert answer is not None
    assert (answer.status, answer.json) == (200, {"said": "kept", "by": "one"})


@pytest.mark.parametrize("hosts", [[], ["here", "here"], ["here", "there"]])
def test_a_request_of_http_1_1_has_one_host(server: Server, hosts: list[str]) -> None:
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    answer = server.send(f"GET {server.settings.base}/Echo HTTP/1.1\r\n{lines}\r\n".encode(), "GET")
    assert answer is not None
    answer.error(400, "malformed_request")


def test_http_1_0_needs_no_host(server: Server) -> None:
    answer = server.send(f"GET {server.settings.base}/Echo HTTP/1.0\r\n\r\n".encode(), "GET")
    assert answer is not None
    assert answer.status == 200


def _check_says_what_answered(answer: Answer, model: str, commit: str) -> None:
    said = {name: value for name, value in answer.headers.items() if name.startswith("x-pawl-")}
    assert said.pop("x-pawl-role") in ("live", "version")
    assert said == {"x-pawl-model": model, "x-pawl-version": "v1", "x-pawl-commit": commit}
    assert answer.headers["content-type"] == "application/json"


def _request(server: Server, method: str, path: str) -> bytes:
    return f"{method} {server.settings.base}{path} HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n".encode()
