"""What was counted adds up exactly, in any order, and comes out of its packing as it went in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.traffic.bucket import Bucket, Series, Stage, merge
from core.traffic.histogram import DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, ROW_BOUNDS, Histogram
from core.traffic.packing import NotPacked, pack, unpack

counts = st.dictionaries(st.integers(0, len(DURATION_BOUNDS_NS)), st.integers(1, 2**40), max_size=4)
histograms = st.builds(Histogram, counts, st.integers(0, 2**70))
statuses = st.dictionaries(st.integers(200, 599), st.integers(1, 2**40), max_size=3)
buckets = st.builds(Bucket, statuses, histograms, histograms, histograms)


@settings(max_examples=40)
@given(buckets, buckets, buckets)
def test_the_order_of_merging_changes_nothing(one: Bucket, two: Bucket, three: Bucket) -> None:
    assert merge((merge((one, two)), three)) == merge((one, merge((two, three)))) == merge((three, one, two))


@settings(max_examples=40)
@given(st.lists(buckets, max_size=3))
def test_sums_and_counts_are_kept(given: list[Bucket]) -> None:
    merged = merge(given)
    assert merged.requests == sum(bucket.requests for bucket in given)
    for of in (lambda bucket: bucket.durations, lambda bucket: bucket.queue, lambda bucket: bucket.batches):
        assert of(merged).count == sum(of(bucket).count for bucket in given)
        assert of(merged).total == sum(of(bucket).total for bucket in given)


@settings(max_examples=40)
@given(buckets)
def test_what_was_packed_comes_out_as_it_was(bucket: Bucket) -> None:
    assert unpack(pack(bucket)) == bucket


@settings(max_examples=40)
@given(buckets, st.data())
def test_what_breaks_off_is_no_bucket(bucket: Bucket, data: st.DataObject) -> None:
    packed = pack(bucket)
    with pytest.raises(NotPacked):
        unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])


def test_a_bucket_of_a_newer_form_is_refused() -> None:
    with pytest.raises(NotPacked, match="form"):
        unpack(b"\x02" + pack(Bucket())[1:])


def test_the_role_is_what_answers_say() -> None:
    assert [Series("M", "v1", stage).role for stage in (Stage.API, Stage.CANARY, Stage.VERSION)] == [
        "live",
        "canary",
        "version",
    ]


def test_bounds_rise() -> None:
    for bounds in (DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, ROW_BOUNDS):
        assert list(bounds) == sorted(set(bounds))
