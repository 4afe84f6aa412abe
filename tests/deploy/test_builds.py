"""Every overlay and component, alone and together, builds and is what Kubernetes takes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import jsonschema
import pytest

from tests.cluster import strict
from tests.deploy.crds import SCHEMAS
from tests.deploy.manifests import (
    COMBINATIONS,
    COMPONENTS,
    K8S,
    ROOTS,
    Manifest,
    build,
    kinds,
    the,
)

VERSIONS = ("1.34", "1.35", "1.36", "1.37")


def check(manifest: Manifest, version: str) -> None:
    if manifest["kind"] in SCHEMAS:
        jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
    else:
        strict.validate(manifest, version)


def distinct() -> Mapping[str, Manifest]:
    """Every manifest that some combination holds, once."""
    return {json.dumps(one, sort_keys=True): one for names in COMBINATIONS for one in build(*names)}


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_is_built_is_strictly_valid(version: str) -> None:
    manifests = distinct()
    assert SCHEMAS.keys() <= kinds(list(manifests.values()))
    for manifest in manifests.values():
        check(manifest, version)


def test_what_is_misspelt_is_noticed() -> None:
    """That the check above can fail."""
    claim = json.loads(json.dumps(the("PersistentVolumeClaim", build("base"), "pawl-data")))
    claim["spec"]["acessModes"] = claim["spec"].pop("accessModes")
    with pytest.raises(jsonschema.ValidationError):
        check(claim, VERSIONS[-1])
    route = json.loads(json.dumps(the("HTTPRoute", build("base", "gateway-api"))))
    route["spec"]["parentRef"] = route["spec"].pop("parentRefs")
    with pytest.raises(jsonschema.ValidationError):
        check(route, VERSIONS[-1])


def test_every_folder_is_one_of_those_that_are_tested() -> None:
    found = {str(path.parent.relative_to(K8S)) for path in K8S.rglob("kustomization.yaml")}
    assert found == {*ROOTS, *(f"components/{name}" for name in COMPONENTS)}


def test_every_file_is_named_by_a_kustomization() -> None:
    for path in K8S.rglob("*.yaml"):
        if path.name != "kustomization.yaml":
            assert path.name in (path.parent / "kustomization.yaml").read_text(), path


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_all_of_it_is_in_one_namespace_and_no_two_have_one_name(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    assert {one["metadata"].get("namespace") for one in manifests if one["kind"] != "Namespace"} == {"pawl"}
    named = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("names", [(root, *COMPONENTS) for root in ROOTS], ids="+".join)
def test_a_namespace_of_ones_own_is_taken_everywhere(names: tuple[str, ...]) -> None:
    manifests = build(*names, namespace="models")
    for one in manifests:
        assert one["metadata"]["name" if one["kind"] == "Namespace" else "namespace"] == "models", one
    assert the("RoleBinding", manifests)["subjects"] == [
        {"kind": "ServiceAccount", "name": "pawl", "namespace": "models"}
    ]


@pytest.mark.parametrize(
    ("root", "components", "there", "gone"),
    [
        ("base", [], {"Ingress", "PersistentVolumeClaim"}, {"HorizontalPodAutoscaler", "PodDisruptionBudget"}),
        ("overlays/postgres", [], {"HorizontalPodAutoscaler", "PodDisruptionBudget"}, {"PersistentVolumeClaim"}),
        ("overlays/postgres", ["keda"], {"ScaledObject", "PodDisruptionBudget"}, {"HorizontalPodAutoscaler"}),
        ("base", ["gateway-api"], {"HTTPRoute"}, {"Ingress"}),
        ("base", ["gateway-api", "nginx"], {"HTTPRoute"}, {"Ingress"}),
        ("base", ["nginx", "gateway-api"], {"HTTPRoute"}, {"Ingress"}),
        ("base", ["service-monitor"], {"ServiceMonitor"}, set()),
    ],
)
def test_what_takes_the_place_of_another_is_there_instead_of_it(
    root: str, components: list[str], there: set[str], gone: set[str]
) -> None:
    found = kinds(build(root, *components))
    assert there <= found
    assert not gone & found
