"""The route table that the daemon hands to every gateway, and the messages they exchange.

JSON lines on a socket pair that the gateway inherits. A gateway knows nothing but its `GatewayConfig` and the newest
table.
"""

from __future__ import annotations

import msgspec

from core.traffic.bucket import Bucket, Series
from gateway.http.limits import Limits
from worker.wire.spans import Traced


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


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What a key allows at a model's route."""

    id: str
    predicts: bool
    """Whether it has the scope; the others are refused by name, not as if they were no keys."""
    models: tuple[str, ...] | None = None
    """The only ones that it may ask; None: all."""
    rate: float | None = None
    """Requests per second at this gateway; None: as many as come."""
    expires: float | None = None
    """Seconds since 1970."""


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
    keys: dict[str, KeyGrant] = {}
    """Those that are valid, by the SHA-256 of each in hexadecimal digits; where models are open, none."""
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


class Tallied(msgspec.Struct, frozen=True, array_like=True):
    """What became of the requests of one series."""

    series: Series
    bucket: Bucket


class Counted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Gateway to daemon, once a second, also when nothing changed (it says that the gateway lives)."""

    tallies: list[Tallied] = []
    """Answers since the last such message."""
    outstanding: dict[str, int] = {}
    """Requests outstanding now, by pool."""

    @property
    def names(self) -> set[str]:
        """What was asked for: `Model/vN` or `Model/run-KEY`."""
        return {f"{tallied.series.model}/{tallied.series.version}" for tallied in self.tallies}


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are traced."""

    share: float = 1.0
    """Of those whose caller has not decided."""
    heeds_parent: bool = True
    """Whether a caller's `traceparent` decides."""


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
    needs_keys: bool = False
    """Whether models are asked with a key."""
    has_admin: bool = True
    """Whether `/-/` and `/metrics` are reached here; where not, the webhook and the pages' files alone."""
    stop_timeout_s: float = 25.0
    """Seconds that requests in flight get to finish when the gateway stops."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may read answers; `*`: any."""
    connections: int = Limits.connections
    """Clients' connections at a time; one over it is closed at once."""
    sampling: Sampling | None = None
    """None: no request is traced."""


ToGateway = GatewayConfig | Table | Started | Stop
FromGateway = Acknowledged | TableRejected | Start | Counted | Traced


def encode_message(message: msgspec.Struct) -> bytes:
    """One message as a line."""
    return msgspec.json.encode(message) + b"\n"


decode_to_gateway = msgspec.json.Decoder(ToGateway).decode
decode_from_gateway = msgspec.json.Decoder(FromGateway).decode
