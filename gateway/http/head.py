"""What is wrong with a request's head that can be read."""

from __future__ import annotations

from typing import NamedTuple

from gateway.http.headers import Fields, Header
from gateway.http.limits import Limits
from gateway.http.refusals import ALLOW, CLOSE, Refused, refuse


class Head(NamedTuple):
    """A head as it was read."""

    method: bytes
    url: bytes
    version: str
    headers: list[Header]
    fields: Fields
    """The headers again."""
    received: int
    """Bytes of what it came in, which may hold other things too."""


def fault(head: Head, limits: Limits) -> Refused | None:
    """Why the request is refused; None where nothing is wrong."""
    if _is_too_large(head, limits):
        return too_large(limits)
    if head.version not in ("1.1", "1.0"):
        return unknown_version(head.version)
    if head.method == b"CONNECT":
        said = "this server is not a proxy: send the path alone, and its name as Host"
        return refuse("method_not_allowed", said, ALLOW, CLOSE)
    return _wrong_host(head) or _wrong_coding(head)


def too_large(limits: Limits) -> Refused:
    most = f"{limits.head_bytes} bytes beside its body, and {limits.headers} headers"
    return refuse("head_too_large", f"a request has at most {most}", CLOSE)


def unknown_version(version: str) -> Refused:
    return refuse("http_version_not_supported", f"this server speaks HTTP/1.1, not {version}", CLOSE)


def _is_too_large(head: Head, limits: Limits) -> bool:
    if len(head.headers) > limits.headers:
        return True
    if head.received <= limits.head_bytes:
        return False
    # What comes in one piece with other things has no length until it is parsed.
    length = len(head.url) + sum(len(name) + len(value) for name, value in head.headers)
    return length > limits.head_bytes


def _wrong_host(head: Head) -> Refused | None:
    """Of HTTP/1.1, https://www.rfc-editor.org/rfc/rfc9112#section-3.2."""
    if head.version == "1.1" and b"host" not in head.fields:
        return refuse("malformed_request", "the request has no Host; HTTP/1.1 requires one", CLOSE)
    if sum(name == b"host" for name, _ in head.headers) > 1:
        return refuse("malformed_request", "the request has more than one Host; send one", CLOSE)
    return None


def _wrong_coding(head: Head) -> Refused | None:
    codings = [value.lower() for name, value in head.headers if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):  # llhttp wants `chunked` last, and says nothing of the others
        return refuse("malformed_request", "the request has a Transfer-Encoding other than chunked", CLOSE)
    return None
