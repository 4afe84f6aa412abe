"""The API server over HTTPS, with a certificate of its own, and a KUBECONFIG that names it."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import threading
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.cluster.api import TOKEN, ApiDouble, Asking
from tests.cluster.objects import Problem
from tests.waiting import wait_for

ADMIN_TOKEN = "the-admin-token"
"""Of whoever may do all."""
_LOOK_S = 0.01


class ApiHttp:
    """Runs in a thread of its own."""

    def __init__(self, api: ApiDouble, folder: Path, namespace: str, bookmark_s: float = 1.0) -> None:
        self._api = api
        self._bookmark_s = bookmark_s
        self._certificate = _certificate(folder)
        app = Starlette(routes=[Route("/{path:path}", self._handle, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="critical",
            access_log=False,
            ssl_certfile=self._certificate,
            lifespan="off",
            loop="asyncio",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_for(lambda: self._server.started, "the API server", alive=self._thread.is_alive)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.kubeconfig, self.admin_kubeconfig = folder / "kubeconfig", folder / "admin-kubeconfig"
        for path, token in ((self.kubeconfig, TOKEN), (self.admin_kubeconfig, ADMIN_TOKEN)):
            path.write_text(yaml.safe_dump(_kubeconfig(port, self._certificate, namespace, token)))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        del self._server, self._thread
        with warnings.catch_warnings():  # clients keep their connections, and TLS waits for them to say goodbye
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    async def _handle(self, request: Request) -> Response:
        token = _token(request.headers.get("authorization", ""))
        query, body = dict(request.query_params), await request.body()
        asking = Asking(request.method, request.url.path, query, body, is_admin=token == ADMIN_TOKEN)
        try:
            if token not in (TOKEN, ADMIN_TOKEN):
                raise Problem(401, "Unauthorized", "Unauthorized")
            if asking.is_watch:
                return StreamingResponse(self._watch(asking, self._api.admit(asking)), media_type="application/json")
            answer = await asyncio.to_thread(self._api.answer, asking)
        except Problem as error:
            headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
            return JSONResponse(error.body, error.status, headers)
        except ConnectionError:
            return _Cut()
        status = 201 if asking.method == "POST" else 200
        return PlainTextResponse(answer) if isinstance(answer, str) else JSONResponse(answer, status)

    async def _watch(self, asking: Asking, version: int) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end = loop.time() + float(asking.query.get("timeoutSeconds", 1800))
        told_at = loop.time()
        marks = asking.query.get("allowWatchBookmarks") == "true"
        try:
            while loop.time() < end and not self._server.should_exit:
                for at, event in self._api.changes(asking, version):
                    version = at
                    yield _line(event)
                if marks and loop.time() > told_at + self._bookmark_s:
                    told_at = loop.time()
                    mark = self._api.bookmark(asking)
                    version = max(version, int(mark["object"]["metadata"]["resourceVersion"]))
                    yield _line(mark)
                await asyncio.sleep(_LOOK_S)
        except Problem as error:
            yield _line({"type": "ERROR", "object": error.body})


def _token(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token if scheme.lower() == "bearer" else ""


class _Cut(Response):
    """The connection ends without an answer."""

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        scope["extensions"] = {}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise _Gone


class _Gone(Exception):
    pass


def _line(event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _kubeconfig(port: int, certificate: Path, namespace: str, token: str) -> dict[str, object]:
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(certificate)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "double",
        "clusters": [{"name": "double", "cluster": cluster}],
        "users": [{"name": "pawl", "user": {"token": token}}],
        "contexts": [{"name": "double", "context": {"cluster": "double", "user": "pawl", "namespace": namespace}}],
    }


def _certificate(folder: Path) -> Path:
    """A file that holds it and its key."""
    path = folder / "api.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path
