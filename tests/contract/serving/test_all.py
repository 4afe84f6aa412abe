"""`/all`: every live model's answer to the same variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.repos import Repo
from tests.serving import Server, serving

SUM = """
class Sum:
    def transform_predict(self, variables):
        return {"sum": variables.get("a", 0) + variables.get("b", 0), "by": "Sum"}
"""

TYPED = """
from dataclasses import dataclass

@dataclass
class Product:
    a: float
    b: float

class transform_predict:
    def transform_predict(self, variables: Product):
        return {"product": variables.a * variables.b, "by": "Typed"}
"""

RATIO = """
class Ratio:
    def transform_predict(self, variables):
        return {"ratio": variables["a"] / variables["b"], "by": "Ratio"}
"""

REFUSES = """
class Unacceptable(Exception):
    status_code = 400

class Refuses:
    def transform_predict(self, variables):
        raise Unacceptable("not today")
"""

CONSTANT = """
class Constant:
    def transform_predict(self):
        return {"constant": 42}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("all")
    repo = Repo(home / "models")
    for name, source in {"Sum": SUM, "Typed": TYPED, "Ratio": RATIO, "Constant": CONSTANT}.items():
        repo.write(f"{name}/etls.py", source)
    repo.write("NeverLive/etls.py", "1 / 0\n").commit()
    with serving(home / "data", repo.path, MAX_BODY_MB="1") as server:
        yield server


def _all(server: Server, variables: Any, query: str = "") -> Any:
    answer = server.post(f"/all{query}", {"variables": variables})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def test_every_live_model_answers_side_by_side(server: Server) -> None:
    assert _all(server, {"a": 6, "b": 3}) == {
        "Constant": {"constant": 42},
        "Ratio": {"ratio": 2.0, "by": "Ratio"},
        "Sum": {"sum": 9, "by": "Sum"},
        "Typed": {"product": 18.0, "by": "Typed"},
    }


def test_a_model_that_fails_has_its_error_in_its_place_and_the_others_answer(server: Server) -> None:
    answers = _all(server, {"a": 6, "b": 0})
    assert answers["Ratio"]["error"]["code"] == "model_error"
    assert answers["Ratio"]["error"]["message"] == "ZeroDivisionError: division by zero"
    assert answers["Sum"]["sum"] == 6
    answers = _all(server, {"a": 6})
    assert (answers["Typed"]["error"]["code"], answers["Typed"]["error"]["field"]) == ("invalid_variables", "b")
    assert answers["Constant"] == {"constant": 42}


def test_models_that_refuse_do_so_in_their_places(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("refusing")
    repo = Repo(home / "models")
    repo.write("One/etls.py", REFUSES).write("Other/etls.py", REFUSES).commit()
    with serving(home / "data", repo.path) as server:
        refused = {"error": {"code": "refused", "message": "not today"}}
        assert server.post("/One", {}).error(400, "refused") == refused["error"]
        assert _all(server, {}) == {"One": refused, "Other": refused}


def test_flat_merges_the_answers_and_leaves_errors_under_their_model(server: Server) -> None:
    assert _all(server, {"a": 6, "b": 3}, "?flat=true") == {
        "constant": 42,
        "ratio": 2.0,
        "sum": 9,
        "product": 18.0,
        "by": "Typed",
    }
    flat = _all(server, {"a": 6, "b": 0}, "?x=1&flat=True")
    assert flat["Ratio"]["error"]["code"] == "model_error"
    assert (flat["sum"], flat["product"], flat["constant"]) == (6, 0.0, 42)
    assert set(_all(server, {"a": 6, "b": 3}, "?flat=false")) == {"Constant", "Ratio", "Sum", "Typed"}


def test_a_list_of_variables_gets_a_list_of_each_model(server: Server) -> None:
    both = [{"a": 6, "b": 3}, {"a": 1, "b": 2}]
    assert _all(server, both)["Sum"] == [{"sum": 9, "by": "Sum"}, {"sum": 3, "by": "Sum"}]
    assert [row["product"] for row in _all(server, both, "?flat=true")] == [18.0, 2.0]
    answers = _all(server, [{"a": 6, "b": 3}, {"a": 1, "b": 0}])
    assert answers["Ratio"]["error"]["index"] == 1
    assert [row["sum"] for row in answers["Sum"]] == [9, 1]
    flat = _all(server, [{"a": 6, "b": 3}, {"a": 1, "b": 0}], "?flat=true")
    assert [row["sum"] for row in flat] == [9, 1]
    assert flat[0]["Ratio"]["error"]["index"] == 1
    assert _all(server, []) == {"Constant": [], "Ratio": [], "Sum": [], "Typed": []}


def test_get_asks_all_without_variables_and_is_not_to_be_stored(server: Server) -> None:
    answer = server.get("/all")
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json["Constant"], answer.json["Sum"]["sum"]) == ({"constant": 42}, 0)
    assert answer.json["Ratio"]["error"]["message"] == "KeyError: 'a'"
    assert answer.json == server.post("/all", {}).json | {"Ratio": answer.json["Ratio"]}


def test_a_body_that_no_model_can_read_is_refused_once(server: Server) -> None:
    server.post("/all", raw=b"{").error(400, "malformed_json")
    server.post("/all", raw=b"x" * (2**20 + 1)).error(413, "body_too_large")
    server.post("/all", {}, headers={"content-type": "text/csv"}).error(415, "unsupported_media_type")
    server.request("PUT", f"{server.base}/all").error(405, "method_not_allowed")
    server.post("/all/v1").error(404, "not_found")


def test_of_a_repository_without_a_live_model_all_is_empty(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("none")
    repo = Repo(home / "models")
    repo.write("Broken/etls.py", "1 / 0\n").commit()
    with serving(home / "data", repo.path) as server:
        assert server.post("/all", {}).json == {}
        assert server.post("/all?flat=true", {}).json == {}
