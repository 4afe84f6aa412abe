"""Types of settings: what each takes, and how a message says so."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from core.paths import PATHS


def _number(least: int, most: int, takes: str) -> Meta:
    return Meta(ge=least, le=most, description=takes)


def _more_than_0(most: int, takes: str) -> Meta:
    return Meta(gt=0, le=most, description=takes)


def _text(pattern: str, takes: str) -> Meta:
    return Meta(pattern=f"^({pattern})$", description=takes)


def _text_or_none(pattern: str, takes: str) -> Meta:
    return Meta(pattern=f"^({pattern})?$", description=takes)


Count = Annotated[int, _number(1, 256, "a whole number from 1 to 256")]
Days = Annotated[int, _number(1, 36_500, "a whole number of days from 1 to 36500")]
Cores = Annotated[int, _number(0, 4096, "a whole number of cores from 0 to 4096")]
Port = Annotated[int, _number(0, 65535, "a port number; 0 takes any free one")]
Seconds = Annotated[float, _more_than_0(31_536_000, "a number of seconds above 0, at most a year")]

Body = Annotated[int, _number(1, 4095, "a number of megabytes from 1 to 4095")]
Megabytes = Annotated[int, _number(1, 2**30, "a number of megabytes from 1 to 1073741824")]
Gigabytes = Annotated[float, _more_than_0(2**20, "a number of gigabytes above 0, at most 1048576")]

_TAKEN = tuple(path.template.strip("/") for path in PATHS if path.is_beside_base)
Base = Annotated[
    str,
    _text(
        # No dot segments: clients and proxies resolve them before they ask.
        rf"(?!/?({'|'.join(_TAKEN)})/?$)"
        r"(?!(.*/)?\.{1,2}(/|$))/?([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?/?",
        "path segments of letters, digits and ._~- joined by '/', none of them '.' or '..', or nothing; "
        f"{', '.join(_TAKEN)} are taken",
    ),
]
Bind = Annotated[
    str,
    _text_or_none(
        r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])",
        "an address and a port, such as 127.0.0.1:3550 or [::1]:3550",
    ),
]
Origins = Annotated[
    str,
    _text_or_none(
        r"\*|https?://[^\s,/*@?#]+/?([\s,]+https?://[^\s,/*@?#]+/?)*",
        "origins such as https://shop.example, joined by commas or spaces, or * for any",
    ),
]
Device = Annotated[str, _text(r"auto|cpu|cuda(:\d+)?", "one of auto, cpu, cuda, cuda:N")]
Database = Annotated[str, _text_or_none("sqlite:///.+|postgres(ql)?://.+", "sqlite:///PATH or postgresql://HOST/NAME")]
Store = Annotated[
    str,
    _text_or_none(
        r"(s3|gs|abfss?)://[^/?#\s]+[^\s]*|file:///[^\s]*"
        r"|pvc://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)*/?",
        "s3://BUCKET/PATH, gs://BUCKET/PATH, abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, "
        "pvc://CLAIM/PATH or file:///PATH",
    ),
]

ObjectName = Annotated[
    str,
    _text_or_none(
        "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?",
        "the name of an object in the cluster: lower-case letters, digits, '-' and '.'",
    ),
]
CpuQuantity = Annotated[str, _text_or_none(r"[0-9]{1,5}(\.[0-9]{1,3})?|[0-9]{1,7}m", "cores, such as 4, 0.5 or 500m")]
MemoryQuantity = Annotated[
    str, _text_or_none(r"[0-9]{1,15}(\.[0-9]{1,3})?([kMGT]|[KMGT]i)?", "an amount of memory, such as 16Gi or 500M")
]
GpuQuantity = Annotated[str, _text("[0-9]{0,4}", "a whole number of GPUs")]
