"""`{base}/-/keys`: the keys, one to make, and each with a button that revokes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import PawlError
from core.keys import Key, Scope
from core.paths import PAGE_KEY_REVOKE, PAGE_KEYS
from registry.errors import RegistryUnavailable
from server.access.keyring import KeyNotFound, Keyring, TooManyKeys
from server.http.access import Access, actor_of
from server.http.api.keys_api import KeysApi, NewKey
from server.http.bodies import BodyInvalid, read_form
from server.pages.layout.moments import moment
from server.pages.layout.renderer import Renderer
from server.pages.links import links

_FIELDS = ("name", "scope", "models", "rate", "expires")
_LASTING = {"": "never", "7": "in 7 days", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
"""Days, as the form sends them, and in words."""
_SAYS = {
    Scope.PREDICT: "asks models",
    Scope.VIEW: "sees everything",
    Scope.OPERATE: "switches versions, runs, uploads; and view",
    Scope.ADMIN: "makes keys; and operate",
}


class KeysPage:
    """For who has scope admin."""

    def __init__(
        self,
        base: str,
        access: Access,
        renderer: Renderer,
        keyring: Keyring,
        api: KeysApi,
        is_followed: Callable[[str], bool],
    ) -> None:
        """`is_followed`: whether there is a model of that name."""
        self._base = base
        self._access = access
        self._renderer = renderer
        self._keyring = keyring
        self._api = api
        self._is_followed = is_followed

    def routes(self) -> list[Route]:
        administering = self._access.administering
        return [
            Route(PAGE_KEYS.template, administering(self.keys), methods=["GET", "POST"]),
            Route(PAGE_KEY_REVOKE.template, administering(self.revoke), methods=["POST"]),
        ]

    async def keys(self, request: Request) -> Response:
        return await self.create(request) if request.method == "POST" else self._show(request)

    async def create(self, request: Request) -> Response:
        """The page, with the key: the only time that it is shown."""
        form = await read_form(request)
        try:
            asked = _asked(form)
            made = await self._api.made(asked, actor_of(request))
        except BodyInvalid as invalid:
            return self._show(request, form=form, fault=str(invalid), field=invalid.field, status=422)
        except (TooManyKeys, RegistryUnavailable) as refused:
            return self._show(request, form=form, fault=str(refused), status=_status(refused))
        unknown = [model for model in asked.models or () if not self._is_followed(model)]
        return self._show(request, made=made, unknown=", ".join(unknown))

    async def revoke(self, request: Request) -> Response:
        try:
            await self._keyring.revoke(request.path_params["key"], actor_of(request))
        except KeyNotFound:
            pass  # somebody else was faster
        except RegistryUnavailable as refused:
            return self._show(request, fault=str(refused), status=503)
        return RedirectResponse(links(request, self._base).base + PAGE_KEYS.template, 303)

    def _show(
        self,
        request: Request,
        *,
        form: dict[str, str] | None = None,
        fault: str = "",
        field: str = "",
        made: str = "",
        unknown: str = "",
        status: int = 200,
    ) -> Response:
        now = datetime.now(UTC)
        values = {
            "keys": [_row(key, now) for key in self._keyring.known.made],
            "scopes": [(scope.value, _SAYS[scope]) for scope in _SAYS],
            "lasting": _LASTING,
            "form": {name: (form or {}).get(name, "") for name in _FIELDS},
            "fault": fault,
            "field": field,
            "made": made,
            "unknown": unknown,
        }
        answer = self._renderer.render(request, "access/keys.html", values, here="keys", status=status)
        answer.headers["cache-control"] = "no-store"
        return answer


def _asked(form: dict[str, str]) -> NewKey:
    """Raises BodyInvalid."""
    models = form.get("models", "").replace(",", " ").split()
    days = form.get("expires", "")
    return NewKey(
        name=form.get("name", ""),
        scopes=[scope for scope in Scope if scope == form.get("scope")],
        models=models or None,
        rate=_rate(form.get("rate", "").strip()),
        expires=datetime.now(UTC) + timedelta(days=int(days)) if days in _LASTING and days else None,
    )


def _rate(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise BodyInvalid("rate takes requests per second, above 0", "rate") from None


def _row(key: Key, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": ", ".join(key.scopes),
        "models": "" if key.models is None else ", ".join(key.models),
        "rate": "" if key.rate is None else f"{key.rate:g}/s",
        "expires": None if key.expires is None else moment(key.expires, now),
        "has_expired": key.has_expired(now),
        "created": moment(key.created_at, now),
        "by": key.created_by.name if key.created_by is not None else "",
    }


def _status(refused: PawlError) -> int:
    return 503 if isinstance(refused, RegistryUnavailable) else 409
