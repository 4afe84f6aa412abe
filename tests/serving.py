"""A really running server for tests: `python -m server` on a free port, spoken to over HTTP."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from core.settings.reading import read_settings
from core.settings.settings import Settings
from tests.forked import ForkedServer, forks
from tests.processes import command_line, descendants, working_directory
from tests.waiting import PATIENCE_S, wait_for

ROOT = Path(__file__).parents[1]
IN_TESTS = "PYTEST_VERSION"
"""Set while pytest runs, and taken away for tests of measurements: their servers must cost what they cost users."""
TOKEN = "the-admin-token"

T = TypeVar("T")

ECHO = """
class Echo:
    def transform_predict(self, variables):
        return {"said": variables.get("say"), "by": "BY"}
"""


def echo(by: str) -> str:
    """Source of an `etls.py` whose answers tell which edition of it answered."""
    return ECHO.replace("BY", by)


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])

    def error(self, status: int, code: str) -> dict[str, Any]:
        """The error in an answer of that status and code, which must have the shape that all errors have."""
        assert (self.status, self.headers.get("content-type")) == (status, "application/json"), self
        content = self.json
        assert set(content) == {"error"}, content
        error = content["error"]
        assert error["code"] == code, error
        assert isinstance(error["message"], str), error
        assert error["message"], error
        return dict(error)


class Server:
    """One running server."""

    def __init__(
        self,
        data: Path,
        settings: Mapping[str, str],
        cwd: Path = ROOT,
        by: Sequence[str] = (),
        code: Path = ROOT,
        python: str = sys.executable,
    ) -> None:
        environ = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        environ |= {"PORT": "0", "SYNC_SECONDS": "3600", "ADMIN_TOKEN": TOKEN, "DATA_DIR": str(data)}
        self.cwd = cwd
        environ |= {"PYTHONPATH": str(code), **settings}
        self.settings = read_settings(environ)
        self.lines: list[str] = []
        """What it has printed."""
        is_ours = not by and (code, python) == (ROOT, sys.executable)
        self.process: subprocess.Popen[str] | ForkedServer = (
            forks().start(cwd, environ) if is_ours and IN_TESTS in os.environ else _started([*by, python], cwd, environ)
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._find_url()
        self.base = f"{self.url}{self.settings.base}"
        # Without an expiry: of two threads, one may close the connection that the other has just been given.
        self.http = httpx.Client(timeout=PATIENCE_S, limits=httpx.Limits(max_connections=None, keepalive_expiry=None))

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def post(self, path: str, body: Any = None, *, raw: bytes | None = None, headers: Mapping[str, str] = {}) -> Answer:
        """POST to `path` under the base: `body` as JSON, or `raw` as it is."""
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **headers}
        return self.request("POST", self.base + path, content=content, headers=given)

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answer:
        return self.request("GET", self.base + path, headers=headers)

    def request(self, method: str, url: str, **options: Any) -> Answer:
        response = self.http.request(method, url, **options)
        return Answer(response.status_code, response.headers, response.content)

    def send(self, data: bytes, method: str = "POST") -> Answer | None:
        """The answer to `data` on a connection of its own; None if it is closed without one."""
        url = httpx.URL(self.url)
        with socket.create_connection((url.host, url.port), timeout=PATIENCE_S) as sock:
            sock.sendall(data)
            response = http.client.HTTPResponse(sock, method=method)
            try:
                response.begin()
                return Answer(response.status, httpx.Headers(response.getheaders()), response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError):
                return None
            finally:
                response.close()

    def score(self, model: str, **variables: Any) -> Any:
        """The model's answer, which must be one."""
        answer = self.post(f"/{model}", {"variables": variables})
        assert answer.status == 200, answer.body
        return answer.json

    def sync(self) -> None:
        """Have the server look at its source, and return when all that it found is live or has failed."""

        def is_over() -> bool:
            answer = self.admin("POST", "/-/sync?wait=50")
            assert answer.status in (200, 202), answer.body
            return answer.status == 200

        self.wait(is_over, "all that was found to be live or to have failed")

    def look(self) -> None:
        """Have the server look at its source, and return when it has, whatever is still to come of it."""
        waits = (min(0.1 * 2**number, 50) for number in itertools.count())
        self.wait(lambda: self.admin("POST", f"/-/sync?wait={next(waits)}").json["models"], "the look")

    def admin(self, method: str, path: str) -> Answer:
        return self.request(method, self.base + path, headers={"authorization": f"Bearer {self.settings.admin_token}"})

    def state(self, model: str) -> Any:
        """What the admin API tells of a model; None if it isn't followed."""
        answer = self.admin("GET", f"/-/api/models/{model}")
        return answer.json if answer.status == 200 else None

    def models(self) -> dict[str, Any]:
        """What the admin API tells of every model that is followed."""
        return {model["name"]: model for model in self.admin("GET", "/-/api/models").json["items"]}

    def events(self, kind: str | None = None) -> list[Any]:
        """The newest events first."""
        found = self.admin("GET", "/-/api/events?limit=1000").json["items"]
        return [event for event in found if kind is None or event["kind"] == kind]

    def wait_live(self, model: str, version: str) -> None:
        self.wait(lambda: ((self.state(model) or {}).get("live") or {}).get("version") == version, f"{model} {version}")

    def wait_failed(self, model: str, version: str) -> Any:
        """The failure of that version, once it has failed."""

        def failure() -> Any:
            found = (self.state(model) or {}).get("failure")
            return found if found and found["version"] == version else None

        return self.wait(failure, f"the failure of {model} {version}")

    def wait_ready(self) -> Server:
        self.wait(lambda: self.request("GET", f"{self.url}/readyz").status == 200, "readiness")
        return self

    def wait(self, look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
        """What `look` returns once that is true."""
        return wait_for(
            look,
            what,
            lambda: self.log if self.process.poll() is None else f"IT ENDED\n{self.log}",
            patience_s=patience_s,
        )

    def pids(self) -> set[int]:
        """Processes of the server, itself included."""
        return descendants(self.process.pid)

    def workers(self) -> list[int]:
        """Those that run a model, or load it."""
        return [pid for pid in self._with("worker/boot.py") if working_directory(pid) != "/"]

    def warm_workers(self) -> list[int]:
        """Workers that know no model yet."""
        return [pid for pid in self._with("worker/boot.py") if working_directory(pid) == "/"]

    def gateways(self) -> list[int]:
        return self._with("-m gateway")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait_ended()

    def wait_ended(self) -> int:
        """Its exit code, once it has ended and all that it printed is in `log`."""
        code = self.process.wait(PATIENCE_S)
        self.http.close()
        self._reader.join(PATIENCE_S)
        return code

    def _with(self, word: str) -> list[int]:
        return sorted(pid for pid in self.pids() if word in command_line(pid))

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    def _find_url(self) -> str:
        def address() -> str | None:
            found = re.search(r"listening on (http://[^\s/,]+)", self.log)
            return found.group(1) if found else None

        return wait_for(address, "the address", lambda: self.log, alive=lambda: self.process.poll() is None)


def _started(python: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*python, "-m", "server"],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


@contextmanager
def serving(
    data: Path,
    git: Path | str | None = None,
    *,
    ready: bool = True,
    cwd: Path = ROOT,
    by: Sequence[str] = (),
    code: Path = ROOT,
    python: str = sys.executable,
    **settings: str,
) -> Iterator[Server]:
    """A server of the repository at `git` (or of the folder `models_serve` in `cwd`); stopped in the end.

    `by`: the program, with its arguments, that runs it in its own stead (setpriv, say). `code`: the checkout of Pawl
    that runs, with `python`.
    """
    source = {} if git is None else {"gitPath": str(git)}
    server = Server(data, {**source, **settings}, cwd, by, code, python)
    try:
        yield server.wait_ready() if ready else server
    finally:
        server.stop()


def _is_setting(name: str) -> bool:
    plain = name.replace("_", "").lower().removeprefix("pawl")
    return plain in {field.replace("_", "").lower() for field in Settings.__struct_fields__}
