"""What a gateway reads in a client's bytes is what h11 reads in them, or less: never more requests, nor other bodies.

`READER_EXAMPLES=100000` looks for longer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import h11
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.http.bodies import BodyBudget
from gateway.http.exchange import Exchange
from gateway.http.limits import Limits
from gateway.http.reader import RequestReader
from gateway.http.refusals import Refused

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
"""What Java's HttpClient sends with every request, and `curl --http2`."""

lots = settings(
    max_examples=int(os.environ.get("READER_EXAMPLES", "100")),
    suppress_health_check=list(HealthCheck),
    deadline=None,
)

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Request:
    """A whole one."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes


class Recorder:
    """What a connection is told of the requests on it; it answers none."""

    date, client = b"", ""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def begin(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def advance(self) -> None: ...

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None: ...

    def finish(self, exchange: Exchange) -> None: ...

    def abort(self) -> None: ...


def read(*pieces: bytes) -> tuple[list[Request], Refused | None]:
    """The whole requests that the reader finds before the first that is none, and what it says of that."""
    recorder = Recorder()
    reader = RequestReader(recorder, BodyBudget(1 << 24, 1 << 24), Limits(body_s=30.0))
    refusal = None
    try:
        for piece in pieces:
            reader.feed(piece)
    except Refused as refused:
        refusal = refused
    good: list[Request] = []
    for exchange in recorder.exchanges:
        if exchange.refusal is not None:
            return good, exchange.refusal
        if exchange.is_whole:
            good.append(Request(exchange.method, exchange.url, _comparable(exchange.headers), exchange.body))
    return good, refusal


def read_by_h11(data: bytes) -> list[Request]:
    """The whole requests that h11 finds, X."""
    found: list[Request] = []
    keep_alive = True
    # Empty lines before a request, and several spaces in its first, are overlooked, as RFC 9112 (2.2, 3) allows; h11
    # minds them. To refuse the spaces would take a reader of our own for where each request begins: llhttp does not
    # tell, and of requests that are pipelined, or cut within their first line, what was fed alone does not show it.
    while keep_alive and (data := data.lstrip(b"\r\n")):
        first, end, rest = data.partition(b"\r\n")
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        connection.receive_data(re.sub(b" +", b" ", first) + end + rest)
        try:
            events = list(_events(connection))
        except h11.RemoteProtocolError:
            break
        if not events or not isinstance(events[-1], h11.EndOfMessage):
            break
        head = events[0]
        body = b"".join(event.data for event in events[1:-1])
        found.append(Request(head.method, head.target, _comparable(head.headers), body))
        data = connection.trailing_data[0]
        connection.send(h11.Response(status_code=404, headers=[("content-length", "0")]))
        connection.send(h11.EndOfMessage())
        keep_alive = connection.our_state is h11.DONE
    return found


def _events(connection: h11.Connection) -> Iterator[Any]:
    """Those of one request, as far as it has come."""
    while (event := connection.next_event()) is not h11.NEED_DATA:
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


def _comparable(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Without offers to upgrade, which the reader takes out, and values as h11 writes them: llhttp keeps tabs."""
    found = [(name, value.strip(b" \t")) for name, value in headers if name != b"upgrade"]
    return [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in found]


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    ends = sorted({*(place % (len(data) + 1) for place in at), 0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


# What clients send.

names = st.sampled_from([b"Accept", b"X-a", b"user-agent", b"Connection2", b"Upgrades", b"Content-Type", b"TE"])
values = st.sampled_from([b"", b"a", b"a b", b"\t a \t", b"upgrade", b"h2c", b"1, 2", b"\xe9", b'"x, y"', b"close"])
framed = st.binary(max_size=40) | st.sampled_from(
    [b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n", b'{"variables": {}}', b"x" * 3000, b"\r\n"]
)
offers = st.sampled_from(
    [
        *(b"", b"", H2C, b"Upgrade: h2c\r\n", b"Connection: upgrade\r\n"),
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        b"UPGRADE: TLS/1.0\r\nupgrade: h2c\r\nConnection: keep-alive, uPGRADE\r\n",
        b"upgrade:\r\nconnection: upgrade\r\n",
    ]
)


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    """A body in chunks, with what may stand beside them."""
    pieces = draw(st.lists(framed.filter(len), max_size=4))
    size = draw(st.sampled_from([b"%x", b"%X", b"00%x"]))
    extension = draw(st.sampled_from([b"", b"", b";a=b", b';a="b"']))
    trailers = b"".join(
        draw(st.lists(st.sampled_from([b"X-T: 1\r\n", b"Host: y\r\n", b"Upgrade: h2c\r\n"]), max_size=2))
    )
    whole = b"".join(b"%b%b\r\n%b\r\n" % (size % len(piece), extension, piece) for piece in pieces)
    return whole + b"0%b\r\n%b\r\n" % (extension, trailers)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A good request."""
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"PATCH"]))
    target = draw(st.sampled_from([b"/", b"/a/b?c=%20d", b"*", b"http://x/y", b"/%00/%2e%2e", b"//a", b"/Upgrade:h2c"]))
    lines = [
        b"%b:%b%b\r\n" % (name, draw(st.sampled_from([b"", b" "])), draw(values)) for name in draw(st.lists(names))
    ]
    lines += [b"Host: x\r\n", draw(offers)]
    if draw(st.booleans()):
        lines.append(b"Transfer-Encoding: %b\r\n" % draw(st.sampled_from([b"chunked", b"Chunked"])))
        body = draw(chunks())
    else:
        body = draw(framed)
        lines.append(b"Content-Length: %d\r\n" % len(body) if body or draw(st.booleans()) else b"")
    lines.append(draw(st.sampled_from([b"", b"", b"", b"Expect: 100-continue\r\n", b"Connection: close\r\n"])))
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, target, b"".join(draw(st.permutations(lines))), body)


@lots
@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(min_value=0), max_size=6))
@example([b"POST / HTTP/1.1\r\nHost: x\r\n" + H2C + b"Content-Length: 2\r\n\r\n{}"] * 2, [])
def test_good_requests_are_read_as_h11_reads_them(sent: list[bytes], at: list[int]) -> None:
    data = b"".join(sent)
    found, refusal = read(*cut(data, at))
    assert refusal is None
    assert found == read_by_h11(data)


scraps = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b"\0",
            b" ",
            b"\t",
            b":",
            b",",
            b";",
            b"\xff",
            b"0",
            b"1",
            b"-1",
            b"0x1",
            b"+2",
            b"\x0b",
        ),
        *(b"\r\n ", b"\r\n\t", b"\n\n", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"CONNECT x:1", b"chunked", b"identity"),
        *(b"Content-Length: 1\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: y\r\n"),
        *(b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length : 1\r\n"),
        *(H2C, b"Upgrade: h2c\r\n", b"Connection: upgrade, close\r\n", b"Connection: keep-alive\r\n", b"0\r\n\r\n"),
        *(b"Content_Length: 1\r\n", b"Transfer-Encoding: chunked, chunked\r\n", b"Content-Length: 1, 1\r\n", b"GET"),
        *(b"9" * 20, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.1", b"http/1.1", b" HTTP/1.1\r\n"),
    ]
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Requests in which something is put, or put in the place of something."""
    data = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        if draw(st.booleans()):  # at the beginning of a line, where it does most
            at = data.find(b"\n", at) + 1
        data = data[:at] + draw(scraps | st.binary(max_size=2)) + data[at + draw(st.sampled_from([0, 0, 1, 2, 8])) :]
    return data


@lots
@given(spoilt(), st.lists(st.integers(min_value=0), max_size=4))
def test_in_whatever_comes_no_more_requests_are_read_than_h11_reads(data: bytes, at: list[int]) -> None:
    found, _ = read(*cut(data, at))
    assert found == read_by_h11(data)[: len(found)]


@lots
@given(spoilt(), st.lists(st.integers(min_value=0), max_size=4))
def test_how_the_bytes_are_cut_changes_nothing_of_what_is_read(data: bytes, at: list[int]) -> None:
    found, refusal = read(data)
    again, other = read(*cut(data, at))
    assert (again, other is None) == (found, refusal is None)


@pytest.mark.parametrize("offer", [H2C, b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n"])
@pytest.mark.parametrize(
    "body", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"]
)
def test_an_offer_to_upgrade_is_ignored_and_the_body_kept(offer: bytes, body: bytes) -> None:
    for lines in (offer + body, body.replace(b"\r\n\r\n", b"\r\n" + offer + b"\r\n", 1)):
        request = b"POST /a HTTP/1.1\r\nHost: x\r\n" + lines
        for pieces in ([request * 3], [bytes([each]) for each in request * 3]):
            found, refusal = read(*pieces)
            assert refusal is None
            assert [(each.method, each.target, each.body) for each in found] == [(b"POST", b"/a", b"{}")] * 3


def test_a_body_that_is_a_request_is_a_body() -> None:
    inner = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
    found, refusal = read(b"POST / HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (H2C, len(inner), inner))
    assert refusal is None
    assert [each.body for each in found] == [inner]


@pytest.mark.parametrize("line", [b"POST  /a HTTP/1.1", b"POST /a  HTTP/1.1", b"POST   /a   HTTP/1.1"])
def test_several_spaces_in_a_request_line_are_one(line: bytes) -> None:
    request = line + b"\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    for pieces in ([request * 2], [bytes([each]) for each in request * 2]):
        found, refusal = read(*pieces)
        assert refusal is None
        assert [(each.method, each.target, each.body) for each in found] == [(b"POST", b"/a", b"{}")] * 2


@pytest.mark.parametrize(
    "line", [b"POST\t/a HTTP/1.1", b"POST /a HTTP/1.1 ", b"POST /a b HTTP/1.1", b" POST /a HTTP/1.1"]
)
def test_other_white_space_in_a_request_line_is_refused(line: bytes) -> None:
    found, refusal = read(line + b"\r\nHost: x\r\n\r\n")
    assert (found, refusal and refusal.status) == ([], 400)


@pytest.mark.parametrize("target", [b"x:1", b"/a", b"http://x/"])
def test_a_wish_for_a_tunnel_is_refused_and_what_comes_behind_it_no_request(target: bytes) -> None:
    found, refusal = read(b"CONNECT %b HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" % target)
    assert (found, refusal and refusal.status) == ([], 405)


def test_who_begins_with_http_2_is_told_which_is_spoken() -> None:
    found, refusal = read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (found, refusal and refusal.status) == ([], 505)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"HTTP/1.1\r\n", 400),
        (b"HTTP/1.1\r\nHost: x\r\nHost: x\r\n", 400),
        (b"HTTP/1.1\r\nhost: x\r\nX: 1\r\nHOST: y\r\n", 400),
        (b"HTTP/1.0\r\nHost: x\r\nHost: x\r\n", 400),
        (b"HTTP/1.1\r\nHost:\r\n", None),
        (b"HTTP/1.0\r\n", None),
        (b"HTTP/1.0\r\nConnection: keep-alive\r\n", None),
        (b"HTTP/1.1\r\n" + b"".join(b"a%d: x\r\n" % n for n in range(199)) + b"Host: x\r\n", None),
        (b"HTTP/1.1\r\nHost: x\r\n" + b"".join(b"a%d: x\r\n" % n for n in range(200)), 431),
        (b"HTTP/1.1\r\nHost: x\r\n" + H2C + b"".join(b"a%d: x\r\n" % n for n in range(200)), 431),
        (b"HTTP/1.1\r\n" + H2C, 400),
    ],
)
def test_a_request_has_one_host_and_not_too_many_headers(lines: bytes, status: int | None) -> None:
    found, refusal = read(b"GET / %b\r\n" % lines)
    assert (len(found), refusal and refusal.status) == (0 if status else 1, status)
