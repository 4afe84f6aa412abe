"""The admin API of a running server, as commands ask it.

With the standard library's client: importing httpx takes a fifth of a second, half of what a command may take.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode

from pawl.client.address import address_of
from pawl.exits import CONFLICT, CREDENTIALS, FAILED, NOT_FOUND, UNREACHABLE, USAGE, CommandFailed
from pawl.terminal.json_text import json_text, read_json

_ANSWER_S = 15.0
_SILENCE_S = 90.0
"""Of what is streamed."""
_PIECE = 1 << 16
_A_PAGE = 1000
"""What the server gives of a list at a time."""
_AWAY = frozenset({502, 503, 504})
_UNANSWERED = frozenset({"", "control_plane_unavailable"})
"""What is said where nobody answers who knows; every other code is an answer."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_THERE = frozenset(
    {"model_not_found", "version_not_found", "version_ambiguous", "run_not_found", "artifact_gone", "action_not_found"}
    | {"key_not_found"}
)
"""What there is not, where there is a Pawl."""
Query = str | int | float | None
"""A parameter's value; None and the empty text are left out."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    json: Any
    """What the body says; None where it is empty."""


class Api:
    """One server. Whatever keeps it from answering is a CommandFailed with the exit code that says what kind it is."""

    def __init__(self, server: str, token: str, models: str = "") -> None:
        """`server`: the address under which the admin API is, such as https://models.example.org/models_serve.

        `models`: that under which models are, where it is another.
        """
        self.address = address_of(server)
        self.models = address_of(models or server)
        self._token = token
        self._headers: dict[str, Any] = {"Accept": "application/json", "User-Agent": "pawl"}
        if token.strip():
            self._headers["Authorization"] = b"Bearer " + token.strip().encode()
        self._opener = urllib.request.build_opener(_Redirects)

    def of_models(self) -> Api:
        """What is asked under the models' address."""
        return self if self.models == self.address else self.at(self.models)

    def at(self, address: str) -> Api:
        """The same, at another address of the same server."""
        return Api(address, self._token)

    def get(self, path: str, query: Mapping[str, Query] = {}) -> Any:
        """The JSON of the answer."""
        return self.send("GET", path, query=query).json

    def items(self, path: str, limit: int, query: Mapping[str, Query] = {}) -> list[Any]:
        """At most so many items of a list, from as many pages as it takes."""
        return self.listed(path, limit, query)[0]

    def listed(self, path: str, limit: int, query: Mapping[str, Query] = {}) -> tuple[list[Any], dict[str, Any]]:
        """The same, and what the last page says besides."""
        found: list[Any] = []
        page: Any = {}
        while len(found) < limit:
            page = self.get(path, {**query, "limit": min(limit - len(found), _A_PAGE)})
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise self._no_pawl()
            found += page["items"]
            if page.get("next") is None:
                break
            query = {**query, "cursor": page["next"]}
        return found, page

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        wait_s: float = 0.0,
        patience_s: float = _ANSWER_S,
        query: Mapping[str, Query] = {},
    ) -> Answer:
        """The answer. The server is told that it may take `wait_s` for it, and `patience_s` more are given to it."""
        if wait_s:
            query = {**query, "wait": f"{wait_s:g}"}
        with self._opened(method, path, query, body, wait_s + patience_s) as response:
            try:
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
        return Answer(response.status, response.headers, self._decoded(content) if content else None)

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, Query] = {}, headers: Mapping[str, str] = {}
    ) -> Iterator[tuple[Message, Iterator[bytes]]]:
        """The headers of the answer, and its body as it comes; one that breaks off is as good as ended."""
        with self._opened("GET", path, query, None, _SILENCE_S, headers) as response:
            yield response.headers, _pieces(response)

    def _opened(
        self,
        method: str,
        path: str,
        query: Mapping[str, Query],
        body: Any,
        timeout_s: float,
        headers: Mapping[str, str] = {},
    ) -> http.client.HTTPResponse:
        """The answer, if it is one to be content with."""
        try:
            request = self._request(method, path, query, body)
            for name, value in headers.items():
                request.add_header(name, value)
            response = self._opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as answer:
            with answer:
                raise self._refused(answer, is_reading=method == "GET") from None
        except (http.client.InvalidURL, UnicodeError) as error:
            raise CommandFailed(USAGE, f"{self.address} is not a valid address: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        assert isinstance(response, http.client.HTTPResponse)
        return response

    def _request(self, method: str, path: str, query: Mapping[str, Query], body: Any) -> urllib.request.Request:
        asked = urlencode({name: value for name, value in query.items() if value not in (None, "")})
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"], data = "application/json", json_text(body).encode()
        url = self.address + path + (f"?{asked}" if asked else "")
        return urllib.request.Request(url, data=data, headers=headers, method=method)

    def _decoded(self, content: bytes) -> Any:
        try:
            return read_json(content)
        except ValueError as error:
            raise self._no_pawl() from error

    def _no_pawl(self) -> CommandFailed:
        return CommandFailed(UNREACHABLE, f"what answers at {self.address} is not Pawl; --server says where it is")

    def _unreachable(self, error: Exception) -> CommandFailed:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return CommandFailed(
            UNREACHABLE,
            f"{self.address} can't be reached: {why}; --server or PAWL_SERVER says where, 'pawl serve' starts",
        )

    def _refused(self, answer: urllib.error.HTTPError, *, is_reading: bool) -> CommandFailed:
        with suppress(OSError, http.client.HTTPException):
            error = _error_in(answer.read())
        status, code = answer.code, str(error.get("code", ""))
        message = str(error.get("message", "")) or f"{status} {answer.reason}"
        if status in (401, 403):
            return CommandFailed(CREDENTIALS, f"{message}; --token, PAWL_TOKEN or 'pawl login' gives one")
        if code in _NOT_THERE:
            return CommandFailed(NOT_FOUND, message)
        if status == 409:
            return CommandFailed(CONFLICT, message)
        if status == 404:
            where = "the address ends in the server's baseUrl, and is ADMIN_BIND's where that is set"
            return CommandFailed(NOT_FOUND, f"there is no Pawl at {self.address}: {where} ({message})")
        if status in _REDIRECTS:
            return CommandFailed(USAGE, f"{self.address} leads on to {answer.headers.get('location')}: ask there")
        if is_reading and code == "invalid_parameter":
            return CommandFailed(USAGE, message)
        is_away = status in _AWAY and code in _UNANSWERED
        return CommandFailed(UNREACHABLE if is_away else FAILED, message)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows none: a token goes nowhere but where it was sent."""

    def redirect_request(self, *_: Any) -> None:
        return None


def api_path(*parts: str) -> str:
    """The path of the admin API whose segments those are, whatever they hold."""
    return "/".join(("/-/api", *(quote(part, safe="") for part in parts)))


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    with suppress(OSError, http.client.HTTPException):
        while piece := response.read1(_PIECE):
            yield piece


def _error_in(content: bytes) -> dict[str, Any]:
    """What a server of ours says of an error."""
    try:
        error = read_json(content)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
