"""A model whose environment has the first generation of pydantic alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import v1

from tests.worker.processes import Worker, starting, write_model
from worker.wire.messages import Description

TYPED = """
    from pydantic import VERSION, BaseModel, Field

    class Home(BaseModel):
        street: str = "Lane"

    class In(BaseModel):
        age: int = Field(1, alias="Age")
        home: Home = Home()

    class Out(BaseModel):
        next_age: int = Field(alias="nextAge")
        home: Home

    class Typed:
        def transform_predict(self, variables: In) -> Out:
            assert VERSION.startswith("1.")
            return Out(nextAge=variables.age + 1, home=variables.home)
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Worker, Description]]:
    folder = write_model(tmp_path_factory.mktemp("first"), TYPED)
    _write_first_generation(folder / "pydantic")
    with starting(folder) as worker:
        yield worker, worker.ready()


def _write_first_generation(folder: Path) -> None:
    """The package that the second generation carries it on as, under the name that it has alone."""
    folder.mkdir()
    for module in Path(v1.__file__).parent.glob("*.py"):
        (folder / module.name).write_text(re.sub(r"\bpydantic\.v1\b", "pydantic", module.read_text()))


def test_its_types_are_validated_and_answered_by_their_aliases(started: tuple[Worker, Description]) -> None:
    worker, _ = started
    assert worker.ask({"variables": {"Age": "2"}}) == (200, {"nextAge": 3, "home": {"street": "Lane"}})
    assert worker.ask(b"") == (200, {"nextAge": 2, "home": {"street": "Lane"}})


def test_what_does_not_fit_is_named(started: tuple[Worker, Description]) -> None:
    status, answer = started[0].ask({"variables": {"Age": "two"}})
    assert (status, answer["error"]["field"]) == (422, "Age")


def test_its_types_are_described(started: tuple[Worker, Description]) -> None:
    description = started[1]
    for schema, name in ((description.variables_schema, "Age"), (description.answer_schema, "nextAge")):
        assert schema is not None
        assert name in schema["properties"]
        assert "Home" in schema["$defs"]
