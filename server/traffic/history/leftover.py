"""What of the traffic could not be written down when the daemon stopped: kept in a file until it is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.traffic.bucket import Series
from core.traffic.packing import NotPacked, pack, unpack
from core.traffic.resolution import RESOLUTIONS
from server.traffic.history.minutes import Batch

log = logging.getLogger("pawl.registry")

_BY_STEP = {resolution.step_s: resolution for resolution in RESOLUTIONS}


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    key: str
    at_s: int
    step_s: int
    buckets: list[tuple[Series, bytes]]


_decode = msgspec.msgpack.Decoder(list[_Kept]).decode


class Leftover:
    """The keys are kept too, so what is read twice is in the history once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, batches: Iterable[Batch]) -> None:
        """Instead of what was there. Raises OSError."""
        kept = [
            _Kept(
                batch.key,
                batch.at_s,
                batch.resolution.step_s,
                [(series, pack(bucket)) for series, bucket in batch.buckets.items()],
            )
            for batch in batches
        ]
        aside = self._path.with_suffix(".new")
        aside.write_bytes(msgspec.msgpack.encode(kept))
        os.replace(aside, self._path)

    def read(self) -> list[Batch]:
        try:
            return [_batch(kept) for kept in _decode(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, NotPacked, KeyError) as error:
            log.error("%s can't be read, so the traffic that it holds is lost: %s", self._path, error)
            return []

    def forget(self) -> None:
        """All of it is written down."""
        self._path.unlink(missing_ok=True)


def _batch(kept: _Kept) -> Batch:
    buckets = {series: unpack(packed) for series, packed in kept.buckets}
    return Batch(kept.at_s, _BY_STEP[kept.step_s], buckets, kept.key)
