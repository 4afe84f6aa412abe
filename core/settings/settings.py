"""The settings: environment variables, read once, by the daemon alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from core.errors import SettingError

Count = Annotated[int, msgspec.Meta(ge=1, le=256, description="a whole number from 1 to 256")]
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500, description="a whole number of days from 1 to 36500")]
Cores = Annotated[int, msgspec.Meta(ge=0, le=4096, description="a whole number of cores from 0 to 4096")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=31_536_000, description="a number of seconds above 0, at most a year")]
Bytes = Annotated[int, msgspec.Meta(ge=1, le=2**30, description="a number of megabytes from 1 to 1073741824")]
Body = Annotated[int, msgspec.Meta(ge=1, le=4095, description="a number of megabytes from 1 to 4095")]
Base = Annotated[
    str,
    msgspec.Meta(
        # No dot segments: clients and proxies resolve them before they ask.
        pattern=r"^(?!(.*/)?\.{1,2}(/|$))/?([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?/?$",
        description="path segments of letters, digits and ._~- joined by '/', none of them '.' or '..', or nothing",
    ),
]
Origins = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\*|https?://[^\s,/*@?#]+/?([\s,]+https?://[^\s,/*@?#]+/?)*)?$",
        description="origins such as https://shop.example, joined by commas or spaces, or * for any",
    ),
]
Device = Annotated[str, msgspec.Meta(pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="one of auto, cpu, cuda, cuda:N")]
Database = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(sqlite:///.+|postgres(ql)?://.+)?$", description="sqlite:///PATH or postgresql://HOST/NAME"
    ),
]
Store = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^((s3|gs|abfss?)://[^/?#\s]+[^\s]*|file:///[^\s]*"
        r"|pvc://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)*/?)?$",
        description="s3://BUCKET/PATH, gs://BUCKET/PATH, abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, "
        "pvc://CLAIM/PATH or file:///PATH",
    ),
]
ObjectName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$",
        description="the name of an object in the cluster: lower-case letters, digits, '-' and '.'",
    ),
]
CpuQuantity = Annotated[
    str,
    msgspec.Meta(pattern=r"^([0-9]{1,5}(\.[0-9]{1,3})?|[0-9]{1,7}m)?$", description="cores, such as 4, 0.5 or 500m"),
]
MemoryQuantity = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9]{1,15}(\.[0-9]{1,3})?([kMGT]|[KMGT]i)?)?$",
        description="an amount of memory, such as 16Gi or 500M",
    ),
]
GpuQuantity = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,4}$", description="a whole number of GPUs")]
Gigabytes = Annotated[float, msgspec.Meta(gt=0, le=2**20, description="a number of gigabytes above 0, at most 1048576")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535, description="a port number; 0 takes any free one")]


Bind = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^((\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):\d{1,5})?$",
        description="an address and a port, such as 127.0.0.1:3550 or [::1]:3550",
    ),
]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field per environment variable. The variable's name is the field's in capitals without underscores mattering.

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
    """Megabytes of a model's folder that is handed in, as a zip and unfolded; through a gateway, MAX_BODY_MB too."""
    max_buffered_mb: Bytes = 512
    """Megabytes of all request bodies that one gateway holds at a time."""
    body_timeout_s: Seconds = 30.0
    """Seconds in which a request's body must have come."""
    start_timeout_s: Seconds = 120.0
    """Seconds that a worker has to load its model and answer its examples."""
    fetch_timeout_s: Seconds = 300.0
    """Seconds that a fetch of the repository may take."""
    fetch_max_mb: Bytes = 10_000
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
        return Path(self.data_dir).absolute()


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

_PASSWORD = "password"
_OLDER = {"DAEMONSECS": "sync_seconds", _PASSWORD: "gitpassword"}
"""Names that an older tool of this kind had, spelt so. The second is so common that it counts beside a user alone."""
_WORDS = frozenset({"device", "variables", "log_level", "auth"})
_TRACES_SECRETS = {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}
"""Variables of OpenTelemetry's that hold a collector's key."""
_SILENT = SECRETS - {"git_path"}
PREFIX = "pawl"
DEFAULTS = "PAWL_DEFAULTS"
"""Holds settings, as `HOST=0.0.0.0 DATA_DIR=/data`, that are the defaults of a place: an empty variable leaves them."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; names match without regard to case and underscores, and PAWL_ ones win.

    Raises SettingError, in one line, naming the variable, what it held and what it takes.
    """
    place = dict(part.split("=", 1) for part in environ.get(DEFAULTS, "").split() if "=" in part)
    return Settings(**{**_values(place), **_values(environ)})


def _values(environ: Mapping[str, str]) -> dict[str, Any]:
    hints = get_type_hints(Settings, include_extras=True)
    return {
        field: _convert(variable, environ[variable], hints[field], field) for field, variable in _find(environ).items()
    }


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without Pawl's secrets: what a child process may see."""
    secret = {plain_name(name) for name in SECRETS}
    secret |= {PREFIX + name for name in secret} | {plain_name(DEFAULTS)}  # which may hold any of them
    secret |= {PREFIX + "token"}  # of the command line: an ADMIN_TOKEN
    older = {name for field, name in _find_older(environ).items() if field in SECRETS} | _TRACES_SECRETS
    return {name: value for name, value in environ.items() if plain_name(name) not in secret and name not in older}


def _origin(text: str) -> str:
    """Without the slash and the port that need not be there."""
    scheme, colon, host = text.rstrip("/").partition("://")
    return scheme + colon + host.removesuffix(":443" if scheme == "https" else ":80")


def _find(environ: Mapping[str, str]) -> dict[str, str]:
    """Field → name of the variable that sets it."""
    by_plain_name: dict[str, str] = {}
    for variable in environ:
        if _is_set(plain_name(variable), environ[variable]):
            by_plain_name.setdefault(plain_name(variable), variable)
    found = _find_older(environ)
    for field in Settings.__struct_fields__:
        plain = plain_name(field)
        if PREFIX + plain in by_plain_name:
            found[field] = by_plain_name[PREFIX + plain]
        elif plain in by_plain_name:
            found[field] = by_plain_name[plain]
    return found


def _find_older(environ: Mapping[str, str]) -> dict[str, str]:
    """The same of the names that older tools gave some."""
    has_user = any(value and plain_name(name) in ("usergit", PREFIX + "usergit") for name, value in environ.items())
    return {field: name for name, field in _OLDER.items() if environ.get(name) and (has_user or name != _PASSWORD)}


def _is_set(plain: str, value: str) -> bool:
    """An empty variable is not set, as in an env file, but for the base path, which may be empty.

    Kubernetes gives every pod beside a Service named `pawl` a PAWL_PORT of its own making, `tcp://10.0.0.1:8000`.
    """
    if plain == PREFIX + "port" and value.startswith(("tcp://", "udp://", "sctp://")):
        return False
    return value != "" or plain in ("baseurl", PREFIX + "baseurl")


def plain_name(name: str) -> str:
    """As names of variables are compared."""
    return name.replace("_", "").lower()


def _convert(variable: str, text: str, kind: Any, field: str) -> Any:
    plain = text.strip()
    if kind is not str:
        # A file for `docker --env-file` is no shell: quotes are kept. And people write INFO.
        plain = re.sub(r"""^(["'])(.*)\1$""", r"\2", plain)
        plain = plain.lower() if field in _WORDS else plain
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        held = "(hidden)" if field in _SILENT else repr(text)
        raise SettingError(f"{variable} is {held}; it takes {_takes(kind)}") from error


def _takes(kind: Any) -> str:
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    return re.sub(r"<class '(.*)'>", r"\1", str(kind))
