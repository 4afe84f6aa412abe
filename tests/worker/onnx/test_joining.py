from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from worker.onnx.joining import join_rows
from worker.onnx.signature import DTYPES


def rows_of_one_shape() -> st.SearchStrategy[list[Any]]:
    def some(dtype: type, shape: tuple[int, ...]) -> st.SearchStrategy[list[Any]]:
        one = st.integers(1, 3).flatmap(lambda rows: arrays.arrays(dtype, (rows, *shape)))
        return st.lists(one, min_size=1, max_size=5)

    shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    return st.tuples(st.sampled_from(list(DTYPES.values())), shapes).flatmap(lambda both: some(*both))


@given(rows_of_one_shape())
def test_it_is_what_numpy_would_join(given: list[Any]) -> None:
    joined = join_rows(given, sum(len(each) for each in given))
    expected = np.concatenate(given)
    assert joined.dtype.kind == expected.dtype.kind
    assert joined.shape == expected.shape
    assert joined.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(np.arange(12.0).reshape(3, 4).T, id="columns first"),
        pytest.param(np.arange(12.0).reshape(3, 4)[:, ::2], id="every other column"),
        pytest.param(np.arange(12.0).reshape(3, 4)[::-1], id="backwards"),
        pytest.param(np.broadcast_to(np.arange(4.0), (3, 4)), id="one row thrice"),
    ],
)
def test_rows_need_not_lie_side_by_side(one: Any) -> None:
    other = np.ascontiguousarray(one)
    assert join_rows([other, one], 2 * len(one)).tolist() == [*other.tolist(), *one.tolist()]


def test_texts_of_any_length_and_kind() -> None:
    given = [np.array(["a"]), np.array(["longer"]), np.array(["objects", "too"], dtype=object)]
    assert join_rows(given, 4).tolist() == ["a", "longer", "objects", "too"]
