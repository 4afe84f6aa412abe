"""The admin API of keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.events import Actor
from core.keys import Key, Scope, digest_of, key_id, new_key_text
from core.names import why_not_a_model_name
from core.paths import API_KEY, API_KEYS
from server.access.admin_token import NAME as ADMIN_TOKEN
from server.access.keyring import Keyring
from server.http import parameters
from server.http.access import Access, actor_of
from server.http.api.answering import answering
from server.http.api.askers import Reasoned, reason_of
from server.http.bodies import BodyInvalid, read_body
from server.http.replies import Json

_MOST = 1000
_LONGEST_NAME = 100
_FASTEST = 1_000_000
_CURSOR = "[0-9A-Za-z]{1,40}"


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a key is to be."""

    name: str
    scopes: list[Scope]
    models: list[str] | None = None
    rate: float | None = None
    expires: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def key(self, text: str, now: datetime, by: Actor) -> Key:
        """Raises BodyInvalid."""
        for is_wrong, field, takes in self._faults(now):
            if is_wrong:
                raise BodyInvalid(f"{field} takes {takes}", field)
        return Key(
            id=key_id(text) or "",
            digest=digest_of(text),
            name=self.name.strip(),
            scopes=tuple(scope for scope in Scope if scope in self.scopes),
            models=None if self.models is None else tuple(dict.fromkeys(self.models)),
            rate=self.rate,
            expires=None if self.expires is None else self.expires.astimezone(UTC),
            created_at=now,
            created_by=by,
        )

    def _faults(self, now: datetime) -> list[tuple[bool, str, str]]:
        is_named = bool(self.name.strip()) and len(self.name) <= _LONGEST_NAME and self.name.isprintable()
        is_ours = self.name.strip().upper() == ADMIN_TOKEN  # events tell of who did it by this name
        models, rate = self.models, self.rate
        return [
            (not is_named, "name", f"a line of at most {_LONGEST_NAME} characters, such as the name of who uses it"),
            (is_ours, "name", f"another one than {ADMIN_TOKEN}, which is the name of the key that is always there"),
            (not self.scopes, "scopes", f"one or more of {', '.join(Scope)}"),
            (models is not None and Scope.PREDICT not in self.scopes, "models", "nothing without the scope predict"),
            (
                models is not None and not _are_models(models),
                "models",
                "names of models, at least one, or null for all",
            ),
            (rate is not None and not 0 < rate <= _FASTEST, "rate", "requests per second, above 0, or null for any"),
            (self.expires is not None and not _is_to_come(self.expires, now), "expires", "a time to come"),
        ]


class KeysApi:
    """Routes under `{base}/-/api/`."""

    def __init__(self, access: Access, keyring: Keyring) -> None:
        self._access = access
        self._keyring = keyring

    def routes(self) -> list[Route]:
        administering = self._access.administering
        return [
            Route(API_KEYS.template, administering(answering(self.keys)), methods=["GET", "POST"]),
            Route(API_KEY.template, administering(answering(self.revoke)), methods=["DELETE"]),
        ]

    async def keys(self, request: Request) -> Response:
        return await (self.create(request) if request.method == "POST" else self.listed(request))

    async def listed(self, request: Request) -> Response:
        """Those that were not revoked, the newest first; `ADMIN_TOKEN` is none of them."""
        query = request.query_params
        limit = parameters.count(query, "limit", default=100, most=_MOST)
        cursor = parameters.matching(query, "cursor", _CURSOR, "what `next` was in the answer before")
        keys = self._keyring.known.made
        places = {key.id: place for place, key in enumerate(keys, 1)}
        rest = keys[places.get(cursor, len(keys)) :] if cursor else keys
        now = datetime.now(UTC)
        following = rest[limit - 1].id if len(rest) > limit else None
        return Json({"items": [key_view(key, now) for key in rest[:limit]], "next": following})

    async def create(self, request: Request) -> Response:
        """The only time that the key itself is told."""
        asked = await read_body(request, NewKey)
        text = await self.made(asked, actor_of(request))
        key = self._keyring.known.find(text)
        shown = {} if key is None else key_view(key, datetime.now(UTC))
        return Json({**shown, "id": key_id(text), "key": text}, 201, {"cache-control": "no-store"})

    async def made(self, asked: NewKey, by: Actor) -> str:
        """A new key. Raises BodyInvalid, TooManyKeys, RegistryUnavailable."""
        text = new_key_text()
        await self._keyring.create(asked.key(text, datetime.now(UTC), by), by)
        return text

    async def revoke(self, request: Request) -> Response:
        id = request.path_params["key"]
        reason = reason_of(request, await read_body(request, Reasoned))
        await self._keyring.revoke(id, actor_of(request), reason)
        return Json({"id": id, "revoked": True})


def key_view(key: Key, now: datetime) -> dict[str, object]:
    """What is told of a key: never its digest."""
    fields = msgspec.structs.asdict(key)
    del fields["digest"]
    return {**fields, "expired": key.has_expired(now)}


def _is_to_come(moment: datetime, now: datetime) -> bool:
    try:
        return moment.astimezone(UTC) > now
    except OverflowError:  # in the year 10,000, by UTC
        return False


def _are_models(models: list[str]) -> bool:
    return bool(models) and len(models) <= _MOST and not any(why_not_a_model_name(model) for model in models)
