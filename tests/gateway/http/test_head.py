from __future__ import annotations

import json

import pytest

from gateway.http.head import Head, fault
from gateway.http.headers import Header, by_name
from gateway.http.limits import Limits

HOST = (b"host", b"x")
LIMITS = Limits(body_s=1, head_bytes=100, headers=3)


def code(*headers: Header, method: bytes = b"GET", url: bytes = b"/", version: str = "1.1", received: int = 50) -> str:
    """Why such a head is refused; empty where it is not."""
    refused = fault(Head(method, url, version, list(headers), by_name(headers), received), LIMITS)
    return "" if refused is None else str(json.loads(refused.body)["error"]["code"])


@pytest.mark.parametrize("headers", [(HOST,), (HOST, (b"transfer-encoding", b"Chunked"))])
def test_a_plain_head_is_taken(headers: tuple[Header, ...]) -> None:
    assert code(*headers) == ""


def test_a_host_is_named_once_and_need_not_be_in_http_1_0() -> None:
    assert code() == "malformed_request"
    assert code(version="1.0") == ""
    for second in (b"x", b"y"):
        assert code(HOST, (b"host", second)) == "malformed_request"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip", b"identity"])
def test_another_coding_than_chunks_is_refused(coding: bytes) -> None:
    assert code(HOST, (b"transfer-encoding", coding)) == "malformed_request"
    assert code(HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")) == "malformed_request"


def test_other_versions_and_proxying_are_refused() -> None:
    assert code(HOST, version="2.0") == "http_version_not_supported"
    assert code(HOST, method=b"CONNECT") == "method_not_allowed"


def test_a_head_is_bounded_in_headers_and_in_bytes() -> None:
    assert code(HOST, *((b"h%d" % number, b"") for number in range(3))) == "head_too_large"
    assert code(HOST, url=b"/" * 100, received=200) == "head_too_large"


def test_what_came_with_other_things_is_measured_by_itself() -> None:
    assert code(HOST, received=100_000) == ""
