"""The manifests say what the server, the image and the settings say."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
import yaml

from core.paths import HEALTH, METRICS, READY
from core.settings.reading import plain_name, read_settings
from core.settings.settings import SECRETS, Settings
from server.gateways.data_plane import NOT_READY_S
from tests.deploy.manifests import COMBINATIONS, K8S, Manifest, build, container, customized, pod, the
from tests.dockerfile import environment, instruction
from tests.serving import ROOT
from trainer.kubernetes.job import CLAIM
from trainer.kubernetes.reach import check_reach, claim_of

SETTINGS = {plain_name(field) for field in Settings.__struct_fields__}
SECRET = {plain_name(field) for field in SECRETS}

each = pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)


def config(manifests: tuple[Manifest, ...]) -> dict[str, str]:
    found: dict[str, str] = the("ConfigMap", manifests)["data"]
    return found


def settings(manifests: tuple[Manifest, ...]) -> Settings:
    """What the server reads in its pod, as far as no Secret says more."""
    return read_settings({**environment(), **config(manifests)})


def quantity(text: str) -> int:
    """In bytes."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 2**20, "Gi": 2**30}[unit]


@each
def test_every_variable_is_a_setting_that_the_server_takes(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    for variable in config(manifests):
        assert plain_name(variable) in SETTINGS, variable
        assert plain_name(variable) not in SECRET - {"gitpath", "artifacts"}, f"{variable} is a secret"
    for one in container(manifests)["env"]:
        assert plain_name(one["name"]) in SETTINGS, one
    settings(manifests)


@each
def test_what_is_a_secret_comes_from_one(names: tuple[str, ...]) -> None:
    for one in container(build(*names))["env"]:
        assert "secretKeyRef" in one["valueFrom"], one


def test_the_keys_that_the_secrets_tell_of_are_settings() -> None:
    told = re.search(r"The keys are ([A-Z_, ]+)\.", (K8S / "base" / "secrets.yaml").read_text())
    assert told is not None
    assert {plain_name(key) for key in told.group(1).split(", ")} < SECRET


@each
def test_secrets_and_config_maps_that_are_named_are_there(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    assert set(_references(pod(manifests))) <= there
    assert all("data" not in one and "stringData" not in one for one in manifests if one["kind"] == "Secret"), (
        "to apply them would overwrite what is in the cluster"
    )


def _references(spec: Any) -> Iterator[tuple[str, str]]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in ("configMapRef", "configMapKeyRef"):
                yield "ConfigMap", value["name"]
            elif key in ("secretRef", "secretKeyRef"):
                yield "Secret", value["name"]
            elif key == "secret":
                yield "Secret", value["secretName"]
            elif key == "persistentVolumeClaim":
                yield "PersistentVolumeClaim", value["claimName"]
            else:
                yield from _references(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _references(value)


@each
def test_image_command_and_port_are_the_dockerfiles(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    only = container(manifests)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    is_gpu = "gpu" in names or "overlays/gpu" in names
    assert only["image"] == (f"pawl:{version}-cuda" if is_gpu else f"pawl:{version}")
    assert not {"command", "args", "workingDir"} & only.keys(), "the image's own"
    assert json.loads(instruction("ENTRYPOINT"))[-3:] == ["python", "-m", "server"]
    (port,) = only["ports"]
    assert str(port["containerPort"]) == instruction("EXPOSE") == str(settings(manifests).port)
    assert settings(manifests).host == "0.0.0.0"
    assert settings(manifests).data_dir == instruction("VOLUME") == "/data"


@each
def test_probes_ask_paths_that_there_are_at_a_port_that_there_is(names: tuple[str, ...]) -> None:
    only = container(build(*names))
    ports = {port["name"] for port in only["ports"]}
    asked = {name: only[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: get["path"] for name, get in asked.items()} == {
        "startupProbe": HEALTH.template,
        "livenessProbe": HEALTH.template,
        "readinessProbe": READY.template,
    }
    assert {get["port"] for get in asked.values()} <= ports
    assert the("Service", build(*names))["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]


@each
def test_the_pod_has_the_time_that_a_stop_takes(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    waits_s = container(manifests)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drains_s = 2 * NOT_READY_S + settings(manifests).stop_timeout_s + 1
    ends_s = 10  # workers, the admin API's last answers, what is to be written down
    assert waits_s >= 5, "nodes need some seconds to know that a pod is no endpoint any more"
    assert pod(manifests)["terminationGracePeriodSeconds"] >= waits_s + drains_s + ends_s


@each
def test_requests_and_limits_bound_memory_and_leave_the_cores(names: tuple[str, ...]) -> None:
    resources = container(build(*names))["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert "cpu" not in resources["limits"], "a quota stalls every process of the pod at once"
    assert quantity(resources["limits"]["memory"]) >= quantity(resources["requests"]["memory"])
    assert resources["limits"].get("nvidia.com/gpu") == (1 if "gpu" in names or "overlays/gpu" in names else None)


@each
def test_paths_of_routes_are_the_base_path(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    base = settings(manifests).base
    for one in manifests:
        if one["kind"] == "Ingress":
            assert [path["path"] for rule in one["spec"]["rules"] for path in rule["http"]["paths"]] == [base]
        if one["kind"] == "HTTPRoute":
            assert [match["path"]["value"] for rule in one["spec"]["rules"] for match in rule["matches"]] == [base]
        if one["kind"] == "ServiceMonitor":
            assert [endpoint["path"] for endpoint in one["spec"]["endpoints"]] == [METRICS.template]


def test_the_operator_gets_the_rules_and_grafana_the_dashboard_that_are_shipped() -> None:
    manifests = build("base", "service-monitor")
    monitoring = ROOT / "deploy" / "monitoring"
    assert the("PrometheusRule", manifests)["spec"] == yaml.safe_load((monitoring / "rules.yaml").read_text())
    dashboard = the("ConfigMap", manifests, "pawl-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert dashboard["data"] == {"dashboard.json": (monitoring / "dashboard.json").read_text()}


def test_the_ingress_is_for_any_controller() -> None:
    ingress = the("Ingress", build("base"))
    assert "annotations" not in ingress["metadata"]
    assert "ingressClassName" not in ingress["spec"]


def test_nginx_lets_bodies_pass_that_the_server_takes() -> None:
    ingress = the("Ingress", build("base", "nginx"))
    size = ingress["metadata"]["annotations"]["nginx.org/client-max-body-size"]
    assert size == f"{max(Settings().upload_max_mb, Settings().max_body_mb)}m"
    assert ingress["spec"]["ingressClassName"] == "nginx"


@each
def test_selectors_meet_the_servers_pods_and_never_those_of_runs(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    deployment = the("Deployment", manifests)["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert "app.kubernetes.io/managed-by" not in labels, "that is how runs are known"
    for one in manifests:
        spec = one.get("spec", {})
        selector = spec.get("podSelector" if one["kind"] == "NetworkPolicy" else "selector")
        if selector is None or one["metadata"]["name"] == "pawl-runs":
            continue
        assert selector.get("matchLabels", selector).items() <= labels.items(), one


def test_the_base_is_one_server_that_ends_before_the_next_starts() -> None:
    spec = the("Deployment", build("base"))["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    claim = the("PersistentVolumeClaim", build("base"), "pawl-data")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_several_servers_share_no_disk_and_are_never_fewer_than_wanted() -> None:
    manifests = build("overlays/postgres")
    spec = the("Deployment", manifests)["spec"]
    assert "replicas" not in spec, "the autoscaler's"
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert {next(iter(one.keys() - {"name"})) for one in pod(manifests)["volumes"]} == {"emptyDir", "secret"}
    required = {
        one["name"] for one in container(manifests)["env"] if not one["valueFrom"]["secretKeyRef"].get("optional")
    }
    assert required == {"DATABASE_URL", "ADMIN_TOKEN", "ARTIFACTS"}
    scaling = the("HorizontalPodAutoscaler", manifests)["spec"]
    assert scaling["metrics"][0]["resource"] == {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 80},
    }
    assert scaling["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    budget = the("PodDisruptionBudget", manifests)["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


@pytest.mark.parametrize("root", ["base", "overlays/gpu"])
def test_jobs_reach_the_store_and_the_claim_is_where_the_server_looks(root: str) -> None:
    manifests = build(root, "jobs", "artifacts-claim")
    given = settings(manifests)
    assert given.trainer == "kubernetes"
    check_reach(msgspec.structs.replace(given, git_path="https://git.example.org/models.git"), "pawl")
    claim = the("PersistentVolumeClaim", manifests, claim_of(given.artifacts))
    (mount,) = (one for one in container(manifests)["volumeMounts"] if one["mountPath"] == CLAIM)
    (volume,) = (one for one in pod(manifests)["volumes"] if one["name"] == mount["name"])
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


@each
def test_secrets_that_the_settings_name_are_there(names: tuple[str, ...]) -> None:
    manifests = build(*names)
    given = settings(manifests)
    there = {one["metadata"]["name"] for one in manifests if one["kind"] == "Secret"}
    assert {given.train_git_secret, given.train_store_secret} - {""} <= there


DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text()


def shown(word: str) -> dict[str, Any]:
    """The one YAML block of the document with that word in it."""
    blocks = [dedent(block) for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)]
    (found,) = (block for block in blocks if word in block)
    own: dict[str, Any] = yaml.safe_load(found)
    return own


FILES = {
    "secret.env": "ADMIN_TOKEN=s3cret\n",
    "git.env": "usergit=ada\ngitpassword=s3cret\n",
    "store.env": "AWS_ACCESS_KEY_ID=ada\n",
}


def test_settings_of_ones_own_are_taken_and_keep_the_names_that_jobs_look_for() -> None:
    """As docs/kubernetes.md shows it."""
    own = shown("- ../deploy/k8s/base\n")
    assert own.pop("resources") == ["../deploy/k8s/base"]
    manifests = customized("base", files=FILES, **own)
    (changed,) = (one for one in manifests if one["kind"] == "ConfigMap")
    assert changed["data"] == {**config(build("base")), "gitPath": "https://git.example.org/models.git"}
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    assert set(_references(pod(manifests))) <= there
    assert the("Secret", manifests)["data"].keys() == {"ADMIN_TOKEN"}
    assert the("Secret", manifests, Settings().train_git_secret)["data"].keys() == {"usergit", "gitpassword"}


def test_the_kustomization_for_a_cloud_is_taken_and_names_what_its_pods_need() -> None:
    own = shown("overlays/postgres")
    assert own.pop("resources") == ["../deploy/k8s/overlays/postgres"]
    required = "DATABASE_URL=postgresql://db/pawl\nARTIFACTS=s3://models/pawl\nADMIN_TOKEN=s3cret\n"
    manifests = customized("overlays/postgres", files={**FILES, "secret.env": required}, **own)
    assert container(manifests)["image"] == "registry.example.org/ml/pawl:0.1.0"
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    assert set(_references(pod(manifests))) <= there
    asked = {one["valueFrom"]["secretKeyRef"]["key"] for one in container(manifests)["env"]}
    assert asked - {"usergit", "gitpassword"} == the("Secret", manifests)["data"].keys()
    given = settings(manifests)
    assert (given.trainer, given.git_path) == ("kubernetes", "https://git.example.org/models.git")
    assert the("Secret", manifests, given.train_store_secret)["data"].keys() == {"AWS_ACCESS_KEY_ID"}


def test_the_document_tells_of_every_folder() -> None:
    folders = {str(path.parent.relative_to(K8S)) for path in K8S.rglob("kustomization.yaml")}
    assert {name for name in folders if f"| `{name}` |" in DOCUMENT} == folders


def test_what_is_added_for_jobs_on_one_node_is_taken() -> None:
    own = {**shown("- ../deploy/k8s/base\n"), **shown("accessModes")}
    assert own.pop("resources") == ["../deploy/k8s/base"]
    names = [Path(component).name for component in own.pop("components")]
    manifests = customized("base", *names, files=FILES, **own)
    claim = the("PersistentVolumeClaim", manifests, "pawl-artifacts")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    check_reach(settings(manifests), "pawl")


def test_another_namespace_gets_what_its_jobs_need() -> None:
    """The files that docs/kubernetes.md applies there are there, and name no namespace."""
    section = DOCUMENT.partition("### Jobs in another namespace")[2].partition("\n## ")[0]
    files = re.findall(r"-f (deploy/\S+)", section)
    assert files
    for file in files:
        for one in yaml.safe_load_all((ROOT / file).read_text()):
            assert "namespace" not in one["metadata"]
    account = pod(build("base"))["serviceAccountName"]
    assert f"--role={the('Role', build('base'))['metadata']['name']} --serviceaccount=pawl:{account}" in section
    assert f"secret generic {Settings().train_git_secret} " in section
