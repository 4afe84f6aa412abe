"""The admin API of a running server, as commands ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from core.paths import HttpPath
from pawl.exits import CONFLICT, CREDENTIALS, FAILED, NOT_FOUND, UNREACHABLE, USAGE, CommandFailed

_CONNECT_S = 10.0
_ANSWER_S = 15.0
"""Beyond what the server was told that it may wait."""
_SILENCE_S = 90.0
"""Of what is streamed."""
_AWAY = frozenset({502, 503, 504})
_NOT_THERE = frozenset({"run_not_found", "model_not_found", "version_not_found", "version_ambiguous", "artifact_gone"})
"""What there is not, where there is a Pawl."""


class Api:
    """One server. Whatever keeps it from answering is a CommandFailed with the exit code that says what kind it is."""

    def __init__(self, server: str, token: str) -> None:
        """`server`: the address under which models are, such as https://models.example.org/models_serve."""
        self._address = _address(server)
        headers = {b"authorization": b"Bearer " + token.strip().encode()} if token.strip() else {}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S))

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of the answer."""
        return self._json(self._ask("GET", path, params=query))

    def post(self, path: str, wait_s: float = 0.0, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer to a POST that the server may take `wait_s` for."""
        query = {"wait": f"{wait_s:g}"} if wait_s else {}
        timeout = httpx.Timeout(wait_s + _ANSWER_S, connect=_CONNECT_S)
        answer = self._ask("POST", path, params=query, json=body, timeout=timeout)
        return answer.status_code, self._json(answer)

    @contextmanager
    def stream(self, path: str, **query: str | int) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """The headers of the answer, and its body as it comes; one that breaks off is as good as ended."""
        url, timeout = self._address + path, httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
        with self._reached(), self._http.stream("GET", url, params=query, timeout=timeout) as answer:
            if not answer.is_success:
                answer.read()
                raise self._refused(answer)
            yield answer.headers, _pieces(answer)

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._reached():
            answer = self._http.request(method, self._address + path, **options)
        if not answer.is_success:
            raise self._refused(answer)
        return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as error:
            raise CommandFailed(USAGE, f"{self._address} is not a valid address: {error}") from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise CommandFailed(UNREACHABLE, f"{self._address} can't be reached: {why}; --server says where") from error

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise CommandFailed(UNREACHABLE, f"what answers at {self._address} is not Pawl") from error

    def _refused(self, answer: httpx.Response) -> CommandFailed:
        status, message = answer.status_code, _message(answer)
        if status in (401, 403):
            return CommandFailed(CREDENTIALS, f"{message}; --token or PAWL_TOKEN takes the server's ADMIN_TOKEN")
        if _code(answer) in _NOT_THERE:
            return CommandFailed(NOT_FOUND, message)
        if status == 409:
            return CommandFailed(CONFLICT, message)
        if status == 404:
            return CommandFailed(
                NOT_FOUND, f"there is no Pawl at {self._address}: the address ends in the server's baseUrl ({message})"
            )
        if answer.is_redirect:
            return CommandFailed(USAGE, f"{self._address} leads on to {answer.headers.get('location')}: ask there")
        return CommandFailed(UNREACHABLE if status in _AWAY else FAILED, message)


def _address(server: str) -> str:
    try:
        parts = urlsplit(server.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        parts, is_one = urlsplit(""), False
    if not is_one:
        raise CommandFailed(USAGE, "--server takes an address such as https://models.example.org/models_serve")
    if "@" in parts.netloc:
        raise CommandFailed(USAGE, "--server takes no user name and password; the token goes by --token or PAWL_TOKEN")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def path_of(path: HttpPath, **names: str) -> str:
    """The path with those names in it, whatever they hold."""
    return path.template.format(**{name: quote(held, safe="") for name, held in names.items()})


def _pieces(answer: httpx.Response) -> Iterator[bytes]:
    with suppress(httpx.TransportError):
        yield from answer.iter_bytes()


def _message(answer: httpx.Response) -> str:
    """What a server of ours says of an error, or what HTTP calls it."""
    return _said(answer, "message") or f"{answer.status_code} {answer.reason_phrase}"


def _code(answer: httpx.Response) -> str:
    return _said(answer, "code")


def _said(answer: httpx.Response, what: str) -> str:
    try:
        return str(msgspec.json.decode(answer.content)["error"][what])
    except (msgspec.DecodeError, LookupError, TypeError):
        return ""
