"""From a request's path to whoever answers it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from core.names import may_be_version
from core.paths import ADMIN, METRICS, REFACTOR, STATIC, SYNC, Kind
from core.task import spawn
from gateway.http.bodies import BodyBudget
from gateway.http.body_stream import BodyStream
from gateway.http.cors import Cors
from gateway.http.decompression import is_packed, unpack
from gateway.http.exchange import Answerer, Exchange
from gateway.http.headers import encode_headers
from gateway.http.refusals import ALLOW, JSON_TYPE, NO_STORE, Refused, failure, refuse, shorten
from gateway.http.request import body_format, check_reading, declared_length, parse_url, wants_flat
from gateway.routes.all_models import flat, malformed, side_by_side
from gateway.routes.current import CurrentTable
from gateway.routes.forwarding import Forwarding
from gateway.routes.keys import Caller
from gateway.routes.paths import Place, find_place, takes_upload
from gateway.routes.route_table import Target
from gateway.routes.scoring import Scoring
from gateway.routes.version_starts import VersionStarts

log = logging.getLogger("pawl.gateway")

_ALLOW_READING = (b"allow", b"GET, HEAD")
_READING = (b"GET", b"HEAD")
_JSON = encode_headers([JSON_TYPE])
_JSON_NOT_TO_STORE = encode_headers([JSON_TYPE, NO_STORE])


class Application:
    """Answers requests by the table in force."""

    def __init__(
        self,
        *,
        base: str,
        current: CurrentTable,
        bodies: BodyBudget,
        scoring: Scoring,
        starts: VersionStarts,
        forward: Forwarding,
        cors: Cors | None = None,
        has_admin: bool = True,
    ) -> None:
        """`cors`: None where no page of another origin may read answers. `has_admin`: whether operators' pages and the
        admin API are reached here."""
        self._base = base
        self._current = current
        self._bodies = bodies
        self._scoring = scoring
        self._starts = starts
        self._forward = forward
        self._cors = cors
        self._has_admin = has_admin

    def route(self, exchange: Exchange) -> Answerer:
        """Who answers a request of which only the head has come. Raises Refused where nobody does."""
        if self._cors is not None and self._cors.admit(exchange, parse_url(exchange.url).path):
            return self._cors.answer_preflight
        answerer = self._find(exchange)
        if b"content-encoding" in exchange.fields and exchange.method not in _READING and is_packed(exchange.fields):
            return self._once_unpacked(answerer)
        return answerer

    def _find(self, exchange: Exchange) -> Answerer:
        targets = self._current.routes.targets
        if exchange.path not in targets:
            exchange.path = parse_url(exchange.url).path.encode()
        if (target := targets.get(exchange.path)) is not None:
            self._admit(exchange, target.model)
            self._check(exchange, target)
            return self._answer_model
        path = exchange.path.decode()
        place = find_place(self._base, path)
        match place.kind:
            case Kind.MODEL if self._asks_to_look(exchange, place):
                return self._in_background(self._forward.pass_on)
            case Kind.MODEL:
                self._admit(exchange, place.model)
                self._check_known(place)
                self._check(exchange, self._current.routes.live.get(place.model))
                return self._answer_model
            case Kind.ALL:
                caller = self._admit(exchange, None)
                self._check(exchange, None, taken=(b"flat",))
                wants_flat(exchange.url)  # before anything is scored
                return self._in_background(partial(self._answer_all, caller))
            case Kind.DAEMON:
                if not self._has_admin and _is_admin(path.removeprefix(self._base)):
                    raise self._nothing(path)
                if b"content-encoding" not in exchange.fields and takes_upload(self._base, exchange.method, path):
                    exchange.stream = BodyStream(exchange.connection)
                else:
                    self._bodies.check(declared_length(exchange.fields))
                return self._in_background(self._forward.pass_on)
            case Kind.HEALTH | Kind.READY:
                return self._probe(exchange, place.kind)
            case Kind.NOTHING:
                raise self._nothing(path)

    def _asks_to_look(self, exchange: Exchange, place: Place) -> bool:
        table = self._current.routes.table
        is_there = REFACTOR.first == place.model and not place.version and exchange.method in _READING
        return is_there and place.model not in table.live and place.model not in table.down

    def _answer_model(self, exchange: Exchange) -> None:
        # Looked up now, not before the body came: a new table holds for every request that is not under way yet.
        target = self._current.routes.targets.get(exchange.path)
        if target is None:
            self._in_background(self._answer_once_started)(exchange)
        else:
            self._scoring.score(exchange, target)

    def _once_unpacked(self, answerer: Answerer) -> Answerer:
        async def answer(exchange: Exchange) -> None:
            await unpack(exchange, self._bodies)
            answerer(exchange)

        return self._in_background(answer)

    def _in_background(self, work: Callable[[Exchange], Awaitable[None]]) -> Answerer:
        """An answerer that takes its time."""

        async def answer(exchange: Exchange) -> None:
            try:
                await work(exchange)
            except Refused as refused:
                exchange.refuse(refused)
            except ConnectionError:
                exchange.abort()
            except Exception:
                log.exception("a failure of Pawl's own, in answering a request")
                exchange.refuse(failure())

        def start(exchange: Exchange) -> None:
            exchange.on_leave = spawn(answer(exchange), "answer a request").cancel

        return start

    async def _answer_once_started(self, exchange: Exchange) -> None:
        self._scoring.score(exchange, await self._start(exchange.path))

    async def _answer_all(self, caller: Caller | None, exchange: Exchange) -> None:
        answers = await self._scoring.score_all(exchange, _covered(self._current.routes.live, caller))
        headers = _JSON if exchange.method == b"POST" else _JSON_NOT_TO_STORE
        if answer := malformed(answers):
            exchange.respond(headers, answer.status, answer.body)
        else:
            join = flat if wants_flat(exchange.url) else side_by_side
            exchange.respond(headers, 200, join(answers))

    def _probe(self, exchange: Exchange, kind: Kind) -> Answerer:
        if exchange.method not in _READING:
            raise refuse("method_not_allowed", "use GET", _ALLOW_READING)
        if kind is Kind.READY and not self._current.routes.table.ready:
            raise self._not_ready()
        said = b'{"status":"ready"}' if kind is Kind.READY else b'{"status":"ok"}'
        return lambda it: it.respond(_JSON, 200, said)

    def _admit(self, exchange: Exchange, model: str | None) -> Caller | None:
        """Who asks the model, or all; None where anybody may. Raises Refused."""
        callers = self._current.routes.callers
        return None if callers is None else callers.admit(exchange.fields, model)

    def _check(self, exchange: Exchange, target: Target | None, taken: tuple[bytes, ...] = ()) -> None:
        """Raise Refused unless this can be a request to a model. `taken`: what a query may name."""
        if exchange.method == b"POST":
            if target is None or not target.takes_any_type:
                exchange.format = body_format(exchange.fields)
            self._bodies.check(declared_length(exchange.fields))
        elif exchange.method in _READING:
            check_reading(exchange.url, taken)
            self._bodies.check(declared_length(exchange.fields))
        else:
            raise refuse("method_not_allowed", "POST variables, or GET without any", ALLOW)

    async def _start(self, path: bytes) -> Target:
        """The target of a path that the table doesn't have, once the daemon has started it. Raises Refused."""
        place = find_place(self._base, path.decode())
        self._check_known(place)
        await self._starts.wait_for(place.model, place.version)
        target = self._current.routes.targets.get(path)
        if target is None:
            raise refuse("not_live", f"{place.model} {place.version} has stopped again; try again")
        return target

    def _check_known(self, place: Place) -> None:
        """Raise Refused unless `place` is a version that the daemon could start."""
        table, model = self._current.routes.table, place.model
        if model in table.untrained and not place.version:
            error = {"code": "not_trained", "message": f"{model}: {table.down[model]}", "run": table.untrained[model]}
            raise Refused(error)
        if model in table.down and not place.version:
            raise refuse("not_live", f"{model} has nothing to answer with: {table.down[model]}")
        if model not in table.live and model not in table.down:
            raise self._unknown(model)
        if not may_be_version(place.version):
            named = f"{model} has no version {shorten(place.version)}"
            raise refuse("version_not_found", f"{named}; say vN, at least 7 digits of a commit, or run-KEY")

    def _unknown(self, model: str) -> Refused:
        unknown = f"no model is called {shorten(model)}"
        if not self._current.routes.table.ready:
            return refuse("not_live", f"{unknown} so far; the server is starting or stopping, as /readyz says")
        return refuse("model_not_found", f"{unknown}; GET {self._base}/ lists what is served")

    def _not_ready(self) -> Refused:
        table = self._current.routes.table
        not_live = f"; not live: {', '.join(sorted(table.down))} (`down` says why)" if table.down else ""
        message = f"the server is starting or stopping{not_live}"
        return Refused({"code": "not_ready", "message": message, "live": sorted(table.live), "down": table.down})

    def _nothing(self, path: str) -> Refused:
        return refuse("not_found", f"nothing is at {shorten(path)}; GET {self._base}/ lists what is served")


def _covered(live: Mapping[str, Target], caller: Caller | None) -> Mapping[str, Target]:
    """What of all models the caller's key covers."""
    if caller is None or caller.models is None:
        return live
    return {model: target for model, target in live.items() if model in caller.models}


def _is_admin(path: str) -> bool:
    """`path`: below the base path, or beside it."""
    if path.rstrip("/") in (METRICS.template, ADMIN.template):
        return True
    is_below = path.startswith(f"{ADMIN.template}/")
    return is_below and path != SYNC.template and not path.startswith(STATIC.template.partition("{")[0])
