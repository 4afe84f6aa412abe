"""The API server, by way of the `kubernetes` client: requests in and raw JSON out, with its errors as ours.

Raw JSON, for the client's models drop or refuse fields that they don't know. Nothing else imports the client, which
takes a second to load.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import urllib3
from kubernetes import client, config

from core.errors import SettingError
from trainer.kubernetes.api import Object
from trainer.kubernetes.errors import ApiError, error_of

log = logging.getLogger("pawl.trainer")

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONNECT_S = 5.0
_REQUEST_S = 20.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 3.0
_LONGEST_TOLD_S = 60.0
"""What a Retry-After may ask for."""


class ApiServer:
    """The one that a cluster's pods or KUBECONFIG name. For any thread.

    While it is away, and for as long as it asks us to wait, requests fail at once: a look at a hundred runs doesn't
    wait for it a hundred times.
    """

    def __init__(self, connection: client.ApiClient) -> None:
        self._connection = connection
        self._not_before = 0.0
        self._pause_s = 0.0
        self._trouble = ""

    def call(self, method: str, path: str, query: Mapping[str, str] = {}, body: Object | None = None) -> Object:
        content = self._content(method, path, query, body)
        try:
            found = json.loads(content)
        except ValueError as error:
            raise ApiError(f"{method} {path}: the answer is not valid JSON") from error
        if not isinstance(found, dict):
            raise ApiError(f"{method} {path}: the answer is not a JSON object")
        return found

    def text(self, path: str, query: Mapping[str, str] = {}) -> str:
        return self._content("GET", path, query, None).decode("utf-8", "replace")

    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Iterator[Object]:
        query = {**query, "watch": "true", "timeoutSeconds": str(int(seconds))}
        return _events(path, self._request("GET", path, query, None, (_CONNECT_S, seconds + 10)))

    def _content(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> bytes:
        left = self._not_before - time.monotonic()
        if left > 0:
            raise ApiError(self._trouble)
        answer = self._request(method, path, query, body, (_CONNECT_S, _REQUEST_S))
        try:
            return answer.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._failed(f"{method} {path}: the answer was cut off: {error}") from error

    def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Object | None, timeout: tuple[float, float]
    ) -> urllib3.BaseHTTPResponse:
        called = self._connection.param_serialize(
            method, path, query_params=list(query.items()), body=body, auth_settings=["BearerToken"]
        )
        try:
            answer: urllib3.BaseHTTPResponse = self._connection.call_api(*called, _request_timeout=timeout).response
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
            host = self._connection.configuration.host
            raise self._failed(f"the API server at {host} can't be reached: {error}") from error
        if not 200 <= answer.status < 300:
            raise self._refused(f"{method} {path}", answer)
        self._pause_s = 0.0
        return answer

    def _failed(self, message: str) -> ApiError:
        self._wait(message, min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S))
        return ApiError(message)

    def _refused(self, what: str, answer: urllib3.BaseHTTPResponse) -> ApiError:
        said, told_s = answer.reason or "", 0.0
        with suppress(urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            said = json.loads(answer.data).get("message") or said
        with suppress(ValueError):
            told_s = min(float(answer.headers.get("Retry-After", "")), _LONGEST_TOLD_S)
        message = f"{what}: the API server answers {answer.status}: {said}"
        if answer.status == 429 or answer.status >= 500:
            self._wait(message, told_s or min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S))
        return error_of(answer.status, message, told_s)

    def _wait(self, trouble: str, seconds: float) -> None:
        self._trouble, self._pause_s = trouble, seconds
        self._not_before = time.monotonic() + seconds


def connect(environ: Mapping[str, str] = os.environ) -> ApiServer:
    """Asks nothing yet. Raises SettingError where nothing says where the API server is."""
    made = client.Configuration()
    try:
        if (ACCOUNT / "token").exists() and environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=made)  # type: ignore[no-untyped-call]
            made.proxy = None  # a proxy in the environment is for what is outside of the cluster
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                environ.get("KUBECONFIG") or None, client_configuration=made, persist_config=False
            )
    except (config.ConfigException, OSError) as error:
        raise SettingError(
            f"TRAINER is kubernetes, and where the API server is can't be told: {error}; run Pawl in the cluster with "
            "a service account's token mounted, or set KUBECONFIG"
        ) from error
    made.retries = urllib3.Retry(0, redirect=0)
    made.keep_alive = True
    return ApiServer(client.ApiClient(made))


def own_namespace(environ: Mapping[str, str] = os.environ) -> str:
    """The server's; outside of a cluster, the one that KUBECONFIG's context names."""
    with suppress(OSError):
        return (ACCOUNT / "namespace").read_text().strip()
    with suppress(config.ConfigException, OSError, KeyError, TypeError):
        _, context = config.list_kube_config_contexts(environ.get("KUBECONFIG") or None)  # type: ignore[no-untyped-call]
        return str(context["context"].get("namespace") or "default")
    return "default"


def _events(path: str, answer: urllib3.BaseHTTPResponse) -> Iterator[Object]:
    try:
        for line in _lines(answer):
            yield json.loads(line)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ApiError(f"the watch of {path} was cut off: {error}") from error
    finally:
        answer.close()


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for piece in answer.stream(None, decode_content=True):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line.strip())
