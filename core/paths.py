"""The one table of paths: what is at each, beside the base path or under it.

The gateway's dispatch, the daemon's routes, the OpenAPI document and the names that no model may have come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """Who answers at a path, and with what."""

    HEALTH = auto()
    """The gateway: whether the process answers."""
    READY = auto()
    """The gateway: whether all that is to be served is."""
    ALL = auto()
    """Every live model."""
    MODEL = auto()
    """One model, at the live version or another."""
    DAEMON = auto()
    NOTHING = auto()
    """Nobody; in the table, nobody yet: the name is kept for what is being built."""


@dataclass(frozen=True)
class HttpPath:
    """One line of the table."""

    template: str
    """With names in braces where it holds any text; as Starlette and OpenAPI write it."""
    kind: Kind
    is_beside_base: bool = False
    """Whether it is beside the base path; the others are under it."""

    @property
    def first(self) -> str:
        """Its first segment."""
        return self.template.split("/")[1]

    def of(self, model: str) -> str:
        """The path of one model, with what else is in braces left as it is."""
        return self.template.replace("{model}", model)


HEALTH = HttpPath("/healthz", Kind.HEALTH, is_beside_base=True)
READY = HttpPath("/readyz", Kind.READY, is_beside_base=True)
METRICS = HttpPath("/metrics", Kind.DAEMON, is_beside_base=True)

INDEX = HttpPath("/", Kind.DAEMON)
DOCS = HttpPath("/docs", Kind.DAEMON)
OPENAPI = HttpPath("/openapi.json", Kind.DAEMON)
ALL = HttpPath("/all", Kind.ALL)
MODEL = HttpPath("/{model}", Kind.MODEL)
VERSION = HttpPath("/{model}/{version}", Kind.MODEL)

ADMIN = HttpPath("/-", Kind.DAEMON)
"""Everything of an operator's is below it."""
SYNC = HttpPath("/-/sync", Kind.DAEMON)
STATIC = HttpPath("/-/static/{digest}/{name}", Kind.DAEMON)
API_MODELS = HttpPath("/-/api/models", Kind.DAEMON)
API_MODEL = HttpPath("/-/api/models/{model}", Kind.DAEMON)
API_RETRY = HttpPath("/-/api/models/{model}/retry", Kind.DAEMON)
API_VERSIONS = HttpPath("/-/api/models/{model}/versions", Kind.DAEMON)
API_VERSION = HttpPath("/-/api/models/{model}/versions/{version}", Kind.DAEMON)
API_DIFF = HttpPath("/-/api/models/{model}/versions/{version}/diff", Kind.DAEMON)
API_DEPLOYMENTS = HttpPath("/-/api/models/{model}/deployments", Kind.DAEMON)
API_LOGS = HttpPath("/-/api/models/{model}/logs", Kind.DAEMON)
API_PIN = HttpPath("/-/api/models/{model}/pin", Kind.DAEMON)
API_ROLLBACK = HttpPath("/-/api/models/{model}/rollback", Kind.DAEMON)
API_VERSION_ACCEPT = HttpPath("/-/api/models/{model}/versions/{version}/accept", Kind.DAEMON)
API_VERSION_LOAD = HttpPath("/-/api/models/{model}/versions/{version}/load", Kind.DAEMON)
API_VERSION_UNLOAD = HttpPath("/-/api/models/{model}/versions/{version}/unload", Kind.DAEMON)
API_ACTION = HttpPath("/-/api/actions/{id}", Kind.DAEMON)
API_ACTION_STREAM = HttpPath("/-/api/actions/{id}/stream", Kind.DAEMON)
API_EVENTS = HttpPath("/-/api/events", Kind.DAEMON)
API_EVENTS_STREAM = HttpPath("/-/api/events/stream", Kind.DAEMON)
API_OPENAPI = HttpPath("/-/api/openapi.json", Kind.DAEMON)
API_TRAFFIC = HttpPath("/-/api/traffic", Kind.DAEMON)
API_MODEL_TRAFFIC = HttpPath("/-/api/models/{model}/traffic", Kind.DAEMON)
API_VERSION_TRAFFIC = HttpPath("/-/api/models/{model}/versions/{version}/traffic", Kind.DAEMON)
API_SYSTEM = HttpPath("/-/api/system", Kind.DAEMON)
MONITOR_TRAFFIC = HttpPath("/-/monitor/{model}/{version}/traffic", Kind.DAEMON)
"""As the field's older tools ask for it."""
API_MODEL_RUNS = HttpPath("/-/api/models/{model}/runs", Kind.DAEMON)
API_RUNS = HttpPath("/-/api/runs", Kind.DAEMON)
API_RUN = HttpPath("/-/api/runs/{run}", Kind.DAEMON)
API_RUN_CANCEL = HttpPath("/-/api/runs/{run}/cancel", Kind.DAEMON)
API_RUN_RETRY = HttpPath("/-/api/runs/{run}/retry", Kind.DAEMON)
API_RUN_ACCEPT = HttpPath("/-/api/runs/{run}/accept", Kind.DAEMON)
API_RUN_LOG = HttpPath("/-/api/runs/{run}/log", Kind.DAEMON)
API_RUN_ARTIFACT = HttpPath("/-/api/runs/{run}/artifact", Kind.DAEMON)

API_KEYS = HttpPath("/-/api/keys", Kind.DAEMON)
API_KEY = HttpPath("/-/api/keys/{key}", Kind.DAEMON)
API_SESSION = HttpPath("/-/api/session", Kind.DAEMON)

PAGE_SIGN_IN = HttpPath("/-/signin", Kind.DAEMON)
PAGE_SIGN_OUT = HttpPath("/-/signout", Kind.DAEMON)
PAGE_KEYS = HttpPath("/-/keys", Kind.DAEMON)
PAGE_KEY_REVOKE = HttpPath("/-/keys/{key}/revoke", Kind.DAEMON)
PAGE_MODELS = HttpPath("/-/", Kind.DAEMON)
PAGE_LOOK = HttpPath("/-/look", Kind.DAEMON)
PAGE_UPLOAD = HttpPath("/-/upload", Kind.DAEMON)
PAGE_THEME = HttpPath("/-/theme", Kind.DAEMON)
PAGE_MODEL = HttpPath("/-/models/{model}", Kind.DAEMON)
PAGE_RETRY = HttpPath("/-/models/{model}/retry", Kind.DAEMON)
PAGE_ACTION = HttpPath("/-/models/{model}/actions/{action}", Kind.DAEMON)
PAGE_CONFIGURATION = HttpPath("/-/models/{model}/configuration", Kind.DAEMON)
PAGE_EDIT = HttpPath("/-/models/{model}/edit", Kind.DAEMON)
PAGE_DELETE = HttpPath("/-/models/{model}/delete", Kind.DAEMON)
PAGE_RUNS = HttpPath("/-/models/{model}/runs", Kind.DAEMON)
PAGE_RUN = HttpPath("/-/models/{model}/runs/{run}", Kind.DAEMON)
PAGE_TRY = HttpPath("/-/models/{model}/try", Kind.DAEMON)
PAGE_VERSIONS = HttpPath("/-/models/{model}/versions", Kind.DAEMON)
PAGE_COMPARE = HttpPath("/-/models/{model}/compare", Kind.DAEMON)
PAGE_DEPLOYMENTS = HttpPath("/-/models/{model}/deployments", Kind.DAEMON)
PAGE_LOGS = HttpPath("/-/models/{model}/logs", Kind.DAEMON)
PAGE_MONITORING = HttpPath("/-/monitoring", Kind.DAEMON)
PAGE_EVENTS = HttpPath("/-/events", Kind.DAEMON)

REFACTOR = HttpPath("/refactor", Kind.MODEL)
"""Where an older tool of this kind was told to look at the repository: so it is here, unless a model is called so."""

OPEN_INFERENCE = HttpPath("/v2", Kind.DAEMON)
PING = HttpPath("/ping", Kind.NOTHING, is_beside_base=True)
INVOCATIONS = HttpPath("/invocations", Kind.NOTHING, is_beside_base=True)
EXECUTION_PARAMETERS = HttpPath("/execution-parameters", Kind.NOTHING, is_beside_base=True)
APP = HttpPath("/app/predict", Kind.NOTHING, is_beside_base=True)

PATHS = (
    *(HEALTH, READY, METRICS, INDEX, DOCS, OPENAPI, ALL, MODEL, VERSION),
    *(ADMIN, SYNC, STATIC, API_MODELS, API_MODEL, API_RETRY, API_OPENAPI),
    *(API_VERSIONS, API_VERSION, API_DIFF, API_DEPLOYMENTS, API_LOGS, API_EVENTS, API_EVENTS_STREAM),
    *(API_PIN, API_ROLLBACK, API_VERSION_ACCEPT, API_VERSION_LOAD, API_VERSION_UNLOAD, API_ACTION, API_ACTION_STREAM),
    *(API_MODEL_RUNS, API_RUNS, API_RUN, API_RUN_CANCEL, API_RUN_RETRY, API_RUN_ACCEPT, API_RUN_LOG, API_RUN_ARTIFACT),
    *(PAGE_MODELS, PAGE_LOOK, PAGE_UPLOAD, PAGE_EDIT, PAGE_DELETE, PAGE_THEME, PAGE_EVENTS, PAGE_MONITORING),
    *(PAGE_MODEL, PAGE_RETRY, PAGE_ACTION, PAGE_CONFIGURATION, PAGE_RUNS, PAGE_RUN, PAGE_TRY),
    *(API_KEYS, API_KEY, API_SESSION, PAGE_SIGN_IN, PAGE_SIGN_OUT, PAGE_KEYS, PAGE_KEY_REVOKE),
    *(API_TRAFFIC, API_MODEL_TRAFFIC, API_VERSION_TRAFFIC, API_SYSTEM, MONITOR_TRAFFIC),
    *(PAGE_VERSIONS, PAGE_COMPARE, PAGE_DEPLOYMENTS, PAGE_LOGS),
    *(OPEN_INFERENCE, PING, INVOCATIONS, EXECUTION_PARAMETERS, APP),
)

RESERVED = frozenset(path.first for path in PATHS if path.first[:1].isalnum())
"""Names that the paths beside the models need for themselves; with an empty base path, the two kinds meet."""
