"""Who asks for an action, why, and what he saw: in the body or, of a DELETE, whose body some clients can't send, in the
query."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request

from core.events import as_reason
from server.http.access import actor_of
from server.http.parameters import ParameterInvalid
from server.steering.actions.steering import Asker


class Reasoned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes with whatever is changed."""

    reason: str = ""


class Said(Reasoned, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes with an action on a model."""

    expect: Annotated[str, msgspec.Meta(min_length=1)] | None = None


def asker_of(request: Request, said: Said) -> Asker:
    """Raises ParameterInvalid where nothing is expected: whoever meant to name a version wants nothing done then."""
    expect = said.expect or request.query_params.get("expect")
    if expect == "":
        raise ParameterInvalid("expect", expect, "the version that you saw live, such as v4")
    return Asker(actor_of(request), reason_of(request, said), expect)


def reason_of(request: Request, said: Reasoned) -> str:
    return as_reason(said.reason or request.query_params.get("reason", ""))
