"""The one table of the admin API's routes: what each takes and answers."""

from __future__ import annotations

from server.http.openapi.operations import Operation
from server.http.openapi.table.events import EVENTS
from server.http.openapi.table.keys import KEYS
from server.http.openapi.table.models import MODELS
from server.http.openapi.table.runs import RUNS
from server.http.openapi.table.steering import STEERING
from server.http.openapi.table.traffic import MACHINE
from server.http.openapi.table.uploads import UPLOADS
from server.http.openapi.table.versions import VERSIONS

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
