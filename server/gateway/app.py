"""The ASGI application: from a request's path to whoever answers it."""

from __future__ import annotations

import asyncio

from server.gateway.asgi import Receive, Scope, Send, declared_length, json_length, respond, respond_refused
from server.gateway.body import Bodies, CallerGone
from server.gateway.caller import Caller
from server.gateway.dispatch import Dispatch
from server.gateway.fanout import flat, malformed, score_all, side_by_side
from server.gateway.forward import Forward
from server.gateway.place import Kind, Place, find_place, may_be_version
from server.gateway.refusal import CLOSE, JSON_TYPE, NO_STORE, Refused, refuse, shorten
from server.gateway.routing import Target
from server.gateway.starts import Starts
from server.gateway.tables import Tables

_ALLOW = (b"allow", b"GET, HEAD, POST")
_ALLOW_READING = (b"allow", b"GET, HEAD")
_READING = ("GET", "HEAD")


class Application:
    """Answers requests by the table in force."""

    def __init__(
        self, *, base: str, tables: Tables, bodies: Bodies, dispatch: Dispatch, starts: Starts, forward: Forward
    ) -> None:
        self._base = base
        self._loop = asyncio.get_running_loop()
        self._tables = tables
        self._bodies = bodies
        self._dispatch = dispatch
        self._starts = starts
        self._forward = forward

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["state"]["caller"]
        caller.task = asyncio.current_task(self._loop)
        try:
            await self._answer(scope, receive, send)
        except Refused as refused:
            await respond_refused(send, refused, scope["headers"])
        except CallerGone:
            pass
        except asyncio.CancelledError:
            if not caller.gone:
                await respond_refused(send, _too_slow() if caller.late else _stopping(), scope["headers"])
        finally:
            caller.task = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in self._tables.routing.targets:
            await self._answer_model(scope, receive, send)
            return
        place = find_place(self._base, path)
        match place.kind:
            case Kind.MODEL:
                self._check_known(place)
                await self._answer_model(scope, receive, send)
            case Kind.ALL:
                await self._answer_all(scope, receive, send)
            case Kind.DAEMON:
                await self._answer_by_daemon(scope, receive, send)
            case Kind.HEALTH | Kind.READY:
                await self._answer_probe(scope, send, place.kind)
            case Kind.NOTHING:
                raise self._nothing(path)

    async def _answer_model(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._read(scope, receive)
        try:
            # Looked up now, not before the body came: a new table holds for every request that is not under way yet.
            target = self._tables.routing.targets.get(scope["path"]) or await self._start(scope["path"])
            answer = await self._dispatch.score(target, body)
        finally:
            self._bodies.release(body)
        headers = target.headers if scope["method"] == "POST" else target.get_headers
        await respond(send, answer.status, answer.body, headers)

    async def _answer_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._read(scope, receive)
        try:
            answers = await score_all(self._dispatch, self._tables.routing.live, body)
        finally:
            self._bodies.release(body)
        headers = (JSON_TYPE,) if scope["method"] == "POST" else (JSON_TYPE, NO_STORE)
        if answer := malformed(answers):
            await respond(send, answer.status, answer.body, headers)
        else:
            join = flat if b"flat=true" in scope["query_string"].split(b"&") else side_by_side
            await respond(send, 200, join(answers), headers)

    async def _answer_by_daemon(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._bodies.read(receive, declared_length(scope["headers"]))
        try:
            await self._forward.pass_on(scope, body, send)
        finally:
            self._bodies.release(body)

    async def _answer_probe(self, scope: Scope, send: Send, kind: Kind) -> None:
        if scope["method"] not in _READING:
            raise refuse(405, "method_not_allowed", "use GET", _ALLOW_READING)
        if kind is Kind.READY and not self._tables.routing.table.ready:
            raise self._not_ready()
        await respond(send, 200, b'{"status":"ready"}' if kind is Kind.READY else b'{"status":"ok"}')

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] == "POST":
            return await self._bodies.read(receive, json_length(scope["headers"]))
        if scope["method"] in _READING:
            return b""
        raise refuse(405, "method_not_allowed", "POST variables, or GET without any", _ALLOW)

    async def _start(self, path: str) -> Target:
        """The target of a path that the table doesn't have, once the daemon has started it. Raises Refused."""
        place = find_place(self._base, path)
        self._check_known(place)
        await self._starts.wait_for(place.model, place.version)
        target = self._tables.routing.targets.get(path)
        if target is None:
            raise refuse(503, "not_live", f"{place.model} {place.version} has stopped again; try again")
        return target

    def _check_known(self, place: Place) -> None:
        """Raise Refused unless `place` is a version that the daemon could start."""
        table, model = self._tables.routing.table, place.model
        if model in table.down and not place.version:
            raise refuse(503, "not_live", f"{model} has nothing to answer with: {table.down[model]}")
        if model not in table.live and model not in table.down:
            raise self._unknown(model)
        if not may_be_version(place.version):
            named = f"{model} has no version {shorten(place.version)}"
            raise refuse(404, "version_not_found", f"{named}; say vN or at least 7 digits of a commit")

    def _unknown(self, model: str) -> Refused:
        if not self._tables.routing.table.ready:
            return refuse(503, "not_live", "the models are still being loaded; /readyz tells which")
        listed = f"GET {self._base}/ lists what is served"
        return refuse(404, "model_not_found", f"no model is called {shorten(model)}; {listed}")

    def _not_ready(self) -> Refused:
        table = self._tables.routing.table
        waiting = ", ".join(sorted(table.down)) or "the first models"
        message = f"waiting for {waiting}"
        return Refused(503, {"code": "not_ready", "message": message, "live": sorted(table.live), "down": table.down})

    def _nothing(self, path: str) -> Refused:
        return refuse(404, "not_found", f"nothing is at {shorten(path)}; GET {self._base}/ lists what is served")


def _too_slow() -> Refused:
    return refuse(408, "body_timeout", "the body has not come in time", CLOSE)


def _stopping() -> Refused:
    return refuse(503, "stopping", "the server stops and has no time left for the request")
