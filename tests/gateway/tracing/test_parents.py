from __future__ import annotations

import pytest

from gateway.messages import Sampling
from gateway.tracing.parents import Parent, is_sampled, new_trace, parse_parent
from worker.wire.spans import SpanContext

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = SpanContext(bytes.fromhex(TRACE), bytes.fromhex(SPAN))
LOW, HIGH = bytes(16), bytes(8) + b"\xff" * 8


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (f"00-{TRACE}-{SPAN}-01", Parent(CONTEXT, is_sampled=True)),
        (f" 00-{TRACE}-{SPAN}-00 ", Parent(CONTEXT, is_sampled=False)),
        (f"00-{TRACE}-{SPAN}-03", Parent(CONTEXT, is_sampled=True)),
        (f"cc-{TRACE}-{SPAN}-01-later", Parent(CONTEXT, is_sampled=True)),
        (f"00-{TRACE}-{SPAN}-01-later", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01", None),
        ("\xff", None),
        ("", None),
    ],
)
def test_a_traceparent_is_read_as_w3c_says_and_another_is_none(header: str, parent: Parent | None) -> None:
    assert parse_parent(header.encode("latin-1")) == parent


@pytest.mark.parametrize(
    ("sampling", "parent_is_sampled", "trace", "sampled"),
    [
        (Sampling(), None, HIGH, True),
        (Sampling(), False, LOW, False),
        (Sampling(share=0.0), True, LOW, True),
        (Sampling(share=0.0), None, LOW, False),
        (Sampling(share=0.0, heeds_parent=False), True, LOW, False),
        (Sampling(share=0.5), None, LOW, True),
        (Sampling(share=0.5), None, HIGH, False),
    ],
)
def test_a_caller_decides_where_it_is_heeded_and_else_the_share_of_traces(
    sampling: Sampling, parent_is_sampled: bool | None, trace: bytes, sampled: bool
) -> None:
    parent = None if parent_is_sampled is None else Parent(CONTEXT, parent_is_sampled)
    assert is_sampled(sampling, parent, trace) == sampled


def test_no_two_traces_have_one_id() -> None:
    assert new_trace() != new_trace()
