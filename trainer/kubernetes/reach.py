"""Whether pods can do what TRAINER=kubernetes asks of them, as far as settings say: what can't work stops the start."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.errors import SettingError
from core.redaction import HIDDEN, without_login
from core.settings.settings import Settings
from trainer.kubernetes.job import CLAIM

_REMOTE = ("s3", "gs", "abfs", "abfss")


def check_reach(settings: Settings, own_namespace: str) -> None:
    """Raises SettingError."""
    _check_artifacts(settings, own_namespace)
    git = urlsplit(settings.git_path)
    if not settings.git_path or git.scheme == "file" or settings.git_path.startswith(("/", ".", "~")):
        raise SettingError(
            f"TRAINER is kubernetes, and pods can't fetch from {settings.git_path or 'a local folder'}: set gitPath to "
            "an address that they reach, https://… or ssh://…"
        )


def claim_of(artifacts: str) -> str:
    """Name of the claim in `pvc://CLAIM/PATH`; empty: none."""
    parts = urlsplit(artifacts)
    return parts.netloc if parts.scheme == "pvc" else ""


def pod_address(artifacts: str) -> str:
    """Of the store, as pods see it: a claim is a folder there."""
    parts = urlsplit(artifacts)
    return f"file://{CLAIM}/{parts.path.strip('/')}" if parts.scheme == "pvc" else artifacts


def _check_artifacts(settings: Settings, own_namespace: str) -> None:
    parts = urlsplit(settings.artifacts)
    if parts.scheme not in (*_REMOTE, "pvc"):
        where = "is in DATA_DIR" if not settings.artifacts else f"is {without_login(settings.artifacts)}"
        raise SettingError(
            f"TRAINER is kubernetes, and pods can't reach the artifact store, which {where}: set ARTIFACTS to s3://…, "
            "gs://…, abfs://… or pvc://CLAIM/PATH"
        )
    if parts.password or (parts.scheme in ("s3", "gs") and "@" in parts.netloc):
        raise SettingError(
            f"TRAINER is kubernetes, and ARTIFACTS carries a login ({HIDDEN}), which everybody who may read Jobs would "
            "see: put it into the Secret that TRAIN_STORE_SECRET names, as AWS_ACCESS_KEY_ID and so on"
        )
    if parts.scheme == "pvc" and settings.train_namespace not in ("", own_namespace):
        raise SettingError(
            f"TRAIN_NAMESPACE is {settings.train_namespace}, and the claim of ARTIFACTS is in {own_namespace}: no pod "
            "mounts a claim of another namespace; use s3://…, gs://… or abfs://…, or the server's own namespace"
        )
