"""Behind an nginx configured as the Kubernetes ingress controller configures it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving
from tests.waiting import PATIENCE_S, wait_for

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MEGABYTE = 2**20

pytestmark = pytest.mark.skipif(NGINX is None, reason="NO nginx HERE: apt-get install nginx-light")

# What ingress-nginx renders for an Ingress: https://github.com/kubernetes/ingress-nginx, rootfs/etc/nginx/template.
CONFIG = """
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
    keepalive_timeout 75s;
    client_max_body_size 16m;
    upstream pawl {{
        server {upstream};
        keepalive 320;
        keepalive_timeout 60s;
        keepalive_requests 10000;
    }}
    server {{
        listen unix:{home}/nginx.sock;
        location {location} {{
            {rewrite}
            proxy_set_header Host $host;
            proxy_set_header X-Request-ID $request_id;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Scheme https;
            proxy_set_header X-Scheme https;
            proxy_set_header Connection "";
            proxy_http_version 1.1;
            proxy_connect_timeout 5s;
            proxy_send_timeout 60s;
            proxy_read_timeout 60s;
            proxy_buffering off;
            proxy_request_buffering on;
            proxy_next_upstream error timeout;
            proxy_next_upstream_tries 3;
            proxy_pass http://pawl;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("ingress") / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    return repo


BASES = ("", "models_serve", "one/two/three")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, repo: Repo) -> Iterator[Server]:
    """One at the base path that is asked for."""
    data = repo.path.parent / f"data{BASES.index(request.param)}"
    with serving(data, repo.path, baseUrl=request.param, MAX_BODY_MB="12") as server:
        yield server


@contextmanager
def _nginx(home: Path, server: Server, location: str, strips: str = "") -> Iterator[httpx.Client]:
    """A client of an nginx before the server; `strips` is the prefix that it takes off, and tells of."""
    home.mkdir()
    rewrite = f'rewrite "(?i){strips}(/|$)(.*)" /$2 break; proxy_set_header X-Forwarded-Prefix "{strips}";'
    config = CONFIG.format(
        home=home,
        user="user root;" if os.getuid() == 0 else "",
        upstream=server.url.removeprefix("http://"),
        location=location,
        rewrite=rewrite if strips else "",
    )
    (home / "nginx.conf").write_text(config)
    assert NGINX is not None
    process = subprocess.Popen(
        [NGINX, "-p", str(home), "-e", str(home / "error.log"), "-c", str(home / "nginx.conf")],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        socket = home / "nginx.sock"
        wait_for(socket.exists, "nginx", lambda: (home / "error.log").read_text(), lambda: process.poll() is None)
        transport = httpx.HTTPTransport(uds=str(socket), limits=httpx.Limits(max_connections=50))
        with httpx.Client(transport=transport, base_url="http://models.example.org", timeout=PATIENCE_S) as client:
            yield client
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        assert process.stderr is not None
        process.stderr.close()


def _score(client: httpx.Client, path: str, say: Any) -> Any:
    response = client.post(path, json={"variables": {"say": say}})
    assert response.status_code == 200, response.text
    return response.json()["said"]


@pytest.mark.parametrize("strips", ["", "/ml", "/team/a"])
@pytest.mark.parametrize("server", BASES, indirect=True)
def test_links_lead_back_through_the_ingress_whether_it_keeps_the_prefix_or_strips_one(
    server: Server, tmp_path: Path, strips: str
) -> None:
    base = server.settings.base
    with _nginx(tmp_path / "nginx", server, strips or f"{base}/", strips) as client:
        _check_links(client, f"{strips}{base}")


def _check_links(client: httpx.Client, prefix: str) -> None:
    models = client.get(f"{prefix}/").json()["models"]
    assert {name: model["url"] for name, model in models.items()} == {
        "Echo": f"{prefix}/Echo",
        "Other": f"{prefix}/Other",
    }
    assert _score(client, models["Echo"]["url"], "through") == "through"
    document = client.get(f"{prefix}/openapi.json").json()
    (at,) = (item["url"].rstrip("/") for item in document["servers"])
    paths = {at + path for path in document["paths"]}
    assert {f"{prefix}/Echo", f"{prefix}/Other", f"{prefix}/all"} <= paths
    page = client.get(f"{prefix}/", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    slashed = client.get(f"{prefix}/docs/", follow_redirects=True)
    assert (slashed.status_code, slashed.url.path) == (200, f"{prefix}/docs")
    for link in _links(page.text):
        if link.startswith("/"):
            assert link.startswith(f"{prefix}/"), link
            assert client.get(link, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200, link


def _links(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"#?]+)', page)


@pytest.mark.parametrize("server", ["models_serve"], indirect=True)
def test_large_bodies_keep_alive_and_errors_pass_the_ingress(server: Server, tmp_path: Path) -> None:
    with _nginx(tmp_path / "nginx", server, "/models_serve/") as client:
        large = "x" * 10 * MEGABYTE
        assert _score(client, "/models_serve/Echo", large) == large
        response = client.post("/models_serve/Echo", content=b" " * 14 * MEGABYTE)
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "body_too_large"
        for number in range(300):
            assert _score(client, "/models_serve/Echo", number) == number
        assert client.post("/models_serve/Nobody").json()["error"]["code"] == "model_not_found"
        live = server.state("Echo")["live"]["version"]
        assert client.get("/models_serve/Echo").headers["x-pawl-version"] == live
        assert client.post("/healthz").status_code == 404, "what is not under the base path is not shown to the world"


@pytest.mark.parametrize("server", ["models_serve"], indirect=True)
def test_a_reload_under_load_is_not_noticed_behind_the_ingress(server: Server, tmp_path: Path, repo: Repo) -> None:
    with _nginx(tmp_path / "nginx", server, "/models_serve/") as client:
        stop = threading.Event()
        wrong: list[str] = []
        answered = [0] * 4

        def ask(number: int) -> None:
            while not stop.is_set():
                response = client.post("/models_serve/Echo", json={"variables": {"say": number}})
                if response.status_code != 200 or response.json()["said"] != number:
                    wrong.append(f"{response.status_code} {response.text}")
                answered[number] += 1

        askers = [threading.Thread(target=ask, args=(number,)) for number in range(len(answered))]
        for asker in askers:
            asker.start()
        try:
            for edition in range(2, 6):
                repo.commit_file("Echo/etls.py", echo(str(edition)))
                server.sync()
                server.wait_live("Echo", f"v{repo.count('Echo')}")
            server.wait(lambda: min(answered) > 10, "answers to each")
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        assert not wrong, wrong[:5]
        assert "[error]" not in (tmp_path / "nginx" / "error.log").read_text()
