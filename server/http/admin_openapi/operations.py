"""What the table of the admin API's routes is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from core.paths import HttpPath

Schema = dict[str, Any]
Method = Literal["get", "post", "put", "delete"]
Scope = Literal["view", "operate", "admin", "none"]


@dataclass(frozen=True)
class Parameter:
    """One of the query's."""

    name: str
    says: str
    schema: Schema


@dataclass(frozen=True)
class Reply:
    """What is answered when it goes well."""

    shape: Any
    """A type that msgspec describes; None: what is of no shape, such as a text."""
    media: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """One line of the table: a method of a path."""

    method: Method
    path: HttpPath
    says: str
    scope: Scope
    replies: dict[int, Reply | None]
    """By status; None: an answer without a body."""
    errors: tuple[str, ...] = ()
    """Codes, besides those that any route may answer with."""
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    """A type that msgspec describes; None: it takes none."""


def text(name: str, says: str, **more: Any) -> Parameter:
    return Parameter(name, says, {"type": "string", **more})


def number(name: str, says: str, most: int, default: int, least: int = 1) -> Parameter:
    return Parameter(name, says, {"type": "integer", "minimum": least, "maximum": most, "default": default})


def one_of(name: str, says: str, choices: list[str]) -> Parameter:
    return Parameter(name, says, {"type": "string", "enum": choices})


def moment(name: str, says: str) -> Parameter:
    return Parameter(
        name, f"{says} With its zone, such as 2026-06-21T12:00:00Z.", {"type": "string", "format": "date-time"}
    )


def listed(most: int, default: int) -> tuple[Parameter, ...]:
    """The parameters that every list takes."""
    return (
        number("limit", "How many items come at most.", most, default),
        text("cursor", "What `next` was in the answer before."),
    )


EVENT_STREAM = "text/event-stream"
VERSION_ERRORS = ("model_not_found", "version_not_found", "version_ambiguous", "not_trained", "artifact_gone")
"""Of a route that names a version."""
FOLLOW = one_of("follow", "1: go on with what comes.", ["0", "1"])
