"""Routes of events, of this document, and of the webhook."""

from __future__ import annotations

from core import paths
from core.events import EventKind
from server.http.admin_openapi import shapes
from server.http.admin_openapi.operations import EVENT_STREAM, Operation, Reply, listed, moment, number, one_of, text
from server.http.api.lists import MOST
from server.http.api.sync import Synced

_EVENTS = (
    text("model", "Events of one model."),
    one_of("kind", "Events of one kind.", list(EventKind)),
    text("actor", "What somebody of that name did, or `key`, `session`, `git` or `pawl`."),
    moment("since", "Events from that time on."),
)

EVENTS: tuple[Operation, ...] = (
    Operation(
        "get",
        paths.API_EVENTS,
        "Lists what happened, the newest first.",
        "view",
        {200: Reply(shapes.EventList)},
        parameters=(*_EVENTS, *listed(MOST, 100)),
    ),
    Operation(
        "get",
        paths.API_EVENTS_STREAM,
        "Streams what happens; `Last-Event-ID` goes on from there.",
        "view",
        {200: Reply(None, EVENT_STREAM)},
        errors=("too_many_streams",),
        parameters=_EVENTS,
    ),
    Operation("get", paths.API_OPENAPI, "This document.", "view", {200: Reply(shapes.Document)}),
    Operation(
        "post",
        paths.SYNC,
        "Has Pawl look at the repository now; the webhook.",
        "none",
        {200: Reply(Synced), 202: Reply(Synced)},
        errors=("unauthorized", "body_too_large"),
        parameters=(number("wait", "Seconds to wait for what comes of it.", 50, 0, 0),),
    ),
)
