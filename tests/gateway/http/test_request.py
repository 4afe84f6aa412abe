from __future__ import annotations

import json

import pytest

from gateway.http.refusals import CLOSE, Refused
from gateway.http.request import Url, parse_url


def test_a_target_is_taken_apart_whether_or_not_it_names_a_host() -> None:
    for host in (b"", b"http://x:80"):
        assert parse_url(host + b"/models/%C3%89?flat=1#x") == Url("/models/É", b"/models/%C3%89", b"flat=1")
    assert parse_url(b"http://x") == Url("/", b"/", b"")


@pytest.mark.parametrize("url", [b"http://", b"http://x:99999/", b"http://x:a/", b"http://[::1/"])
def test_a_target_that_is_no_url_is_refused_though_a_parser_of_heads_takes_it(url: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_url(url)
    assert refused.value.status == 400
    assert json.loads(refused.value.body)["error"]["code"] == "malformed_request"
    assert CLOSE in refused.value.headers
