"""The route table that the daemon hands to every gateway, and the messages they exchange.

JSON lines on a socket pair that the gateway inherits. A gateway knows nothing but its `GatewayConfig` and the newest
table.
"""

from __future__ import annotations

import msgspec

from gateway.http.limits import Limits


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests for one release go, and what the answer's headers say."""

    model: str
    version: str
    """`vN`."""
    commit: str
    run: str = ""
    """Key of the run that left what answers; empty where it was not trained."""
    pool: str
    """Key of `Table.pools`."""
    timeout_s: float = 30.0
    max_queue: int = 1000
    """Requests outstanding at this gateway's side of the pool; over it the answer is 503."""
    takes_any_type: bool = False
    """Whether bodies may be of another type than JSON: the model gets them as they are."""


class Table(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Everything a gateway routes by. It replaces the one before it whole."""

    serial: int
    """Counts up; the gateway acknowledges it once no later request is routed by an older table."""
    ready: bool = False
    """What `/readyz` answers."""
    live: dict[str, Route] = {}
    """The plain routes, by model."""
    versions: dict[str, Route] = {}
    """Releases that were asked for by name, by `Model/version` as the caller wrote it."""
    down: dict[str, str] = {}
    """Models that are followed and have nothing to answer with, and why: 503 rather than 404."""
    untrained: dict[str, str] = {}
    """Those of `down` that wait for their first artifact, and the state of the run that leaves it."""
    pools: dict[str, tuple[str, ...]] = {}
    """Socket paths of each pool's ready workers."""


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Daemon to gateway, the answer to `Start`: the version is in the table now, or the error to give."""

    ticket: int
    error: dict[str, object] | None = None
    """The body's `error` object, with a code of the one table, where the version could not be started."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Daemon to gateway: accept nothing more, finish what is in flight, exit."""


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Gateway to daemon: the table of that serial is in force."""

    serial: int


class TableRejected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Gateway to daemon: a message can't be used, and the table before it stays in force."""

    serial: int
    """The table's, as far as that can be read; else -1."""
    why: str


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Gateway to daemon: somebody asks for `model` at `version`, which is in no table."""

    ticket: int
    model: str
    version: str


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took, as a histogram."""

    buckets: list[int]
    """Counts for each bound of `DURATION_BUCKETS_S`, and for what is above the last."""
    sum_s: float


class Counted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Gateway to daemon, once a second, also when nothing changed (it says that the gateway lives)."""

    requests: dict[str, dict[int, int]] = {}
    """Answers since the last such message: by `Model/vN` or `Model/run-KEY`, by HTTP status."""
    durations: dict[str, Durations] = {}
    """Of those answers, by `Model/vN`."""
    outstanding: dict[str, int] = {}
    """Requests outstanding now, by pool."""


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first message that a gateway gets."""

    base: str
    """The base path: "" or "/one" or "/one/two"."""
    daemon: str
    """Path of the daemon's Unix socket; it speaks HTTP there."""
    max_body: int
    """Bytes of the largest request body."""
    max_buffered: int
    """Bytes of all bodies that are in memory at one time."""
    body_timeout_s: float
    """Seconds in which a request's body must have come."""
    stop_timeout_s: float = 25.0
    """Seconds that requests in flight get to finish when the gateway stops."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may read answers; `*`: any."""
    connections: int = Limits.connections
    """Clients' connections at a time; one over it is closed at once."""


DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

ToGateway = GatewayConfig | Table | Started | Stop
FromGateway = Acknowledged | TableRejected | Start | Counted


def encode_message(message: msgspec.Struct) -> bytes:
    """One message as a line."""
    return msgspec.json.encode(message) + b"\n"


decode_to_gateway = msgspec.json.Decoder(ToGateway).decode
decode_from_gateway = msgspec.json.Decoder(FromGateway).decode
