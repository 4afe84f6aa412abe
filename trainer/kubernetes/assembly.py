"""Builds what trains in a cluster from settings, and starts none of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.runs.runs import AttemptResult
from core.settings.settings import Settings
from loader.artifacts.records import RunRecords
from trainer.kubernetes import names
from trainer.kubernetes.api import Api
from trainer.kubernetes.begun import BegunMarks
from trainer.kubernetes.caps import Caps, patterns
from trainer.kubernetes.job import USER, JobPlace
from trainer.kubernetes.object_cache import Following, ObjectCache
from trainer.kubernetes.own_pod import OwnPod
from trainer.kubernetes.passed_on import kept_back, passed_on
from trainer.kubernetes.reach import check_reach, claim_of
from trainer.kubernetes.runs import KubernetesRuns
from trainer.kubernetes.stored_progress import StoredProgress

log = logging.getLogger("pawl.trainer")


@dataclass(frozen=True)
class ClusterRuns:
    runs: KubernetesRuns
    following: tuple[Following, ...]
    """To be started and stopped."""


def connected(
    settings: Settings, environ: Mapping[str, str], records: RunRecords, record: Callable[[AttemptResult], None]
) -> ClusterRuns:
    """By the API server that a pod's account or KUBECONFIG names. `environ`: the server's. Raises SettingError."""
    from trainer.kubernetes.api_server import connect, own_namespace  # imports the client: a second

    own = own_namespace()
    check_reach(settings, own)
    if withheld := kept_back(environ):
        log.warning(
            "pods of runs don't get %s, which carry a login: put them into a Secret that TRAIN_INDEX_SECRET names",
            ", ".join(withheld),
        )
    return assemble(settings, environ, connect(), own, records, record)


def assemble(
    settings: Settings,
    environ: Mapping[str, str],
    api: Api,
    own_namespace: str,
    records: RunRecords,
    record: Callable[[AttemptResult], None],
) -> ClusterRuns:
    namespace = settings.train_namespace or own_namespace
    jobs = ObjectCache(api, f"/apis/batch/v1/namespaces/{namespace}/jobs", names.SELECTOR)
    pods = ObjectCache(api, f"/api/v1/namespaces/{namespace}/pods", names.SELECTOR)
    place = partial(_place, settings, passed_on(environ), namespace, OwnPod(api, own_namespace, settings.train_image))
    runs = KubernetesRuns(
        api, jobs, pods, namespace, place, _caps(settings), BegunMarks(records), record, StoredProgress(records)
    )
    return ClusterRuns(runs, (Following(jobs, "watch of Jobs"), Following(pods, "watch of pods")))


def _place(settings: Settings, environ: Mapping[str, str], namespace: str, own_pod: OwnPod) -> JobPlace:
    """Raises ExecutorUnavailable."""
    own = own_pod()
    git = {
        "PAWL_GIT_PATH": settings.git_path,
        "PAWL_GIT_BRANCH": settings.git_branch,
        "PAWL_GIT_FOLDER": settings.git_folder,
        "PAWL_GIT_SSH_KEY_FILE": settings.git_ssh_key_file,
        "PAWL_GIT_KNOWN_HOSTS_FILE": settings.git_known_hosts_file,
        "PAWL_FETCH_TIMEOUT_S": f"{settings.fetch_timeout_s:g}",
        "PAWL_FETCH_MAX_MB": str(settings.fetch_max_mb),
    }
    if "@" in settings.git_path.partition("://")[2].partition("/")[0] and settings.git_path.startswith("http"):
        del git["PAWL_GIT_PATH"]  # it carries a login: the Secret must have it
    return JobPlace(
        namespace=namespace,
        image=own.image,
        pull_policy=own.pull_policy,
        git={name: value for name, value in git.items() if value},
        git_secret=settings.train_git_secret,
        store_secret=settings.train_store_secret,
        claim=claim_of(settings.artifacts),
        service_account=settings.train_service_account,
        fetch_timeout_s=settings.fetch_timeout_s,
        environ=environ,
        index_secret=settings.train_index_secret,
        certificates=settings.train_certificates,
        pull_secrets=(settings.train_pull_secret,) if settings.train_pull_secret else own.pull_secrets,
        user=own.user or USER,
    )


def _caps(settings: Settings) -> Caps:
    return Caps(
        cpu=settings.train_max_cpu,
        memory=settings.train_max_memory,
        gpu=int(settings.train_max_gpu) if settings.train_max_gpu else None,
        images=patterns(settings.train_images),
        env_from=patterns(settings.train_env_from),
    )
