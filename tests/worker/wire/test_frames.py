from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frames import Frame
from worker.wire.frames import HEADER_SIZE, FrameError, FrameReader, Kind, pack_frame

frames = st.builds(
    Frame,
    kind=st.sampled_from(Kind),
    id=st.integers(0, 2**32 - 1),
    detail=st.integers(0, 999),
    deadline_ns=st.integers(0, 2**62),
    body=st.binary(max_size=60),
)


def packed(frame: Frame) -> bytes:
    return pack_frame(Kind(frame.kind), frame.id, frame.body, detail=frame.detail, deadline_ns=frame.deadline_ns)


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 700), max_size=12))
def test_frames_come_out_as_they_went_in_wherever_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(packed, sent))
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = FrameReader(max_body=60)
    came = [frame for start, end in itertools.pairwise(places) for frame in reader.feed(stream[start:end])]
    assert came == sent
    assert reader.missing == 0


def test_what_a_body_still_needs_is_known_once_its_header_is_there() -> None:
    reader = FrameReader(max_body=100)
    stream = pack_frame(Kind.REQUEST, 1, b"x" * 100)
    assert reader.feed(stream[:5]) == []
    assert reader.missing == 0
    assert reader.feed(stream[5 : HEADER_SIZE + 30]) == []
    assert reader.missing == 70


def test_a_frame_over_the_limit_is_refused_before_its_body_comes() -> None:
    with pytest.raises(FrameError, match="101 bytes"):
        FrameReader(max_body=100).feed(pack_frame(Kind.REQUEST, 1, b"x" * 101)[:HEADER_SIZE])
