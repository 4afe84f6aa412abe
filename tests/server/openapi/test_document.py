from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from loader.workers.examples import Example
from server.openapi.components import Components
from server.openapi.document import openapi
from server.pages.shown_examples import shown_examples
from server.state import ServerState
from tests.server.states import COMMIT, failure, live, model, state
from worker.formats.schemas import json_schema

BASE = "/models_serve"

Mode = Literal["validation", "serialization"]


class Point(msgspec.Struct):
    x: float
    tags: list[str] = []
    parent: Point | None = None


class Circle(msgspec.Struct, tag="circle"):
    center: Point
    radius: float


class Square(msgspec.Struct, tag="square"):
    corner: Point


class Shapes(msgspec.Struct):
    shapes: list[Circle | Square]


def schema(kind: Any, mode: Mode = "validation") -> dict[str, Any]:
    found = json_schema(kind, mode)
    assert found is not None
    return found


def document(what: ServerState, base: str = BASE, prefix: str = "", **examples: list[Example]) -> dict[str, Any]:
    """The document, as a client gets it, and known to be valid."""
    found: dict[str, Any] = json.loads(msgspec.json.encode(openapi(what, base, prefix, examples)))
    OpenAPIV31SpecValidator(found).validate()
    assert_references_lead_somewhere(found)
    return found


def assert_references_lead_somewhere(found: dict[str, Any]) -> None:
    for reference in references(found):
        place: Any = found
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def sent(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation["requestBody"]["content"]["application/json"]
    return found


def answered(operation: dict[str, Any], status: str = "200") -> dict[str, Any]:
    found: dict[str, Any] = operation["responses"][status]["content"]["application/json"]
    return found


def test_a_server_without_models_has_a_valid_document() -> None:
    assert list(document(state(head=""))["paths"]) == [f"{BASE}/all"]


def test_live_models_are_described_and_others_are_not() -> None:
    what = state(model("Iris", live()), model("Broken", None, failed=failure("no class")))
    paths = document(what)["paths"]
    assert set(paths) == {f"{BASE}/Iris", f"{BASE}/Iris/{{version}}", f"{BASE}/all"}
    assert set(paths[f"{BASE}/Iris"]) >= {"post", "get", "x-pawl-version"}


def test_paths_are_below_the_base_and_servers_below_the_prefix() -> None:
    found = document(state(model("Iris", live())), base="", prefix="/ml/team")
    assert "/Iris" in found["paths"]
    assert found["servers"] == [{"url": "/ml/team"}]


def test_the_release_is_named() -> None:
    path = document(state(model("Iris", live(about="Which iris is it?"))))["paths"][f"{BASE}/Iris"]
    assert (path["x-pawl-version"], path["x-pawl-commit"], path["x-pawl-release"]) == ("v3", COMMIT, "feedbeef")
    assert path["post"]["description"].startswith("Which iris is it?")
    told = set(path["post"]["responses"]["200"]["headers"])
    assert told == {"X-Pawl-Model", "X-Pawl-Version", "X-Pawl-Commit", "X-Pawl-Role", "X-Pawl-Run"}


def test_descriptions_hold_no_html() -> None:
    found = document(state(model("Iris", live(about="<img src=x onerror=alert(1)> *fast*"))))
    texts = [found["tags"][0]["description"], found["paths"][f"{BASE}/Iris"]["post"]["description"]]
    assert all(text.startswith(r"\<img src=x onerror=alert(1)> *fast*") for text in texts)


def test_examples_are_those_of_the_request_and_what_is_expected_those_of_the_answer() -> None:
    examples = [Example(variables={"x": 1}, expect={"y": 2}), Example(variables={"x": 2}), Example()]
    post = document(state(model("Iris", live())), Iris=examples)["paths"][f"{BASE}/Iris"]["post"]
    assert [one["value"] for one in sent(post)["examples"].values()] == [
        {"variables": {"x": 1}},
        {"variables": {"x": 2}},
        {},
    ]
    assert answered(post)["examples"] == {"example-0": {"value": {"y": 2}}}


def test_variables_and_lists_of_them_are_described_by_the_models_own_schema() -> None:
    found = document(state(model("Iris", live(variables_schema=schema(Point), answer_schema=schema(Shapes)))))
    post = found["paths"][f"{BASE}/Iris"]["post"]
    request = sent(post)["schema"]
    point = {"$ref": "#/components/schemas/Iris.Point"}
    assert request["properties"]["variables"]["anyOf"] == [point, {"type": "array", "items": point, "maxItems": 1000}]
    assert request["required"] == ["variables"]
    assert found["components"]["schemas"]["Iris.Point"]["properties"]["x"] == {"type": "number"}
    assert answered(post)["schema"]["anyOf"][0] == {"$ref": "#/components/schemas/Iris.Shapes"}


def test_variables_that_may_all_be_left_out_may_be_left_out_altogether() -> None:
    class Place(msgspec.Struct):
        latitude: float = 52.5

    for release in (live(), live(variables_schema=schema(Place))):
        request = sent(document(state(model("Iris", release)))["paths"][f"{BASE}/Iris"]["post"])["schema"]
        assert "required" not in request
        assert {"type": "null"} in request["properties"]["variables"]["anyOf"]


def test_schemas_of_the_same_name_in_two_models_stay_apart() -> None:
    other = msgspec.defstruct("Point", [("z", int)])
    what = state(model("A", live(variables_schema=schema(Point))), model("B", live(variables_schema=schema(other))))
    schemas = document(what)["components"]["schemas"]
    assert set(schemas["A.Point"]["properties"]) == {"x", "tags", "parent"}
    assert set(schemas["B.Point"]["properties"]) == {"z"}


def test_a_request_and_an_answer_of_the_same_name_stay_apart() -> None:
    answer = msgspec.defstruct("Point", [("z", int)])
    release = live(variables_schema=schema(Point), answer_schema=schema(answer))
    schemas = document(state(model("A", release)))["components"]["schemas"]
    assert {"A.Point", "A.Point_2"} <= set(schemas)


def test_errors_are_described_in_their_one_shape() -> None:
    found = document(state(model("Iris", live())))
    post = found["paths"][f"{BASE}/Iris"]["post"]
    assert {"400", "404", "413", "415", "422", "500", "502", "503", "504"} <= set(post["responses"])
    for response in found["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert "400" not in found["paths"][f"{BASE}/Iris"]["get"]["responses"]


def test_all_is_described_with_every_models_answer() -> None:
    what = state(model("A", live(answer_schema=schema(Point))), model("B", live()))
    answers = answered(document(what)["paths"][f"{BASE}/all"]["post"])["schema"]["anyOf"][0]["properties"]
    assert answers["A"]["anyOf"][0] == {"$ref": "#/components/schemas/A.Point"}
    assert answers["B"]["anyOf"][-1] == {"$ref": "#/components/schemas/Error"}


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)


@given(st.lists(names, unique=True, max_size=6))
def test_no_two_operations_have_the_same_id(found: list[str]) -> None:
    what = openapi(state(*(model(name, live()) for name in found)), BASE, "", {})
    ids = [path[verb]["operationId"] for path in what["paths"].values() for verb in ("get", "post")]
    assert len(ids) == len(set(ids))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)
)
definition_names = st.sampled_from(["A", "B", "A_2", "Box[int]", "a/b", "a~b", "ü", "variables"])
pointers = definition_names.map(lambda name: "#/$defs/" + name.replace("~", "~0").replace("/", "~1"))
refs = pointers | st.sampled_from(["#", "#/$defs/None", "http://example.org/x", "#/properties/a", ""])
schemas = st.recursive(
    st.fixed_dictionaries({"$ref": refs}) | st.fixed_dictionaries({"const": json_values}) | st.booleans(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from(["a", "$ref", "items"]), inner)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
    ),
    max_leaves=8,
)
documents = st.builds(
    lambda root, definitions: {**(root if isinstance(root, dict) else {}), "$defs": definitions},
    schemas,
    st.dictionaries(definition_names, schemas, max_size=4),
)


@given(st.lists(st.tuples(st.sampled_from(["M", "M.A", "N"]), documents), max_size=4))
def test_whatever_schemas_come_every_reference_leads_to_a_component_with_a_name_that_is_allowed(
    added: list[tuple[str, dict[str, Any]]],
) -> None:
    components = Components({"Error": {}})
    roots = [components.add(owner, "variables", one) for owner, one in added]
    assert_references_lead_somewhere({"roots": roots, "components": {"schemas": components.schemas}})
    expected = sum(len(one["$defs"]) for _, one in added)
    assert len(components.schemas) >= expected + 1
    assert all(name.replace("_", "").replace(".", "").replace("-", "").isalnum() for name in components.schemas)
    assert all(name.isascii() for name in components.schemas)


def test_what_looks_like_a_reference_in_data_is_left_as_it_is() -> None:
    components = Components({})
    components.add("M", "variables", {"default": {"$ref": "#/$defs/A"}, "properties": {"$ref": {"type": "string"}}})
    assert components.schemas["M.variables"] == {
        "default": {"$ref": "#/$defs/A"},
        "properties": {"$ref": {"type": "string"}},
    }


def test_discriminators_lead_to_the_components_too() -> None:
    components = Components({})
    components.add("M", "variables", schema(Shapes))
    found = components.schemas["M.Shapes"]["properties"]["shapes"]["items"]["discriminator"]["mapping"]
    assert found == {"circle": "#/components/schemas/M.Circle", "square": "#/components/schemas/M.Square"}


def test_a_schema_too_deep_to_read_is_no_ones_but_its_models_loss() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(5_000):
        deep = {"items": deep}
    paths = document(state(model("Deep", live(variables_schema=deep)), model("Iris", live())))["paths"]
    assert {f"{BASE}/Deep", f"{BASE}/Iris"} <= set(paths)


def test_a_few_examples_of_handy_size_are_shown(tmp_path: Path) -> None:
    (tmp_path / "Iris").mkdir()
    examples = [{"variables": {"x": "y" * 100_000}}, *({"variables": {"x": index}} for index in range(20))]
    (tmp_path / "Iris" / "examples.json").write_text(json.dumps(examples))
    shown = shown_examples(state(model("Iris", live(tmp_path)), model("Gone", live("/nowhere")), model("Off", None)))
    assert [one.variables["x"] for one in shown["Iris"]] == [0, 1, 2, 3, 4]
    assert shown["Gone"] == ()


def test_examples_that_can_no_longer_be_read_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "Iris").mkdir()
    (tmp_path / "Iris" / "examples.json").write_text("{")
    assert shown_examples(state(model("Iris", live(tmp_path)))) == {"Iris": ()}


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_pydantic_schemas_fit_in(mode: Mode) -> None:
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", value=(int, ...))
    outer = pydantic.create_model("Outer", one=(inner, ...), many=(dict[str, inner], {}))
    found = document(state(model("Iris", live(variables_schema=schema(outer, mode)))))
    assert "Iris.Inner" in found["components"]["schemas"]


def test_a_model_that_takes_the_body_as_it_is_is_described_so() -> None:
    found = document(state(model("Raw", live(takes="bytes"))))
    assert found["paths"][f"{BASE}/Raw"]["post"]["requestBody"] == {"required": True, "content": {"*/*": {}}}
