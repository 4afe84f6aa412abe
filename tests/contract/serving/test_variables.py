"""How variables come to a model, by what its method is annotated with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.repos import Repo
from tests.serving import Server, serving

FIELDS = """
    age: int
    name: str = "nobody"
    scores: list[float] = {list}
    born: date | None = None
"""

MODEL = """
class Model:
    def transform_predict(self, variables: Person):
        return {"kind": type(variables).__name__, "age": get(variables, "age"), "born": str(get(variables, "born"))}
"""

HEAD = "from __future__ import annotations\nfrom datetime import date\nget = getattr\n"
IN_DICTS = "get = lambda variables, name: variables.get(name)\n"

MODELS = {
    "Dataclass": f"""{HEAD}
from dataclasses import dataclass, field

@dataclass
class Person:{FIELDS.format(list="field(default_factory=list)")}
{MODEL}""",
    "Frozen": f"""{HEAD}
from dataclasses import dataclass

@dataclass(frozen=True, slots=True, kw_only=True)
class Person:{FIELDS.format(list="()")}
{MODEL}""",
    "Struct": f"""{HEAD}
import msgspec

class Person(msgspec.Struct):{FIELDS.format(list="[]")}
{MODEL}""",
    "Typed": f"""{HEAD}{IN_DICTS}
from typing import NotRequired, TypedDict

class Person(TypedDict):
    age: int
    name: NotRequired[str]
    scores: NotRequired[list[float]]
    born: NotRequired[date | None]
{MODEL}""",
    "Pydantic": f"""{HEAD}
from pydantic import BaseModel

class Person(BaseModel):{FIELDS.format(list="[]")}
{MODEL}""",
}

STRICT = """
import msgspec

class Person(msgspec.Struct, forbid_unknown_fields=True):
    age: int

class Strict:
    def transform_predict(self, person: Person):
        return {"age": person.age}
"""

STRICT_PYDANTIC = """
from pydantic import BaseModel, ConfigDict, Field, field_validator

class Address(BaseModel):
    street: str

class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")
    age: int = Field(ge=0)
    home: Address | None = None

    @field_validator("age")
    def not_too_old(cls, age):
        if age > 150:
            raise ValueError("nobody is that old")
        return age

class Strict:
    def transform_predict(self, person: Person):
        return {"age": person.age}
"""

PLAIN = """
class Plain:
    def transform_predict(self, {argument}):
        variables["seen"] = variables.get("seen", 0) + 1
        return {{"type": type(variables).__name__, "got": variables}}
"""

FRAME = """
{imports}
class Frame:
    def transform_predict(self, {argument}):
        import pandas
        assert type(df) is pandas.DataFrame
        return {{"columns": list(df.columns), "rows": len(df), "first": df.iloc[0].to_dict()}}
"""

FAILS_AT = """
class FailsAt:
    calls = 0
    def transform_predict(self, variables):
        FailsAt.calls += 1
        if variables.get("bad"):
            raise ValueError("bad one")
        if variables.get("odd"):
            return [1]
        return {"n": variables.get("n"), "calls": FailsAt.calls}
"""

NO_ARGUMENT = "class A:\n    def transform_predict(self):\n        return {'by': 'nothing'}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("variables")
    repo = Repo(home / "models")
    sources = {
        **MODELS,
        "Strict": STRICT,
        "StrictPydantic": STRICT_PYDANTIC,
        "Unannotated": PLAIN.format(argument="variables"),
        "Dict": PLAIN.format(argument="variables: dict"),
        "DictOfAny": "from typing import Any\n" + PLAIN.format(argument="variables: dict[str, Any]"),
        "Optional": PLAIN.format(argument="variables: dict | None = None"),
        "Mapping": "from collections.abc import Mapping\n" + PLAIN.format(argument="variables: Mapping[str, object]"),
        "Frame": FRAME.format(imports="import pandas as pd", argument="df: pd.DataFrame"),
        "FrameAsString": FRAME.format(imports="", argument="df: 'pd.DataFrame'"),
        "FrameByManifest": FRAME.format(imports="", argument="df"),
        "FailsAt": FAILS_AT,
        "NoArgument": NO_ARGUMENT,
    }
    for name, source in sources.items():
        repo.write(f"{name}/etls.py", source)
    repo.write("FrameByManifest/model.yaml", "serve: {variables: dataframe}\n").commit()
    with serving(home / "data", repo.path) as server:
        yield server


def _refusal(server: Server, model: str, variables: Any) -> dict[str, Any]:
    return server.post(f"/{model}", {"variables": variables}).error(422, "invalid_variables")


def test_every_model_here_is_live(server: Server) -> None:
    assert {name: model["failure"] for name, model in server.models().items() if not model["live"]} == {}


@pytest.mark.parametrize("model", ["Unannotated", "Dict", "DictOfAny", "Optional", "Mapping"])
def test_dicts_come_as_they_were_sent(server: Server, model: str) -> None:
    sent = {"a": 1, "b": {"c": [1, 2.5, None, True, "x"]}, "é": "€"}
    assert server.score(model, **sent) == {"type": "dict", "got": {**sent, "seen": 1}}
    assert server.post(f"/{model}").json["got"] == {"seen": 1}
    assert server.get(f"/{model}").json["got"] == {"seen": 1}, "what one request changed, another does not see"


@pytest.mark.parametrize("model", MODELS)
def test_typed_variables_are_validated_and_converted(server: Server, model: str) -> None:
    answer = server.score(model, age=36, name="Ada", scores=[1, 2.5], born="1815-12-10", more="ignored")
    assert answer == {"kind": "dict" if model == "Typed" else "Person", "age": 36, "born": "1815-12-10"}
    assert server.score(model, age=36)["born"] == "None"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({}, "age"),
        ({"age": "old"}, "age"),
        ({"age": 1.5}, "age"),
        ({"age": None}, "age"),
        ({"age": 1, "name": 5}, "name"),
        ({"age": 1, "scores": [1, "x"]}, "scores"),
        ({"age": 1, "born": "yesterday"}, "born"),
    ],
)
def test_the_variable_that_does_not_fit_is_named(
    server: Server, model: str, variables: dict[str, object], field: str
) -> None:
    error = _refusal(server, model, variables)
    assert error["field"].startswith(field)
    assert error["message"].startswith(field)
    assert "Person" not in error["message"]


def test_a_type_may_forbid_what_it_does_not_know(server: Server) -> None:
    for model in ("Strict", "StrictPydantic"):
        assert server.score(model, age=3) == {"age": 3}
        assert _refusal(server, model, {"age": 3, "aeg": 3})["field"] == "aeg"


def test_what_the_authors_validators_say_reaches_the_caller(server: Server) -> None:
    assert "nobody is that old" in _refusal(server, "StrictPydantic", {"age": 151})["message"]
    assert _refusal(server, "StrictPydantic", {"age": 1, "home": {"street": 5}})["field"] == "home.street"
    assert _refusal(server, "StrictPydantic", {"age": -1})["field"] == "age"


@pytest.mark.parametrize("model", ["Frame", "FrameAsString", "FrameByManifest"])
def test_a_dataframe_has_one_row_flattened(server: Server, model: str) -> None:
    assert server.score(model, a=1, b={"c": 2.5, "d": {"e": "x"}}) == {
        "columns": ["a", "b.c", "b.d.e"],
        "rows": 1,
        "first": {"a": 1, "b.c": 2.5, "b.d.e": "x"},
    }
    assert server.post(f"/{model}", {}).json == {"columns": [], "rows": 1, "first": {}}


def test_a_list_is_answered_by_a_list(server: Server) -> None:
    many = [{"n": n} for n in range(1000)]
    answers = server.post("/FailsAt", {"variables": many}).json
    assert [answer["n"] for answer in answers] == list(range(1000))
    assert len({answer["calls"] for answer in answers}) == 1000, "each is scored by a call of its own"
    assert server.post("/FailsAt", {"variables": []}).json == []
    assert server.post("/Frame", {"variables": [{"a": 1}, {"b": 2}]}).json[1]["columns"] == ["b"]
    assert server.post("/NoArgument", {"variables": [{}, {}]}).json == [{"by": "nothing"}] * 2


@pytest.mark.parametrize("model", ["FailsAt", "Dataclass", "Pydantic", "Frame", "NoArgument"])
def test_a_list_of_more_than_a_thousand_is_refused(server: Server, model: str) -> None:
    assert "1,000" in _refusal(server, model, [{"age": 1}] * 1001)["message"]


def test_one_of_a_list_that_fails_fails_the_request_and_is_named(server: Server) -> None:
    answer = server.post("/FailsAt", {"variables": [{}, {}, {"bad": True}, {}]})
    error = answer.error(500, "model_error")
    assert (error["index"], error["message"]) == (2, "ValueError: bad one")
    assert server.post("/FailsAt", {"variables": [{}, {"odd": 1}]}).error(500, "bad_answer")["index"] == 1


@pytest.mark.parametrize("model", MODELS)
def test_one_of_a_list_that_does_not_fit_is_named(server: Server, model: str) -> None:
    error = _refusal(server, model, [{"age": 1}, {"age": 2}, {"age": "x"}])
    assert (error["index"], error["field"]) == (2, "age")
    for wrong in ([{"age": 1}, 5], [{"age": 1}, [{"age": 1}]], [{"age": 1}, None]):
        assert _refusal(server, model, wrong)["index"] == 1


def test_a_list_for_a_dict_model_that_holds_no_objects_names_the_first(server: Server) -> None:
    assert _refusal(server, "Dict", [{}, 5])["index"] == 1


def test_dataframes_can_be_the_default_of_the_whole_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("frames")
    repo = Repo(home / "models")
    repo.write("Frame/etls.py", FRAME.format(imports="", argument="df"))
    repo.write("Dict/etls.py", PLAIN.format(argument="variables: dict"))
    repo.write("ByManifest/etls.py", PLAIN.format(argument="variables"))
    repo.write("ByManifest/model.yaml", "serve: {variables: dict}\n").commit()
    with serving(home / "data", repo.path, VARIABLES="dataframe") as server:
        assert server.score("Frame", a=1)["columns"] == ["a"]
        assert server.score("Dict", a=1)["type"] == "dict"
        assert server.score("ByManifest", a=1)["type"] == "dict"
