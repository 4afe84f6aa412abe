"""The admin API keeps to its own OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from core.paths import PATHS
from server.http.admin_openapi.document import admin_document
from server.http.admin_openapi.table.table import OPERATIONS
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

STREAMS = ("/events/stream",)
DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(admin_document(OPERATIONS, "/models_serve", "")))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    repo = Repo(tmp_path_factory.mktemp("openapi") / "models")
    repo.write("A/etls.py", echo("one")).write("B/etls.py", echo("b")).commit()
    repo.commit_file("A/etls.py", "raise ValueError('no')\n")
    repo.commit_file("A/etls.py", echo("two"))
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def test_the_document_is_served_and_is_one_of_openapi(server: Server) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    found = server.admin("GET", "/-/api/openapi.json")
    assert found.status == 200
    OpenAPIV31SpecValidator(found.json).validate()
    assert found.json == DOCUMENT


def test_every_path_of_the_api_is_in_the_table() -> None:
    told = {one.path.template for one in OPERATIONS}
    assert {path.template for path in PATHS if path.template.startswith("/-/api/")} - told == set()


def operations() -> list[tuple[str, str]]:
    found = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
    return [(path, method) for path, method in found if not path.endswith(STREAMS)]


@cache
def schema() -> Any:
    """Imported only here: it takes seconds, and each process that runs tests imports every file of them."""
    import schemathesis

    return schemathesis.openapi.from_dict(DOCUMENT)


@cache
def checks() -> list[Any]:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize(("path", "method"), operations())
def test_answers_are_as_the_document_says(server: Server, path: str, method: str) -> None:
    operation = schema()[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any) -> None:
        if case.query:
            case.query.pop("follow", None)  # which goes on for ever
        for name, there in (("model", "A"), ("version", "v2")):  # as often one that is there as one made up
            if name in case.path_parameters and len(case.path_parameters[name]) % 2:
                case.path_parameters[name] = there
        case.call_and_validate(
            base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, checks=checks(), timeout=60
        )

    holds()
