"""The OpenAPI document of what is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.names import VERSION_FORM
from core.paths import ALL, MODEL, VERSION
from loader.workers.examples import Example
from server.openapi.components import Components, Schema
from server.openapi.error_responses import ERROR_SCHEMA, faults, responses
from server.state import LiveRelease, ServerState
from worker.wire.messages import MAX_VARIABLES

_ANYTHING: Schema = {"type": "object", "additionalProperties": True}
_HEADERS = {
    "X-Pawl-Model": "The model that answered.",
    "X-Pawl-Version": "Its version, `vN`.",
    "X-Pawl-Commit": "The full hash of the commit that gave the version.",
}
_HEADER_REFS = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}


def openapi(state: ServerState, base: str, prefix: str, examples: Mapping[str, Sequence[Example]]) -> Schema:
    """An OpenAPI 3.1 document.

    `base` is the base path ("" or "/one/two"), `prefix` the path that a proxy takes off before it; `examples` are those
    to show, by model.
    """
    components = Components({"Error": ERROR_SCHEMA})
    live = {name: model.live for name, model in state.models.items() if model.live is not None}
    models = [_Model(name, release, examples.get(name, ()), components) for name, release in live.items()]
    paths: dict[str, Schema] = {}
    for model in models:
        paths[base + MODEL.of(model.name)] = model.path()
        paths[base + VERSION.of(model.name)] = model.version_path()
    paths[base + ALL.template] = _all_path(models)
    return {
        "openapi": "3.1.0",
        "info": _info(state),
        "servers": [{"url": prefix or "/"}],
        "tags": [*(model.tag() for model in models), {"name": "all", "description": "Every model at once."}],
        "paths": paths,
        "components": {"schemas": components.schemas, "responses": responses(), "headers": _headers()},
    }


def _info(state: ServerState) -> Schema:
    return {
        "title": "Models served by Pawl",
        "version": state.head[:12] or "none",
        "description": "POST `variables` to a model's path; a list of them is answered with a list. "
        "Every answer's headers name the model, the version and the commit that gave it.",
        "x-pawl-source": state.source,
        "x-pawl-head": state.head,
    }


def _headers() -> Schema:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()}


class _Model:
    """One model's part of the document."""

    def __init__(self, name: str, live: LiveRelease, examples: Sequence[Example], components: Components) -> None:
        self.name = name
        self._live = live
        self._examples = list(enumerate(examples))
        self._about = live.about.replace("<", r"\<")
        """Markdown (CommonMark), and no HTML in it: strangers wrote it."""
        description = live.description
        self.variables = _added(components, name, "variables", description.variables_schema) or _ANYTHING
        self.answer = _added(components, name, "answer", description.answer_schema) or _ANYTHING
        self._takes_nothing = description.takes == "nothing"
        self._takes_any_type = description.takes == "bytes"
        self._is_required = bool(_resolved(self.variables, components).get("required"))

    def tag(self) -> Schema:
        return {"name": self.name, "description": self._about or f"The model {self.name}."}

    def path(self) -> Schema:
        about = f"{self._about}\n\nLive: {self._live.version}, commit `{self._live.commit}`.".lstrip()
        return {
            "x-pawl-version": self._live.version,
            "x-pawl-commit": self._live.commit,
            "x-pawl-release": self._live.release,
            "post": self._post(f"score_{self.name}", f"Score with {self.name}", about),
            "get": self._get(f"get_{self.name}", f"Score with {self.name} without variables", about),
        }

    def version_path(self) -> Schema:
        about = (
            "As the plain path, with a release of the reader's choice. It is started when first asked for, which may "
            "take a while. Its variables and answer may differ from those of the live release, shown here."
        )
        return {
            "parameters": [_VERSION],
            "post": self._post(f"scoreVersion_{self.name}", f"Score with a given version of {self.name}", about),
            "get": self._get(
                f"getVersion_{self.name}", f"Score with a given version of {self.name} without variables", about
            ),
        }

    def _post(self, id: str, summary: str, about: str) -> Schema:
        return {
            **self._operation(id, summary, about),
            "requestBody": self._request_body(),
            "responses": self._responses(_one_or_many(self.answer), self._answer_examples(), has_body=True),
        }

    def _request_body(self) -> Schema:
        if self._takes_any_type:
            return {"required": True, "content": {"*/*": {}}}
        return _body(_request(self.variables, self._is_required), self._is_required, self._request_examples())

    def _get(self, id: str, summary: str, about: str) -> Schema:
        return {
            **self._operation(id, summary, about),
            "responses": self._responses(self.answer, {}, has_body=False),
        }

    def _operation(self, id: str, summary: str, about: str) -> Schema:
        note = "\n\nIt takes no variables; what is sent is ignored." if self._takes_nothing else ""
        return {"operationId": id, "tags": [self.name], "summary": summary, "description": about + note}

    def _responses(self, schema: Schema, examples: Schema, *, has_body: bool) -> Schema:
        answer = {
            "description": "The model's answer.",
            "headers": _HEADER_REFS,
            "content": _json(schema, examples),
        }
        return {"200": answer, **faults(has_body=has_body)}

    def _request_examples(self) -> Schema:
        return {
            f"example-{index}": {"value": {} if one.variables is None else {"variables": one.variables}}
            for index, one in self._examples
        }

    def _answer_examples(self) -> Schema:
        return {
            f"example-{index}": {"value": one.expect}
            for index, one in self._examples
            if one.expect is not msgspec.UNSET
        }


def _added(components: Components, model: str, title: str, schema: Schema | None) -> Schema | None:
    """A reference to the schema; None where there is none, or one too deep to be read."""
    try:
        return components.add(model, title, schema) if schema else None
    except RecursionError:
        return None


def _resolved(schema: Schema, components: Components) -> Schema:
    found = components.schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    return found if isinstance(found, dict) else {}


def _all_path(models: Sequence[_Model]) -> Schema:
    """Variables go to every model as they are, and the answers come side by side."""
    about = (
        "Every live model scores the same variables; the answers come side by side, by model. A model that fails has "
        "its error in its place."
    )
    error = {"$ref": "#/components/schemas/Error"}
    answers = {
        "type": "object",
        "properties": {model.name: {"anyOf": [*_one_or_many(model.answer)["anyOf"], error]} for model in models},
    }
    flat = {"anyOf": [answers, {"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
    operation = {"tags": ["all"], "description": about, "parameters": [_FLAT]}

    def responses(*, has_body: bool) -> Schema:
        good = {"description": "The answers.", "content": _json(flat, {})}
        return {"200": good, **faults(has_body=has_body, of_model=False)}

    return {
        "post": {
            "operationId": "scoreAll",
            "summary": "Score with every model",
            **operation,
            "requestBody": _body(_request(_ANYTHING, False), False, {}),
            "responses": responses(has_body=True),
        },
        "get": {
            "operationId": "getAll",
            "summary": "Score with every model without variables",
            **operation,
            "responses": responses(has_body=False),
        },
    }


def _request(variables: Schema, is_required: bool) -> Schema:
    """What is sent: `variables`, or a list of them."""
    choices: list[Schema] = [*_one_or_many(variables)["anyOf"], *([] if is_required else [{"type": "null"}])]
    request: Schema = {"type": "object", "properties": {"variables": {"anyOf": choices}}}
    return {**request, "required": ["variables"]} if is_required else request


def _one_or_many(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "array", "items": schema, "maxItems": MAX_VARIABLES}]}


def _body(schema: Schema, is_required: bool, examples: Schema) -> Schema:
    return {"required": is_required, "content": _json(schema, examples)}


def _json(schema: Schema, examples: Schema) -> Schema:
    media: dict[str, Any] = {"schema": schema}
    return {"application/json": {**media, "examples": examples} if examples else media}


_VERSION: Schema = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "`vN`, or at least 7 digits of a commit.",
    "schema": {"type": "string", "pattern": f"^({VERSION_FORM})$"},
}
_FLAT: Schema = {
    "name": "flat",
    "in": "query",
    "description": "The fields of all answers in one object.",
    "schema": {"type": "boolean", "default": False},
}
