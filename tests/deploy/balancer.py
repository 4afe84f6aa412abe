"""An nginx before servers that come and go, as a Service's endpoints do, and clients that ask through it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.processes import descendants
from tests.serving import Server
from tests.waiting import PATIENCE_S, wait_for

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_CONFIG = """
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    upstream pawl {{
        {servers}
        keepalive 32;
    }}
    server {{
        listen unix:{home}/nginx.sock;
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream off;
            proxy_pass http://pawl;
        }}
    }}
}}
"""


class Balancer:
    """It hides nothing: a request that fails is not tried elsewhere."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def point_at(self, servers: Sequence[Server]) -> None:
        """Send requests to those. Returns once none can come to another any more, as after a pod's preStop."""
        config = _CONFIG.format(
            home=self._home,
            user="user root;" if os.getuid() == 0 else "",
            servers=" ".join(f"server {server.url.removeprefix('http://')};" for server in servers),
        )
        (self._home / "nginx.conf").write_text(config)
        if self._process is None:
            self._process = self._start()
            return
        before = self._workers()
        self._process.send_signal(signal.SIGHUP)
        wait_for(lambda: (now := self._workers()) and not now & before, "the reload", self._log, self._is_alive)

    def client(self) -> httpx.Client:
        # A connection for each request: nginx closes idle ones when it is reloaded, whoever is about to use them.
        limits = httpx.Limits(max_keepalive_connections=0)
        transport = httpx.HTTPTransport(uds=str(self._home / "nginx.sock"), limits=limits)
        return httpx.Client(transport=transport, base_url="http://models.example.org", timeout=PATIENCE_S)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)

    def _start(self) -> subprocess.Popen[bytes]:
        assert NGINX is not None
        where = ["-p", str(self._home), "-e", str(self._home / "error.log"), "-c", str(self._home / "nginx.conf")]
        process = subprocess.Popen([NGINX, *where], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        socket = self._home / "nginx.sock"
        wait_for(socket.exists, "nginx", self._log, lambda: process.poll() is None)
        return process

    def _workers(self) -> set[int]:
        assert self._process is not None
        return descendants(self._process.pid) - {self._process.pid}

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _log(self) -> str:
        return (self._home / "error.log").read_text()


@contextmanager
def balancing(home: Path) -> Iterator[Balancer]:
    home.mkdir()
    balancer = Balancer(home)
    try:
        yield balancer
    finally:
        balancer.stop()


class Load:
    """Clients that ask one model all the time."""

    def __init__(self, balancer: Balancer, path: str, clients: int = 4) -> None:
        self.answers: Counter[str] = Counter()
        """How often each `by` answered."""
        self.wrong: list[str] = []
        self._path = path
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(balancer.client(),)) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for_more(self, count: int = 50) -> None:
        """Until so many more were answered."""
        goal = self.answers.total() + count
        wait_for(lambda: self.answers.total() >= goal or self.wrong, "answers", lambda: str(self.answers))

    def _ask(self, client: httpx.Client) -> None:
        with client:
            while not self._end.is_set():
                try:
                    response = client.post(self._path, json={"variables": {}})
                except httpx.TransportError as error:
                    self.wrong.append(repr(error))
                    continue
                if response.status_code == 200:
                    self.answers[response.json()["by"]] += 1
                else:
                    self.wrong.append(f"{response.status_code} {response.text[:300]}")
