"""The one table of the admin API's routes: what each takes and answers."""

from __future__ import annotations

from server.http.admin_openapi.operations import Operation
from server.http.admin_openapi.table.events import EVENTS
from server.http.admin_openapi.table.keys import KEYS
from server.http.admin_openapi.table.models import MODELS
from server.http.admin_openapi.table.runs import RUNS
from server.http.admin_openapi.table.steering import STEERING
from server.http.admin_openapi.table.traffic import MACHINE
from server.http.admin_openapi.table.uploads import UPLOADS
from server.http.admin_openapi.table.versions import VERSIONS

OPERATIONS: tuple[Operation, ...] = (
    *MODELS,
    *VERSIONS,
    *EVENTS,
    *RUNS,
    *STEERING,
    *UPLOADS,
    *MACHINE,
    *KEYS,
)
