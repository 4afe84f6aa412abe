"""`kubectl apply -k`, as docs/kubernetes.md has it, against a server that keeps what it is sent."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cluster import strict
from tests.deploy.manifests import K8S, KUBECTL, build

PLURALS = {
    "v1": ("namespaces", "serviceaccounts", "configmaps", "secrets", "services", "persistentvolumeclaims"),
    "apps/v1": ("deployments",),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "networking.k8s.io/v1": ("ingresses", "networkpolicies"),
    "policy/v1": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io/v1": ("roles", "rolebindings"),
}
KINDS = {one["kind"].lower(): one["kind"] for root in ("base", "overlays/postgres") for one in build(root)}


def kind_of(plural: str) -> str:
    single = {"ingresses": "ingress", "networkpolicies": "networkpolicy"}.get(plural, plural.removesuffix("s"))
    return KINDS[single]


class Kept(ThreadingHTTPServer):
    """Objects by path, and what was asked besides reading."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, Any] = {}
        self.written: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Kept

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if found := self.server.objects.get(path) or _discovery(path):
            self._answer(200, found)
        else:
            self._answer(404, _status(404, "NotFound"))

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            strict.validate(sent, "1.37")
            assert sent["kind"] == "Namespace" or f"/api/v1/namespaces/{path.split('/')[-2]}" in self.server.objects
        except (jsonschema.ValidationError, AssertionError) as error:
            self._answer(422, _status(422, str(error)))
            return
        name = f"{path}/{sent['metadata']['name']}"
        self.server.written.append(f"POST {sent['kind']} {sent['metadata']['name']}")
        if "stringData" in sent:  # which is for writing alone
            texts = sent.pop("stringData").items()
            sent["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in texts}
        self.server.objects[name] = sent
        self._answer(201, sent)

    def do_PATCH(self) -> None:
        self.server.written.append(f"PATCH {self.path.partition('?')[0]}")
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, self.server.objects[self.path.partition("?")[0]])

    def log_message(self, *_: object) -> None: ...

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _status(code: int, reason: str) -> object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": reason,
        "code": code,
    }


def _discovery(path: str) -> object | None:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [version.split("/") for version in PLURALS if "/" in version]
        named = [(group, {"groupVersion": f"{group}/{version}", "version": version}) for group, version in groups]
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [{"name": group, "versions": [one], "preferredVersion": one} for group, one in named],
        }
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if version not in PLURALS:
        return None
    resources = [
        {
            "name": plural,
            "singularName": "",
            "namespaced": plural != "namespaces",
            "kind": kind_of(plural),
            "verbs": ["create", "get", "list", "patch"],
        }
        for plural in PLURALS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


@pytest.fixture
def kept() -> Iterator[Kept]:
    server = Kept()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def apply(kept: Kept, home: Path, root: str) -> str:
    """What it prints, which must be of success. `--validate=false`: the server here is the one that validates."""
    command = [str(KUBECTL), f"--server=http://127.0.0.1:{kept.server_port}", f"--cache-dir={home}", "apply"]
    environ = {"HOME": str(home), "KUBECONFIG": "/dev/null"}
    done = subprocess.run(
        [*command, "--validate=false", "-k", str(K8S / root)], capture_output=True, text=True, env=environ, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("root", ["base", "overlays/gpu", "overlays/postgres"])
def test_one_command_makes_all_of_it_in_an_empty_cluster(kept: Kept, tmp_path: Path, root: str) -> None:
    said = apply(kept, tmp_path, root)
    made = {(one["kind"], one["metadata"]["name"]) for one in kept.objects.values()}
    assert made == {(one["kind"], one["metadata"]["name"]) for one in build(root)}
    assert kept.written[0] == "POST Namespace pawl"
    assert len(re.findall(" created", said)) == len(made)


def test_once_more_changes_nothing_not_even_secrets_that_are_filled(kept: Kept, tmp_path: Path) -> None:
    apply(kept, tmp_path, "base")
    secret = kept.objects["/api/v1/namespaces/pawl/secrets/pawl"]
    secret["data"] = {"ADMIN_TOKEN": "czNjcmV0"}
    kept.written.clear()
    said = apply(kept, tmp_path, "base")
    assert kept.written == []
    assert set(re.findall(r" (\w+)$", said, re.MULTILINE)) == {"unchanged"}
