"""The settings as one value."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from core.settings.value_types import (
    Base,
    Bind,
    Body,
    Cores,
    Count,
    CpuQuantity,
    Database,
    Days,
    Device,
    Gigabytes,
    GpuQuantity,
    Megabytes,
    MemoryQuantity,
    ObjectName,
    Origins,
    Port,
    Seconds,
    Store,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field per environment variable. The variable's name is the field's, without regard to case and underscores.

    Fields named in `SECRETS` are hidden from logs, errors and child processes.
    """

    git_path: str = ""
    """Repository of model folders; empty: the local folder `models_serve` is followed."""
    usergit: str = ""
    """User name for the repository."""
    gitpassword: str = ""
    """Password or access token for the repository."""
    git_ssh_key_file: str = ""
    """Private key for ssh repositories."""
    git_known_hosts_file: str = ""
    """Known hosts for ssh repositories; empty: a host's key is trusted when first seen."""
    git_branch: str = ""
    """Branch to follow; empty: the remote's default."""
    git_folder: str = ""
    """Where the model folders are in the repository; empty: at its root."""
    base_url: Base = "models_serve"
    """Path under which everything is served."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8000
    """Port to listen on."""
    sync_seconds: Seconds = 30.0
    """Seconds between looks at the repository."""
    webhook_secret: str = ""
    """Secret of the webhook; empty: `POST /-/sync` needs a key."""
    admin_token: str = ""
    """The key of scope admin that is always there; empty: the first start makes one, and keeps it in DATA_DIR."""
    admin_bind: Bind = ""
    """Where the pages, the admin API and the metrics are reached; empty: at HOST and PORT, like the models."""
    auth: Annotated[Literal["open", "keys"], msgspec.Meta(description="open or keys")] = "open"
    """Who may ask a model: open: anybody; keys: who has a key of scope predict."""
    data_dir: str = ".pawl"
    """Folder for everything that Pawl keeps."""
    database_url: Database = ""
    """Where the registry is; empty: SQLite in DATA_DIR."""
    artifacts: Store = ""
    """Where artifacts and the results of runs are; empty: a folder in DATA_DIR. It may carry a login."""
    trainer: Annotated[
        Literal["local", "kubernetes", "none"], msgspec.Meta(description="local, kubernetes or none")
    ] = "local"
    """Where training runs: local: as processes of this machine; kubernetes: as Jobs; none: nothing is trained here."""
    train_at_once: Count = 1
    """Runs at a time."""
    train_cpus: Cores = 0
    """Cores that a run may take; 0: all but one, and at least one."""
    train_namespace: ObjectName = ""
    """Namespace of the Jobs; empty: the server's own."""
    train_image: str = ""
    """Image of their pods, which contains Pawl; empty: the server's own."""
    train_images: str = ""
    """Images that folders may ask for besides, as patterns joined by commas or spaces; empty: none."""
    train_git_secret: ObjectName = "pawl-git"
    """Secret with the login for the repository, for the container that fetches the code; it need not be there."""
    train_store_secret: ObjectName = ""
    """Secret with the login for ARTIFACTS, as environment variables."""
    train_index_secret: ObjectName = ""
    """Secret with the logins for package indexes, as the environment variables of pip and uv."""
    train_pull_secret: ObjectName = ""
    """Secret with the login for the images' registry; empty: those of the server's own pod."""
    train_certificates: ObjectName = ""
    """ConfigMap whose `ca.crt` holds the certificates that pods trust; empty: the image's own."""
    train_service_account: ObjectName = ""
    """Service account of the pods; empty: the namespace's default."""
    train_env_from: str = ""
    """Secrets and ConfigMaps that folders may name, as patterns joined by commas or spaces; empty: none."""
    train_max_cpu: CpuQuantity = ""
    """Cores that a run may ask for; empty: any number."""
    train_max_memory: MemoryQuantity = ""
    """Memory that a run may ask for; empty: any amount."""
    train_max_gpu: GpuQuantity = ""
    """GPUs that a run may ask for; empty: any number."""
    max_artifact_gb: Gigabytes = 20.0
    """Gigabytes that one run may leave."""
    dataset_cache_gb: Gigabytes = 50.0
    """Gigabytes of datasets from elsewhere that are kept for the next run."""
    dataset_timeout_s: Seconds = 3600.0
    """Seconds in which a dataset must have come."""
    cors_origins: Origins = ""
    """Origins whose pages may call the models from a browser, or `*` for any; empty: none may."""
    gateways: Count = 1
    """Processes that accept HTTP."""
    device: Device = "auto"
    """Where ONNX models run; auto: on the GPU when there is one."""
    variables: Annotated[Literal["dict", "dataframe"], msgspec.Meta(description="dict or dataframe")] = "dict"
    """How variables come to a `transform_predict` that annotates nothing."""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], msgspec.Meta(description="debug, info, warning or error")
    ] = "info"
    """What is logged."""
    max_body_mb: Body = 32
    """Megabytes of the largest request body."""
    upload_max_mb: Body = 512
    """Megabytes of a model's folder that is handed in, as a zip and unfolded, whatever MAX_BODY_MB says."""
    max_buffered_mb: Megabytes = 512
    """Megabytes of all request bodies that one gateway holds at a time."""
    body_timeout_s: Seconds = 30.0
    """Seconds in which a request's body must have come."""
    start_timeout_s: Seconds = 120.0
    """Seconds that a worker has to load its model and answer its examples."""
    fetch_timeout_s: Seconds = 300.0
    """Seconds that a fetch of the repository may take."""
    fetch_max_mb: Megabytes = 10_000
    """Megabytes that the mirror of the repository may take."""
    environment_timeout_s: Seconds = 900.0
    """Seconds that building a model's Python environment may take."""
    stop_timeout_s: Seconds = 25.0
    """Seconds that requests in flight get to finish when the server stops."""
    audit_days: Days = 400
    """Days for which the registry keeps what people did."""
    version_idle_s: Seconds = 300.0
    """Seconds after which an old version that was asked for by name, and is no longer asked for, is stopped."""

    @property
    def base(self) -> str:
        """The base path as it stands in URLs: "" or "/one/two"."""
        stripped = self.base_url.strip("/")
        return f"/{stripped}" if stripped else ""

    @property
    def origins(self) -> tuple[str, ...]:
        """Those of `cors_origins`, as browsers write them."""
        return tuple(map(_origin, self.cors_origins.lower().replace(",", " ").split()))

    @property
    def admin_address(self) -> tuple[str, int] | None:
        """Host and port of `admin_bind`."""
        host, _, port = self.admin_bind.rpartition(":")
        return (host.strip("[]"), int(port)) if self.admin_bind else None

    @property
    def data(self) -> Path:
        return Path(os.path.expanduser(self.data_dir)).absolute()  # no shell has read it in an env file


SECRETS = frozenset(
    {
        "git_path",
        "usergit",
        "gitpassword",
        "git_ssh_key_file",
        "webhook_secret",
        "admin_token",
        "database_url",
        "artifacts",
    }
)
"""Settings that no child process gets to see. `git_path`, `database_url` and `artifacts` may carry a password."""


def _origin(text: str) -> str:
    """Without the slash and the port that need not be there."""
    scheme, colon, host = text.rstrip("/").partition("://")
    return scheme + colon + host.removesuffix(":443" if scheme == "https" else ":80")
