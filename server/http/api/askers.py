"""Who asks for an action, why, and what he saw: in the body or, of a DELETE, whose body some clients can't send, in the
query."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from server.http.access import actor_of
from server.steering.actions.steering import Asker


class Reasoned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes with whatever is changed."""

    reason: str = ""


class Said(Reasoned, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes with an action on a model."""

    expect: str | None = None


def asker_of(request: Request, said: Said) -> Asker:
    return Asker(actor_of(request), reason_of(request, said), said.expect or request.query_params.get("expect"))


def reason_of(request: Request, said: Reasoned) -> str:
    return said.reason or request.query_params.get("reason", "")
