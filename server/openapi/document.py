"""The OpenAPI document of what is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.paths import ALL, MODEL, VERSION
from loader.workers.examples import Example
from server.openapi.all_path import all_path
from server.openapi.components import Components, Schema
from server.openapi.error_responses import ERROR_SCHEMA, responses
from server.openapi.model_paths import HEADERS, ModelPaths
from server.state import ServerState

_KEY: Schema = {"type": "http", "scheme": "bearer", "description": "A key of scope predict: `pawl_…`."}


def openapi(
    state: ServerState,
    base: str,
    prefix: str,
    examples: Mapping[str, Sequence[Example]],
    *,
    needs_keys: bool = False,
) -> Schema:
    """An OpenAPI 3.1 document.

    `base` is the base path ("" or "/one/two"), `prefix` the path that a proxy takes off before it; `examples` are those
    to show, by model. `needs_keys`: whether models are asked with one.
    """
    components = Components({"Error": ERROR_SCHEMA})
    live = {name: model.live for name, model in state.models.items() if model.live is not None}
    models = [ModelPaths(name, release, examples.get(name, ()), components) for name, release in live.items()]
    paths: dict[str, Schema] = {}
    for model in models:
        paths[base + MODEL.of(model.name)] = model.path()
        paths[base + VERSION.of(model.name)] = model.version_path()
    paths[base + ALL.template] = all_path(models)
    security: Schema = {"security": [{"key": []}]} if needs_keys else {}
    return {
        "openapi": "3.1.0",
        "info": _info(state),
        "servers": [{"url": prefix or "/"}],
        "tags": [*(model.tag() for model in models), {"name": "all", "description": "Every model at once."}],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "responses": responses(),
            "headers": _headers(),
            **({"securitySchemes": {"key": _KEY}} if needs_keys else {}),
        },
        **security,
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
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()}
