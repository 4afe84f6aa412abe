"""What one request and its answer keep to themselves."""

from __future__ import annotations

from typing import Any, cast

from gateway.http.exchange import Exchange


def test_an_exchange_that_is_printed_tells_nothing_of_what_its_client_sent() -> None:
    nobody = cast(Any, None)
    exchange = Exchange(nobody, b"POST", b"/x?key=hush", [(b"authorization", b"hush")], True, True, path=b"/x")
    exchange.add(b"hush")
    assert exchange.body == b"hush"
    assert "hush" not in repr(exchange)
