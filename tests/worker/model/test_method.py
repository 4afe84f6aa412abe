from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worker.processes import serving, starting, write_model

SHOW = "return {'kind': type(v).__name__, 'v': v}"

WAYS = {
    "nothing": ("class A:\n    def transform_predict(self): return {'kind': 'nothing'}", "nothing"),
    "unannotated": (f"class A:\n    def transform_predict(self, v): {SHOW}", "dict"),
    "dict": (f"class A:\n    def transform_predict(self, v: dict[str, int]): {SHOW}", "dict"),
    "a mapping as a string": (
        f"import typing\nclass A:\n    def transform_predict(self, v: 'typing.Mapping[str, float]'): {SHOW}",
        "dict",
    ),
    "a name for type checkers only": (f"class A:\n    def transform_predict(self, v: 'Unknown'): {SHOW}", "dict"),
    "a static method": (f"class A:\n    @staticmethod\n    def transform_predict(v): {SHOW}", "dict"),
    "a class method": (f"class A:\n    @classmethod\n    def transform_predict(cls, v): {SHOW}", "dict"),
    "a default": (f"class A:\n    def transform_predict(self, v=None, more=1): {SHOW}", "dict"),
    "any arguments": (f"class A:\n    def transform_predict(*v): v = v[1]; {SHOW}", "dict"),
    "dataclass": (
        "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass V:\n    x: int\n"
        f"class A:\n    def transform_predict(self, v: V): {SHOW}",
        "typed",
    ),
    "optional dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass V:\n    x: int\n"
        f"class A:\n    def transform_predict(self, v: V | None): {SHOW}",
        "typed",
    ),
    "generic dataclass": (
        "import dataclasses, typing\nT = typing.TypeVar('T')\n"
        "@dataclasses.dataclass\nclass V(typing.Generic[T]):\n    x: T\n"
        f"class A:\n    def transform_predict(self, v: V[int]): {SHOW}",
        "typed",
    ),
    "dataclass with notes": (
        "import dataclasses, typing\n@dataclasses.dataclass\nclass V:\n    x: int\n"
        f"class A:\n    def transform_predict(self, v: typing.Annotated[V, 'of a flower']): {SHOW}",
        "typed",
    ),
    "dict with notes": (
        f"import typing\nclass A:\n    def transform_predict(self, v: typing.Annotated[dict, 'of a flower']): {SHOW}",
        "dict",
    ),
    "struct": (
        "import msgspec\nclass V(msgspec.Struct):\n    x: int\n"
        f"class A:\n    def transform_predict(self, v: V): {SHOW}",
        "typed",
    ),
    "pydantic": (
        "import pydantic\nclass V(pydantic.BaseModel):\n    x: int\n"
        f"class A:\n    def transform_predict(self, v: V): {SHOW}",
        "typed",
    ),
}


@pytest.mark.parametrize(("etls", "takes"), WAYS.values(), ids=WAYS.keys())
def test_variables_come_as_the_annotation_says(tmp_path: Path, etls: str, takes: str) -> None:
    with starting(write_model(tmp_path, etls)) as worker:
        assert worker.ready().takes == takes
        status, answer = worker.ask({"variables": {"x": 1}})
        kind = {"nothing": "nothing", "dict": "dict", "typed": "V"}[takes]
        assert (status, answer["kind"]) == (200, kind)
        assert answer.get("v", {"x": 1}) == {"x": 1}


def test_a_generic_type_is_validated_by_what_it_is_of(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, WAYS["generic dataclass"][0])) as worker:
        schema = worker.ready().variables_schema
        status, answer = worker.ask({"variables": {"x": "1"}})
        assert (status, answer["error"]["field"]) == (422, "x")
    assert schema is not None
    assert '"x":{"type":"integer"}' in json.dumps(schema, separators=(",", ":"))


FRAMES = [
    (
        "import typing as t, pandas\nclass A:\n    def transform_predict(self, v: t.Annotated[pandas.DataFrame, 0]): ",
        "dict",
    ),
    ("import pandas as pd\nclass A:\n    def transform_predict(self, v: pd.DataFrame): ", "dict"),
    ("class A:\n    def transform_predict(self, v: 'pd.DataFrame'): ", "dict"),
    ("class A:\n    def transform_predict(self, v): ", "dataframe"),
]


@pytest.mark.parametrize(("etls", "default"), FRAMES)
def test_variables_come_as_a_dataframe(tmp_path: Path, etls: str, default: str) -> None:
    folder = write_model(tmp_path, etls + "return {'kind': type(v).__name__, 'rows': v.to_dict('records')}\n")
    with starting(folder, variables=default) as worker:
        assert worker.ready().takes == "dataframe"
        assert worker.ask({"variables": {"x": {"y": 1}}}) == (200, {"kind": "DataFrame", "rows": [{"x.y": 1}]})


def test_an_annotation_comes_before_the_default(tmp_path: Path) -> None:
    folder = write_model(tmp_path, f"class A:\n    def transform_predict(self, v: dict): {SHOW}\n")
    with starting(folder, variables="dataframe") as worker:
        assert worker.ready().takes == "dict"


def test_what_does_not_fit_is_422_and_names_the_field(tmp_path: Path) -> None:
    with serving(tmp_path, WAYS["dataclass"][0]) as worker:
        assert worker.ask({"variables": {"x": "no"}}) == (
            422,
            error("invalid_variables", "x: Expected 'int', got 'str'", field="x"),
        )
        status, answer = worker.ask({"variables": [{"x": 1}, {}]})
        assert (status, answer["error"]["field"], answer["error"]["index"]) == (422, "x", 1)


def test_types_are_described(tmp_path: Path) -> None:
    etls = """
        import typing
        import pydantic
        class Owner(pydantic.BaseModel):
            name: str
        class V(pydantic.BaseModel):
            owner: Owner
        class Answer(typing.TypedDict):
            p: float
        class A:
            "Says how likely."
            def transform_predict(self, v: V) -> Answer:
                return {"p": 0.5}
    """
    with starting(write_model(tmp_path, etls)) as worker:
        description = worker.ready()
    assert description.doc == "Says how likely."
    assert description.variables_schema is not None
    assert description.variables_schema["properties"]["owner"] == {"$ref": "#/$defs/Owner"}
    assert description.variables_schema["$defs"]["Owner"]["required"] == ["name"]
    assert description.answer_schema is not None
    assert description.answer_schema["$defs"]["Answer"]["properties"] == {"p": {"type": "number"}}


def error(code: str, message: str, **details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **details}}
