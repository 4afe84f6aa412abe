"""Every pod keeps to the restricted standard, field by field, and to more: https://kubernetes.io/docs/concepts/security/pod-security-standards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.manifests import COMBINATIONS, Manifest, build, container, pod, the
from tests.dockerfile import environment, instruction

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}

each = pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)


def violations(spec: Manifest) -> list[str]:
    """What of a pod's spec the restricted standard refuses."""
    common = spec.get("securityContext", {})
    wrong = [name for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if spec.get(name)]
    wrong += [f"volume {one['name']}" for one in spec.get("volumes", []) if not one.keys() <= VOLUMES | {"name"}]
    wrong += [name for name in ("sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile") if name in common]
    for one in [*spec["containers"], *spec.get("initContainers", []), *spec.get("ephemeralContainers", [])]:
        wrong += [
            f"{one['name']}: {what}" for what in _container_violations(common, one.get("securityContext", {}), one)
        ]
    return wrong


def _container_violations(common: Manifest, own: Manifest, one: Manifest) -> list[str]:
    both: dict[str, Any] = {**common, **own}
    capabilities = own.get("capabilities", {})
    checks = {
        "privileged": not own.get("privileged"),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
        "runAsNonRoot": both.get("runAsNonRoot") is True,
        "runAsUser": both.get("runAsUser") != 0,
        "seccompProfile": both.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
        "capabilities dropped": capabilities.get("drop") == ["ALL"],
        "capabilities added": set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "procMount": own.get("procMount", "Default") == "Default",
        "hostPort": not any(port.get("hostPort") for port in one.get("ports", [])),
        "seLinuxOptions": "seLinuxOptions" not in own,
    }
    return [f"{one['name']}: {name}" for name, is_kept in checks.items() if not is_kept]


@each
def test_the_pod_keeps_to_the_restricted_standard(names: tuple[str, ...]) -> None:
    assert violations(pod(build(*names))) == []


def test_each_field_that_is_loosened_is_noticed() -> None:
    """That the test above can fail."""
    loosened: list[tuple[list[str | int], Any]] = [
        (["hostPID"], True),
        (["volumes", 0], {"name": "host", "hostPath": {"path": "/"}}),
        (["securityContext", "runAsNonRoot"], False),
        (["securityContext", "runAsUser"], 0),
        (["securityContext", "seccompProfile", "type"], "Unconfined"),
        (["containers", 0, "securityContext", "allowPrivilegeEscalation"], True),
        (["containers", 0, "securityContext", "privileged"], True),
        (["containers", 0, "securityContext", "capabilities", "drop"], ["NET_RAW"]),
        (["containers", 0, "securityContext", "capabilities", "add"], ["SYS_PTRACE"]),
        (["containers", 0, "securityContext", "runAsNonRoot"], False),
        (["containers", 0, "ports", 0, "hostPort"], 8000),
    ]
    for path, value in loosened:
        spec = json.loads(json.dumps(pod(build("base"))))
        place: Any = spec
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert violations(spec), path


def test_the_namespace_refuses_pods_that_do_not() -> None:
    labels = the("Namespace", build("base"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@each
def test_the_root_is_read_only_and_what_the_image_writes_to_is_mounted(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    only = container(manifests)
    assert only["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {mount["mountPath"] for mount in only["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/data", "/tmp"} | ({"/artifacts"} if "artifacts-claim" in names else set())
    assert instruction("VOLUME") in writable
    for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME"):
        assert environment()[name].startswith(("/data/", "/tmp/"))
    volumes = {volume["name"] for volume in pod(manifests)["volumes"]}
    assert volumes == {mount["name"] for mount in only["volumeMounts"]}


@each
def test_the_user_is_the_images_and_owns_the_data_without_each_start_touching_all_of_it(names: tuple[str, ...]) -> None:
    context = pod(build(*names))["securityContext"]
    assert str(context["runAsUser"]) == instruction("USER") == "1000"
    assert (context["fsGroup"], context["fsGroupChangePolicy"]) == (1000, "OnRootMismatch")


@each
def test_a_token_is_there_only_where_it_is_used(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    assert the("ServiceAccount", manifests)["automountServiceAccountToken"] is False
    uses = the("ConfigMap", manifests)["data"]["TRAINER"] == "kubernetes"
    assert pod(manifests)["automountServiceAccountToken"] is uses


@each
def test_the_role_is_the_service_accounts_and_has_no_wildcards(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    binding = the("RoleBinding", manifests)
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pawl"}
    assert [subject["name"] for subject in binding["subjects"]] == [pod(manifests)["serviceAccountName"]]
    for rule in the("Role", manifests)["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], rule
        assert "secrets" not in rule["resources"], rule
    assert not {"ClusterRole", "ClusterRoleBinding"} & {one["kind"] for one in manifests}
