"""The admin API of a running server, as commands ask it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from pawl.exits import CREDENTIALS, FAILED, NOT_FOUND, UNREACHABLE, USAGE, CommandFailed

_CONNECT_S = 10.0
_ANSWER_S = 15.0
"""Beyond what the server was told that it may wait."""
_AWAY = frozenset({502, 503, 504})


class Api:
    """One server. Whatever keeps it from answering is a CommandFailed with the exit code that says what kind it is."""

    def __init__(self, server: str, token: str) -> None:
        """`server`: the address under which models are, such as https://models.example.org/models_serve."""
        self._address = _address(server)
        headers = {b"authorization": b"Bearer " + token.strip().encode()} if token.strip() else {}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S))

    def post(self, path: str, wait_s: float = 0.0) -> tuple[int, Any]:
        """The status and the JSON of the answer to a POST that the server may take `wait_s` for."""
        url = self._address + path + (f"?wait={wait_s:g}" if wait_s else "")
        try:
            answer = self._http.post(url, timeout=httpx.Timeout(wait_s + _ANSWER_S, connect=_CONNECT_S))
        except httpx.InvalidURL as error:
            raise CommandFailed(USAGE, f"{self._address} is not a valid address: {error}") from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise CommandFailed(UNREACHABLE, f"{self._address} can't be reached: {why}; --server says where") from error
        if not answer.is_success:
            raise self._refused(answer)
        return answer.status_code, self._json(answer)

    def close(self) -> None:
        self._http.close()

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise CommandFailed(UNREACHABLE, f"what answers at {self._address} is not Pawl") from error

    def _refused(self, answer: httpx.Response) -> CommandFailed:
        status, message = answer.status_code, _message(answer)
        if status in (401, 403):
            return CommandFailed(CREDENTIALS, f"{message}; --token or PAWL_TOKEN takes the server's ADMIN_TOKEN")
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


def _message(answer: httpx.Response) -> str:
    """What a server of ours says of an error, or what HTTP calls it."""
    try:
        return str(msgspec.json.decode(answer.content)["error"]["message"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase}"
