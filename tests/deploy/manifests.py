"""The manifests of deploy/k8s, as kustomize builds them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.serving import ROOT

K8S = ROOT / "deploy" / "k8s"
KUBECTL = Path(sys.executable).with_name("kubectl")
ROOTS = ("base", "overlays/gpu", "overlays/postgres")
COMPONENTS = tuple(sorted(path.parent.name for path in K8S.glob("components/*/kustomization.yaml")))

Manifest = dict[str, Any]

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # the former is ten times faster


@cache
def build(root: str, *components: str, namespace: str = "") -> tuple[Manifest, ...]:
    """What `kubectl apply -k` would send of `root` with those components on top, in that order."""
    own = {"namespace": namespace} if namespace else {}
    return customized(root, *components, **own)


def customized(root: str, *components: str, files: Mapping[str, str] = {}, **own: Any) -> tuple[Manifest, ...]:
    """The same with a kustomization of one's own on top, which names `files` beside it."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        whole = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [_path(folder, K8S / root)],
            "components": [_path(folder, K8S / "components" / component) for component in components],
            **own,
        }
        for file, content in {**files, "kustomization.yaml": yaml.safe_dump(whole)}.items():
            (folder / file).write_text(content)
        return _built(folder)


def _built(folder: Path) -> tuple[Manifest, ...]:
    done = subprocess.run([str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return tuple(yaml.load_all(done.stdout, _Loader))


def _path(folder: Path, root: Path) -> str:
    """kustomize takes relative paths alone."""
    return os.path.relpath(root, folder)


def _combinations() -> Iterator[tuple[str, ...]]:
    for root in ROOTS:
        yield (root,)
        yield root, *COMPONENTS
    yield "base", *reversed(COMPONENTS)
    for component in COMPONENTS:
        yield "base", component
        yield "overlays/postgres", component


COMBINATIONS = tuple(_combinations())
"""Every root alone and with all components, and every component alone."""


def the(kind: str, manifests: Sequence[Manifest], name: str = "pawl") -> Manifest:
    """The one manifest of that kind and name."""
    (found,) = (one for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def kinds(manifests: Sequence[Manifest]) -> set[str]:
    return {one["kind"] for one in manifests}


def pod(manifests: Sequence[Manifest]) -> Manifest:
    """The pod's spec in the Deployment."""
    spec: Manifest = the("Deployment", manifests)["spec"]["template"]["spec"]
    return spec


def container(manifests: Sequence[Manifest]) -> Manifest:
    """The pod's one container."""
    (only,) = pod(manifests)["containers"]
    found: Manifest = only
    return found
