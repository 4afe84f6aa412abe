"""What a cluster takes, strictly: the schemas that kubernetes-validate ships, each read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
from referencing import Registry, Resource

_SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"


def validate(object: Mapping[str, Any], version: str) -> None:
    """Raises jsonschema.ValidationError, and FileNotFoundError for a kind that the version doesn't have."""
    _validator(version, object["kind"], object["apiVersion"]).validate(object)


@cache
def _validator(version: str, kind: str, api_version: str) -> jsonschema.Draft202012Validator:
    group, _, name = api_version.rpartition("/")
    file = "-".join(filter(None, [kind.lower(), group.partition(".")[0], name]))
    return jsonschema.Draft202012Validator(_read(version, file), registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    """Crawled once: a registry finds what schemas hold anew for each that it is asked for."""
    return (Resource.from_contents(_read(version, "_definitions")) @ Registry()).crawl()


def _read(version: str, name: str) -> Any:
    return json.loads((_SCHEMAS / f"v{version}.0-local-strict" / f"{name}.json").read_text())
