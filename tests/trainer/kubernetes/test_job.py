"""The Job of an attempt, field by field, as docs/training.md and the cluster's rules have it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from core.manifest.train import Train
from core.runs.runs import RunSpec
from tests.cluster.schemas import check
from trainer.kubernetes.job import JobPlace, job_of

PLACE = JobPlace("models", "registry.example/pawl:1", {"PAWL_GIT_PATH": "https://git.example/models.git"})


def spec(model: str = "churn", **train: object) -> RunSpec:
    return RunSpec(
        run="0123456789ab",
        attempt=2,
        model=model,
        commit="c" * 40,
        code_key="fedcba987654",
        train=msgspec.convert(train, Train),
        root="/work/code/fedcba987654",
        home="/work/runs/0123456789ab",
        data_dir="/work",
        environment_timeout_s=900,
        dataset_timeout_s=3600,
        in_pod=True,
    )


def job(place: JobPlace = PLACE, **train: object) -> dict[str, Any]:
    made = job_of(spec(**train), place)
    check(made)
    return made


def pod(place: JobPlace = PLACE, **train: object) -> dict[str, Any]:
    found: dict[str, Any] = job(place, **train)["spec"]["template"]["spec"]
    return found


def fetch(place: JobPlace = PLACE, **train: object) -> dict[str, Any]:
    (found,) = pod(place, **train)["initContainers"]
    return dict(found)


def train(place: JobPlace = PLACE, **train: object) -> dict[str, Any]:
    (found,) = pod(place, **train)["containers"]
    return dict(found)


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


def test_its_name_says_the_model_the_run_and_the_attempt() -> None:
    assert job()["metadata"]["name"] == "pawl-churn-0123456789ab-a2"
    long = job_of(spec("A model of Ärger/" + "x" * 80), PLACE)["metadata"]
    check(job_of(spec("A model of Ärger/" + "x" * 80), PLACE))
    slug = long["name"].removeprefix("pawl-").removesuffix("-0123456789ab-a2")
    assert len(slug) <= 20
    assert long["annotations"]["pawl.dev/model"] == "A model of Ärger/" + "x" * 80, "the full name"


def test_labels_say_whose_it_is_on_the_job_and_on_its_pod() -> None:
    whose = {
        "app.kubernetes.io/managed-by": "pawl",
        "pawl.dev/run": "0123456789ab",
        "pawl.dev/model": "churn",
    }
    assert job()["metadata"]["labels"] == whose
    assert job()["spec"]["template"]["metadata"]["labels"] == whose


def test_kubernetes_makes_one_pod_once_and_clears_it_away() -> None:
    made = job()["spec"]
    assert made["backoffLimit"] == 0
    assert made["podReplacementPolicy"] == "Failed"
    assert made["template"]["spec"]["restartPolicy"] == "Never"
    assert made["ttlSecondsAfterFinished"] > 3600, "longer than an outage of an hour"
    assert "suspend" not in made


def test_its_deadline_is_past_all_that_the_attempt_bounds_by_itself() -> None:
    bare = job(timeout_s=100, pending_s=50)["spec"]["activeDeadlineSeconds"]
    assert bare > 100 + 50 + PLACE.fetch_timeout_s + 900
    data = job(timeout_s=100, pending_s=50, dataset="a.csv", validation="b.csv")["spec"]["activeDeadlineSeconds"]
    assert data == bare + 2 * 3600
    judged = job_of(msgspec.structs.replace(spec(timeout_s=100, pending_s=50), judge="a" * 32), PLACE)
    assert judged["spec"]["activeDeadlineSeconds"] == bare + 100


@pytest.mark.parametrize(
    ("asked", "requests", "limits"),
    [
        ({}, {"cpu": "1", "memory": "2Gi"}, {"memory": "2Gi"}),
        ({"cpu": 0.5, "memory": "500M"}, {"cpu": "0.5", "memory": "500M"}, {"memory": "500M"}),
        ({"cpu": "250m", "memory": 1024}, {"cpu": "250m", "memory": "1024"}, {"memory": "1024"}),
        ({"gpu": 2}, {"cpu": "1", "memory": "2Gi"}, {"memory": "2Gi", "nvidia.com/gpu": "2"}),
    ],
)
def test_resources_are_requests_and_limits(
    asked: dict[str, object], requests: dict[str, str], limits: dict[str, str]
) -> None:
    assert train(resources=asked)["resources"] == {"requests": requests, "limits": limits}


def test_a_run_on_a_gpu_may_go_to_nodes_that_are_kept_for_gpus() -> None:
    assert pod(resources={"gpu": 1})["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert "tolerations" not in pod()


def test_a_queue_is_kueues_label_and_a_priority_class_the_pods() -> None:
    assert job(queue="team-a")["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert pod(priority_class="low")["priorityClassName"] == "low"
    assert "priorityClassName" not in pod()


def test_an_image_of_the_folders_own_runs_both_containers() -> None:
    assert {fetch()["image"], train()["image"]} == {"registry.example/pawl:1"}
    own = "registry.example/ml:2"
    assert {fetch(image=own)["image"], train(image=own)["image"]} == {own}


def test_the_servers_image_is_pulled_as_the_server_does() -> None:
    place = replace(PLACE, pull_policy="IfNotPresent")
    assert fetch(place)["imagePullPolicy"] == train(place)["imagePullPolicy"] == "IfNotPresent"
    assert "imagePullPolicy" not in train(place, image="registry.example/ml:2")
    assert "imagePullPolicy" not in train()


def test_no_token_and_no_account_but_the_one_that_is_named() -> None:
    assert pod()["automountServiceAccountToken"] is False
    assert pod()["enableServiceLinks"] is False
    assert "serviceAccountName" not in pod()
    assert pod(replace(PLACE, service_account="trainer"))["serviceAccountName"] == "trainer"


def test_the_login_for_git_is_seen_where_the_code_is_fetched_alone() -> None:
    place = replace(PLACE, git_secret="pawl-git")
    assert fetch(place)["envFrom"] == [{"secretRef": {"name": "pawl-git", "optional": True}}]
    assert {"name": "git", "mountPath": "/git", "readOnly": True} in fetch(place)["volumeMounts"]
    assert "pawl-git" not in str(train(place))
    assert "git" not in {mount["name"] for mount in train(place)["volumeMounts"]}
    assert all(volume["name"] != "git" for volume in pod()["volumes"])


def test_the_logins_for_store_and_index_come_under_names_that_no_tool_knows() -> None:
    place = replace(PLACE, store_secret="pawl-store", index_secret="pawl-index")
    assert train(place)["envFrom"] == [
        {"prefix": "PAWL_STORE_", "secretRef": {"name": "pawl-store"}},
        {"prefix": "PAWL_INDEX_", "secretRef": {"name": "pawl-index"}},
    ]
    assert "envFrom" not in fetch(place)


def test_what_the_folder_names_is_seen_by_the_code() -> None:
    found = train(env_from=["secret/team", "configmap/endpoints", "either"])["envFrom"]
    assert found == [
        {"secretRef": {"name": "team", "optional": False}},
        {"configMapRef": {"name": "endpoints", "optional": False}},
        {"secretRef": {"name": "either", "optional": True}},
        {"configMapRef": {"name": "either", "optional": True}},
    ]
    assert "envFrom" not in fetch(env_from=["secret/team"])


def test_a_claim_is_where_the_server_has_it() -> None:
    place = replace(PLACE, claim="artifacts")
    assert {"name": "artifacts", "mountPath": "/artifacts"} in train(place)["volumeMounts"]
    assert {"name": "artifacts", "persistentVolumeClaim": {"claimName": "artifacts"}} in pod(place)["volumes"]
    assert "artifacts" not in {mount["name"] for mount in fetch(place)["volumeMounts"]}


def test_certificates_are_where_programs_look_for_them() -> None:
    place = replace(PLACE, certificates="bundle")
    for container in (fetch(place), train(place)):
        assert {"name": "certificates", "mountPath": "/certificates", "readOnly": True} in container["volumeMounts"]
        found = variables(container)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"):
            assert found[name] == "/certificates/ca.crt"
    assert "SSL_CERT_FILE" not in variables(train())


def test_the_servers_ways_out_are_the_pods() -> None:
    place = replace(PLACE, environ={"HTTPS_PROXY": "http://proxy:3128"})
    assert variables(fetch(place))["HTTPS_PROXY"] == variables(train(place))["HTTPS_PROXY"] == "http://proxy:3128"


def test_the_registrys_login_is_the_pods() -> None:
    assert "imagePullSecrets" not in pod()
    assert pod(replace(PLACE, pull_secrets=("one",)))["imagePullSecrets"] == [{"name": "one"}]


def test_the_user_is_the_images_or_the_servers() -> None:
    context = pod()["securityContext"]
    assert (context["runAsUser"], context["fsGroup"], context["runAsNonRoot"]) == (1000, 1000, True)
    other = pod(replace(PLACE, user={"runAsUser": 1000680000, "fsGroup": 1000680000}))["securityContext"]
    assert (other["runAsUser"], other["fsGroup"], other["runAsNonRoot"]) == (1000680000, 1000680000, True)
    assert "runAsGroup" not in other


@pytest.mark.parametrize("container", [fetch(), train()], ids=["fetch", "train"])
def test_each_container_has_a_read_only_root_and_no_rights(container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/work", "/tmp"}


def test_the_grace_leaves_time_to_store_the_checkpoint() -> None:
    assert pod()["terminationGracePeriodSeconds"] >= 30 + 10
