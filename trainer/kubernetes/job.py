"""The Job of an attempt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.manifest.train import Train
from core.runs.runs import RunSpec
from trainer.attempt.pod import INDEX_PREFIX, STORE_PREFIX
from trainer.attempt.stop import GRACE_S
from trainer.kubernetes import names

WORK = "/work"
"""The volume that the two containers of a pod share."""
CODE = f"{WORK}/code"
CLAIM = "/artifacts"
CERTIFICATES = "/certificates"
_GPU = "nvidia.com/gpu"
_GIT = "/git"
_TTL_S = 6 * 3600
"""Until Kubernetes removes a Job that nobody of ours has: longer than an outage."""
_LATE_S = 300.0
_STORING_S = 30
"""After its grace, to store the checkpoint and what was printed."""
USER: Mapping[str, object] = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}
"""The image's."""
BUNDLE = "ca.crt"
"""Key of the ConfigMap with certificates."""
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE")
"""Where programs look for the certificates that they trust."""


@dataclass(frozen=True)
class JobPlace:
    """What the Jobs of this server have in common."""

    namespace: str
    image: str
    git: Mapping[str, str]
    """Settings of the repository that are not secrets."""
    pull_policy: str = ""
    """Of that image: where nodes have it and no registry does, it is not to be pulled."""
    git_secret: str = ""
    store_secret: str = ""
    claim: str = ""
    """Name of the claim that the artifacts are on, if they are."""
    service_account: str = ""
    fetch_timeout_s: float = 300.0
    environ: Mapping[str, str] = field(default_factory=dict)
    """More variables of both containers."""
    index_secret: str = ""
    """Secret with the logins for package indexes."""
    certificates: str = ""
    """ConfigMap with the certificates of those whom pods trust."""
    pull_secrets: tuple[str, ...] = ()
    user: Mapping[str, object] = field(default_factory=lambda: USER)
    """Of the security context, whom pods run as."""


def job_of(spec: RunSpec, place: JobPlace) -> dict[str, Any]:
    labels = {
        names.MANAGED_BY: names.PAWL,
        names.RUN: spec.run,
        names.MODEL: names.model_slug(spec.model),
    }
    annotations = {
        names.RUN: spec.run,
        names.MODEL: spec.model,
        names.ATTEMPT: str(spec.attempt),
        names.COMMIT: spec.commit,
        names.PENDING_S: f"{spec.train.pending_s:g}",
    }
    queue = {"kueue.x-k8s.io/queue-name": spec.train.queue} if spec.train.queue else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.job_name(spec.model, spec.run, spec.attempt),
            "namespace": place.namespace,
            "labels": {**labels, **queue},
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": _deadline_s(spec, place),
            "ttlSecondsAfterFinished": _TTL_S,
            "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": _pod(spec, place)},
        },
    }


def _deadline_s(spec: RunSpec, place: JobPlace) -> int:
    """Past all that the attempt bounds by itself: waiting, fetching, the environment, data, training, judging."""
    train = spec.train
    datasets = sum(data is not None for data in (train.dataset, train.validation))
    judging = train.timeout_s if spec.judge else 0.0
    prepared = train.pending_s + place.fetch_timeout_s + spec.environment_timeout_s + datasets * spec.dataset_timeout_s
    return int(prepared + train.timeout_s + judging + GRACE_S + _LATE_S)


def _pod(spec: RunSpec, place: JobPlace) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": int(GRACE_S) + _STORING_S,
        "securityContext": {
            **place.user,
            "runAsNonRoot": True,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": _volumes(place),
        "initContainers": [_fetching(spec, place)],
        "containers": [_training(spec, place)],
    }
    if spec.train.priority_class:
        pod["priorityClassName"] = spec.train.priority_class
    if place.service_account:
        pod["serviceAccountName"] = place.service_account
    if place.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in place.pull_secrets]
    if spec.train.resources.gpu:  # nodes with GPUs are often kept free of other pods by this taint
        pod["tolerations"] = [{"key": _GPU, "operator": "Exists", "effect": "NoSchedule"}]
    return pod


def _volumes(place: JobPlace) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [{"name": "work", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    if place.git_secret:
        secret = {"secretName": place.git_secret, "optional": True, "defaultMode": 0o440}
        volumes.append({"name": "git", "secret": secret})
    if place.claim:
        volumes.append({"name": "artifacts", "persistentVolumeClaim": {"claimName": place.claim}})
    if place.certificates:
        volumes.append({"name": "certificates", "configMap": {"name": place.certificates}})
    return volumes


def _fetching(spec: RunSpec, place: JobPlace) -> dict[str, Any]:
    """The one container that sees the login for the repository."""
    git = [{"name": "git", "mountPath": _GIT, "readOnly": True}] if place.git_secret else []
    container = _container("fetch", spec, place, ["trainer.fetch_code"])
    container["env"] += [{"name": "PAWL_SPEC", "value": msgspec.json.encode(spec).decode()}, *_env(place.git)]
    if place.git_secret:
        container["envFrom"] = [{"secretRef": {"name": place.git_secret, "optional": True}}]
    container["volumeMounts"] += git
    container["terminationMessagePolicy"] = "FallbackToLogsOnError"
    container["resources"] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    return container


def _training(spec: RunSpec, place: JobPlace) -> dict[str, Any]:
    container = _container("train", spec, place, ["trainer.run", f"{attempt_folder(spec)}/spec.json"])
    container["envFrom"] = [source for name in spec.train.env_from for source in _sources(name)]
    for prefix, secret in ((STORE_PREFIX, place.store_secret), (INDEX_PREFIX, place.index_secret)):
        if secret:
            container["envFrom"].append({"prefix": prefix, "secretRef": {"name": secret}})
    if place.claim:
        container["volumeMounts"].append({"name": "artifacts", "mountPath": CLAIM})
    container["resources"] = _resources(spec.train)
    return container


_ENVIRONMENT = {
    "HOME": WORK,
    "PYTHONPATH": "/pawl",
    "PAWL_DEFAULTS": f"DATA_DIR={WORK}",
    "UV_CACHE_DIR": f"{WORK}/cache/uv",
}


def _container(name: str, spec: RunSpec, place: JobPlace, arguments: list[str]) -> dict[str, Any]:
    image = spec.train.image or place.image
    return {
        "name": name,
        "image": image,
        **({"imagePullPolicy": place.pull_policy} if place.pull_policy and image == place.image else {}),
        "command": ["python", "-P", "-m", *arguments],
        "workingDir": "/pawl",
        "env": _env({**place.environ, **_trusting(place), **_ENVIRONMENT}),
        "volumeMounts": [
            {"name": "work", "mountPath": WORK},
            {"name": "tmp", "mountPath": "/tmp"},
            *([{"name": "certificates", "mountPath": CERTIFICATES, "readOnly": True}] if place.certificates else []),
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _trusting(place: JobPlace) -> dict[str, str]:
    return dict.fromkeys(_BUNDLE_VARIABLES, f"{CERTIFICATES}/{BUNDLE}") if place.certificates else {}


def attempt_folder(spec: RunSpec) -> str:
    return f"{spec.home}/a{spec.attempt}"


def _resources(train: Train) -> dict[str, Any]:
    asked = train.resources
    memory = str(asked.memory)
    cpu = asked.cpu if isinstance(asked.cpu, str) else f"{asked.cpu:g}"
    limits = {"memory": memory, **({_GPU: str(asked.gpu)} if asked.gpu else {})}
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": limits}


def _sources(name: str) -> list[dict[str, Any]]:
    """`secret/NAME`, `configmap/NAME`, or a NAME that either may have."""
    kind, _, bare = name.rpartition("/")
    kinds = {"secret": ["secretRef"], "configmap": ["configMapRef"]}.get(kind, ["secretRef", "configMapRef"])
    return [{one: {"name": bare, "optional": len(kinds) > 1}} for one in kinds]


def _env(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
