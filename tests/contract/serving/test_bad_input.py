"""Whatever a client sends gets the documented answer, and hurts nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tests.serving import Server, serving
from tests.waiting import PATIENCE_S

MEGABYTE = 2**20

AS_SENT = """
import os

class AsSent:
    def transform_predict(self, variables):
        return {"got": variables, "pid": os.getpid()}
"""

TYPED = """
import os
from dataclasses import dataclass

@dataclass
class Person:
    age: int
    names: list[str] | None = None

class Typed:
    def transform_predict(self, variables: Person):
        return {"got": variables, "pid": os.getpid()}
"""

TAKES_NOTHING = """
import os

class TakesNothing:
    def transform_predict(self):
        return {"pid": os.getpid()}
"""

FINE = {"variables": {"age": 41}}
MODELS = ("AsSent", "Typed", "TakesNothing")

DEEP = b"[" * 100_000 + b"]" * 100_000
NO_JSON = {
    "an unclosed object": b"{",
    "a truncated object": b'{"variables": {"age": 1',
    "white space": b"  ",
    "bare words": b"age=1",
    "single quotes": b"{'variables': {}}",
    "something after the end": b'{"variables": {"age": 1}} x',
    "two documents": b"{}{}",
    "NaN": b'{"variables": {"age": NaN}}',
    "Infinity": b'{"variables": {"age": -Infinity}}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "a NUL": b"{}\0",
    "bytes that are no UTF-8": b'{"variables": {"age": "\xff"}}',
    "bytes that are no UTF-8 in what is not looked at": b'{"x": "\xc3\x28", "variables": {"age": 1}}',
    "a surrogate as UTF-8": b'{"variables": {"age": "\xed\xa0\x80"}}',
    "a lone surrogate": b'{"variables": {"age": "\\ud800"}}',
    "an unescaped line break": b'{"variables": {"age": "a\nb"}}',
    "100,000 lists in each other": b'{"variables": {"age": ' + DEEP + b"}}",
    "100,000 lists in each other in what is not looked at": b'{"x": ' + DEEP + b"}",
    "100,000 open lists": b"[" * 100_000,
    "100,000 open objects": b'{"a":' * 100_000,
}
NO_VARIABLES = {
    "a list": b"[]",
    "a list of objects": b'[{"age": 1}]',
    "a number": b"5",
    "a string": b'"variables"',
    "null": b"null",
    "variables that are a number": b'{"variables": 5}',
    "variables that are a string": b'{"variables": "age"}',
    "variables that are true": b'{"variables": true}',
    "a list of numbers as variables": b'{"variables": [1, 2]}',
    "null in the list of variables": b'{"variables": [null]}',
    "a list of lists": b'{"variables": [[]]}',
    "a number of 5,000 digits": b'{"variables": {"age": ' + b"9" * 5000 + b"}}",
    "a number beyond all floats": b'{"variables": {"age": 1e999}}',
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("bad-input")
    repo = Repo(home / "models")
    repo.write("AsSent/etls.py", AS_SENT).write("Typed/etls.py", TYPED)
    repo.write("TakesNothing/etls.py", TAKES_NOTHING).commit()
    with serving(home / "data", repo.path, MAX_BODY_MB="1") as server:
        yield server


@pytest.fixture(autouse=True)
def _the_same_workers_answer_afterwards(server: Server) -> Iterator[None]:
    before = _pids(server)
    yield
    assert _pids(server) == before


def _pids(server: Server) -> list[int]:
    return [server.post(f"/{model}", FINE).json["pid"] for model in MODELS]


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
@pytest.mark.parametrize("model", MODELS)
def test_what_is_no_json_is_refused_as_malformed(server: Server, model: str, body: bytes) -> None:
    error = server.post(f"/{model}", raw=body).error(400, "malformed_json")
    assert error["message"].startswith("the body is not valid JSON: ")
    assert len(error["message"]) < 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"variables": {\n  "age": NaN}}', "line 2, column 10: NaN is not valid JSON; send null"),
        (b'{"variables": {"age": -Infinity}}', "line 1, column 23: -Infinity is not valid JSON; send null"),
        (b"\xef\xbb\xbf{}", "the body begins with a byte order mark"),
        ("{}".encode("utf-16"), "the body is UTF-16; send UTF-8"),
        (b'{"variables": {"age": 41},}', "line 1, column 27: trailing comma in object"),
    ],
)
def test_what_is_no_json_is_told_with_its_place_and_what_to_send(server: Server, body: bytes, said: str) -> None:
    for model in MODELS:
        assert said in server.post(f"/{model}", raw=body).error(400, "malformed_json")["message"]


@pytest.mark.parametrize("body", NO_VARIABLES.values(), ids=NO_VARIABLES.keys())
@pytest.mark.parametrize("model", ["AsSent", "Typed"])
def test_json_that_holds_no_variables_does_not_fit(server: Server, model: str, body: bytes) -> None:
    assert len(server.post(f"/{model}", raw=body).error(422, "invalid_variables")["message"]) < 200


def test_a_body_that_is_no_object_is_told_from_variables_that_are_none(server: Server) -> None:
    said = server.post("/AsSent", raw=b'[{"age": 1}]').error(422, "invalid_variables")["message"]
    assert '{"variables": {…}}' in said
    said = server.post("/AsSent", raw=b'{"variables": 5}').error(422, "invalid_variables")["message"]
    assert said.startswith("variables: ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b" {}\n",
        b'{"variables": null}',
        b'{"variables": {}}',
        b'{"variables": {}, "other": [1, {"a": "\\u0000"}]}',
    ],
)
def test_no_body_and_no_variables_are_the_same(server: Server, body: bytes) -> None:
    answer = server.post("/AsSent", raw=body)
    assert (answer.status, answer.json["got"]) == (200, {})
    assert server.post("/TakesNothing", raw=body).status == 200
    assert server.post("/Typed", raw=body).error(422, "invalid_variables")["field"] == "age"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"latitude": 10}, '{"variables": {"latitude": …}}'),
        ({"instances": [{"latitude": 10}]}, '"instances" is the form of another server'),
        ({"variable": {"latitude": 10}}, 'is "variables" meant?'),
    ],
)
def test_a_body_with_other_keys_and_no_variables_is_not_answered_from_defaults(
    server: Server, sent: dict[str, object], said: str
) -> None:
    for model in ("AsSent", "Typed"):
        assert said in server.post(f"/{model}", sent).error(422, "invalid_variables")["message"]
        assert said in server.post("/all", sent).json[model]["error"]["message"]
    assert server.post("/TakesNothing", sent).status == 200


def test_what_a_method_without_an_argument_is_sent_is_ignored(server: Server) -> None:
    for sent in ({"variables": {"age": "x"}}, {"variables": 5}, [], 7):
        assert set(server.post("/TakesNothing", sent).json) == {"pid"}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({}, "age"),
        ({"age": "41"}, "age"),
        ({"age": 41.5}, "age"),
        ({"age": None}, "age"),
        ({"age": True}, "age"),
        ({"age": 1, "names": "Ada"}, "names"),
        ({"age": 1, "names": [1]}, "names"),
    ],
)
def test_a_variable_that_is_missing_or_of_another_type_is_named(
    server: Server, variables: dict[str, object], field: str
) -> None:
    error = server.post("/Typed", {"variables": variables}).error(422, "invalid_variables")
    assert error["field"].startswith(field)
    assert error["field"] in error["message"]


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(server: Server) -> None:
    def body(size: int) -> bytes:
        return b'{"variables": {"age": 41}}'.rjust(size)

    assert server.post("/Typed", raw=body(MEGABYTE)).status == 200
    for path in ("/Typed", "/Typed/v1", "/all", "/-/sync", "/Nobody", "/"):
        answer = server.post(path, raw=body(MEGABYTE + 1))
        assert answer.status in (404, 413), path
        answer.error(answer.status, "body_too_large" if answer.status == 413 else "model_not_found")


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    answer = server.send(_head(server, "AsSent", "Content-Length: 40000000"))
    assert answer is not None
    assert "1048576" in answer.error(413, "body_too_large")["message"]


def test_a_chunked_body_is_read(server: Server) -> None:
    answer = server.send(_chunked(server, b'{"variables"', b': {"age": 3}}'))
    assert answer is not None
    assert (answer.status, answer.json["got"]) == (200, {"age": 3})


def test_a_chunked_body_over_the_limit_is_refused(server: Server) -> None:
    answer = server.send(_chunked(server, *[b" " * 65536] * 17))
    assert answer is not None
    answer.error(413, "body_too_large")


@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: abc",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_length_that_can_not_be_is_refused(server: Server, lengths: str) -> None:
    answer = server.send(_head(server, "AsSent", lengths) + b"{}")
    assert answer is not None
    answer.error(400, "malformed_request")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("data", [b"garbage\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 100])
def test_what_is_no_http_is_refused(server: Server, data: bytes) -> None:
    answer = server.send(data)
    assert answer is not None
    answer.error(400, "malformed_request")


def test_a_client_that_announces_more_than_it_sends_and_goes_is_forgotten(server: Server) -> None:
    url = httpx.URL(server.url)
    for _ in range(20):
        with socket.create_connection((url.host, url.port), timeout=PATIENCE_S) as sock:
            sock.sendall(_head(server, "AsSent", "Content-Length: 1000") + b"{}")
    assert server.post("/AsSent", FINE).status == 200


def test_more_than_was_announced_is_not_taken_for_the_body(server: Server) -> None:
    answer = server.send(_head(server, "AsSent", "Content-Length: 2") + b'{}, "variables": {"age": 1}}')
    assert answer is None or (answer.status, answer.json["got"]) == (200, {})


def test_requests_in_one_go_are_answered_in_turn(server: Server) -> None:
    url = httpx.URL(server.url)
    one = b'{"variables": {"age": %d}}'
    with socket.create_connection((url.host, url.port), timeout=PATIENCE_S) as sock:
        for age in range(10, 20):
            last = "\r\nConnection: close" if age == 19 else ""
            sock.sendall(_head(server, "AsSent", f"Content-Length: 26{last}") + one % age)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert [int(part[:2]) for part in received.split(b'{"age":')[1:]] == list(range(10, 20))


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
lots = settings(max_examples=40, database=None)


@lots
@given(body=st.binary(max_size=200))
@example(body=b'{"variables":{"":"\xf4\x90\x80\x80"}}')
def test_any_bytes_get_a_documented_answer(server: Server, body: bytes) -> None:
    for model in MODELS:
        _check(server, model, body)


@lots
@given(content=any_json)
def test_any_json_gets_a_documented_answer(server: Server, content: object) -> None:
    for model in MODELS:
        _check(server, model, json.dumps(content).encode())


@lots
@given(variables=st.dictionaries(st.text(), any_json, max_size=5))
def test_variables_reach_the_model_as_they_were_sent(server: Server, variables: dict[str, object]) -> None:
    answer = server.post("/AsSent", {"variables": variables})
    if any(0xD800 <= ord(char) < 0xE000 for char in json.dumps(variables, ensure_ascii=False)):
        answer.error(400, "malformed_json")
    else:
        assert (answer.status, answer.json["got"]) == (200, variables)


@lots
@given(variables=st.fixed_dictionaries({"age": any_json}, optional={"names": any_json, "more": any_json}))
def test_variables_of_any_type_fit_or_are_refused(server: Server, variables: dict[str, object]) -> None:
    _check(server, "Typed", json.dumps({"variables": variables}).encode())


@lots
@given(name=names.filter(lambda name: name not in (*MODELS, "all")), version=st.none() | names)
@example(name="/", version=None)
def test_any_name_is_unknown_and_no_more(server: Server, name: str, version: str | None) -> None:
    path = "/".join(quote(part, safe="") for part in ([name] if version is None else [name, version]))
    answer = server.send(_head(server, path, "Content-Length: 0"))
    assert answer is not None
    assert answer.status in (404, 405), (path, answer)
    answer.error(answer.status, answer.code)


def _check(server: Server, model: str, body: bytes) -> None:
    answer = server.post(f"/{model}", raw=body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-pawl-model"] == model
    if answer.status != 200:
        answer.error(answer.status, {400: "malformed_json", 422: "invalid_variables"}[answer.status])


def _head(server: Server, model: str, lengths: str) -> bytes:
    return f"POST {server.settings.base}/{model} HTTP/1.1\r\nHost: here\r\n{lengths}\r\n\r\n".encode()


def _chunked(server: Server, *chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return _head(server, "AsSent", "Transfer-Encoding: chunked") + body
