"""One model's paths in the OpenAPI document: the plain one, and the one of its versions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.names import VERSION_FORM
from loader.workers.examples import Example
from server.openapi.bodies import ANYTHING, json_content, one_or_many, request, request_body
from server.openapi.components import Components, Schema
from server.openapi.error_responses import faults
from server.state import LiveRelease

HEADERS = {
    "X-Pawl-Model": "The model that answered.",
    "X-Pawl-Version": "Its version, `vN`.",
    "X-Pawl-Commit": "The full hash of the commit that gave the version.",
    "X-Pawl-Role": "`live` at the model's own path, `version` where the path names one.",
    "X-Pawl-Run": "The run that left what answers; absent where the model is not trained.",
}
_HEADER_REFS = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}

_VERSION: Schema = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "`vN`, at least 7 digits of a commit, or `run-` and the key of a run.",
    "schema": {"type": "string", "pattern": f"^({VERSION_FORM})$"},
}


class ModelPaths:
    """One model's part of the document."""

    def __init__(self, name: str, live: LiveRelease, examples: Sequence[Example], components: Components) -> None:
        self.name = name
        self._live = live
        self._examples = list(enumerate(examples))
        self._about = live.about.replace("<", r"\<")
        """Markdown (CommonMark), and no HTML in it: strangers wrote it."""
        description = live.description
        self.variables = _added(components, name, "variables", description.variables_schema) or ANYTHING
        self.answer = _added(components, name, "answer", description.answer_schema) or ANYTHING
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
            "responses": self._responses(one_or_many(self.answer), self._answer_examples(), has_body=True),
        }

    def _request_body(self) -> Schema:
        if self._takes_any_type:
            return {"required": True, "content": {"*/*": {}}}
        return request_body(request(self.variables, self._is_required), self._is_required, self._request_examples())

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
            "content": json_content(schema, examples),
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
