from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ReleaseFailed
from loader.workers.comparison import difference
from loader.workers.examples import read_examples

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_everything_is_like_itself(value: Any) -> None:
    assert difference(value, value, 0) is None


@given(json_values)
def test_everything_is_like_itself_after_a_trip_through_json(value: Any) -> None:
    assert difference(value, msgspec.json.decode(msgspec.json.encode(value)), 0) is None


@pytest.mark.parametrize(
    ("expected", "got", "where"),
    [
        (1, 1.1, "the answer is 1.1, expected 1"),
        ({"p": [0.1, 0.2]}, {"p": [0.1, 0.3]}, "the answer.p[1] is 0.3, expected 0.2"),
        ({"a": 1}, {"b": 1}, 'the answer is {"b":1}, expected {"a":1}'),
        ([1], [1, 2], "the answer is [1,2], expected [1]"),
        (True, 1, "the answer is 1, expected true"),
        (1, True, "the answer is true, expected 1"),
        (None, 0, "the answer is 0, expected null"),
        ("1", 1, 'the answer is 1, expected "1"'),
        ({}, [], "the answer is [], expected {}"),
        ([], {}, "the answer is {}, expected []"),
        ("a", ["a"], 'the answer is ["a"], expected "a"'),
        (["a"], "a", 'the answer is "a", expected ["a"]'),
        ({"a": {}}, {"a": []}, "the answer.a is [], expected {}"),
        ("", None, 'the answer is null, expected ""'),
        (0, False, "the answer is false, expected 0"),
        (10**400, 1.5, f"the answer is 1.5, expected {10**199}…"),
        (
            {"a": 1},
            {"a": 1, "c": 2, "b": 3},
            'the answer also has "b", "c", which is not in expect; expect_some compares just the keys it names',
        ),
        (
            {"a": {"b": 1}},
            {"a": {"b": 1, "c": 2}},
            'the answer.a also has "c", which is not in expect; expect_some compares just the keys it names',
        ),
        ({"a": 1, "b": 2, "c": 3}, {"a": 1}, 'the answer lacks "b", "c"'),
    ],
)
def test_a_difference_is_told_with_its_place(expected: Any, got: Any, where: str) -> None:
    assert difference(expected, got, 1e-4) == where


def test_of_a_partial_expectation_just_the_keys_that_it_names_are_compared() -> None:
    got = {"label": "setosa", "scores": {"setosa": 0.9, "virginica": 0.1}, "took": 3, "rows": [{"n": 1, "m": 2}]}
    for some in ({}, {"label": "setosa"}, {"scores": {"setosa": 0.90001}}, {"rows": [{"n": 1}]}, got):
        assert difference(some, got, 1e-4, some=True) is None
    assert difference([{"label": "setosa"}], [got], 1e-4, some=True) is None


@pytest.mark.parametrize(
    ("some", "where"),
    [
        ({"label": "virginica"}, 'the answer.label is "setosa", expected "virginica"'),
        ({"scores": {"setosa": 0.8}}, "the answer.scores.setosa is 0.9, expected 0.8"),
        ({"scores": {"versicolor": 0.8}}, 'the answer.scores lacks "versicolor"'),
        ({"probability": 1}, 'the answer lacks "probability"'),
        ({"rows": []}, "the answer.rows is [1], expected []"),
        ({"scores": []}, 'the answer.scores is {"setosa":0.9}, expected []'),
        ([], 'the answer is {"label":"setosa","scores":{"setosa":0.9},"rows":[1]}, expected []'),
    ],
)
def test_what_a_partial_expectation_names_has_to_be_there(some: Any, where: str) -> None:
    assert difference(some, {"label": "setosa", "scores": {"setosa": 0.9}, "rows": [1]}, 1e-4, some=True) == where


def test_what_is_nested_too_deeply_differs() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert "nested too deeply" in str(difference(deep, deep, 1e-4))


def test_an_example_expects_all_or_some_and_not_both(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_text('[{"expect_some": {"a": 1}}, {"expect_some": [{}]}, {"expect": {}}]')
    assert [each.expect_some for each in read_examples(tmp_path)] == [{"a": 1}, [{}], msgspec.UNSET]
    (tmp_path / "examples.json").write_text('[{}, {"expect": {}, "expect_some": {}}]')
    with pytest.raises(ReleaseFailed, match=r"either `expect` or `expect_some`, not both - at `\$\[1\]`"):
        read_examples(tmp_path)
    (tmp_path / "examples.json").write_text('[{"expect_some": 5}]')
    with pytest.raises(ReleaseFailed, match="expect_some"):
        read_examples(tmp_path)


def test_numbers_may_differ_by_the_tolerance_absolutely_or_relatively() -> None:
    assert difference(0.0, 0.0001, 1e-4) is None
    assert difference(1e6, 1e6 + 99, 1e-4) is None
    assert difference(1e6, 1e6 + 101, 1e-4) is not None


def test_a_folder_without_examples_has_none(tmp_path: Path) -> None:
    assert read_examples(tmp_path) == ()


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"variable": {}}]', '[{"tolerance": -1}]', "[1]", "[" * 10_000, "\udcff"]
)
def test_examples_that_are_none_fail_naming_the_file_and_what_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "examples.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReleaseFailed, match=r"examples\.json(, line 1)?: ") as caught:
        read_examples(tmp_path)
    assert caught.value.stage == "examples"
    assert '{"variables":' in str(caught.value)


@pytest.mark.parametrize("text", ['[\n  {"variables": {}},\n]', '[\n\n{"expect": NaN}]'])
def test_json_that_is_none_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "examples.json").write_text(text)
    with pytest.raises(ReleaseFailed, match=r"examples\.json, line 3: JSON is malformed"):
        read_examples(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ('[{"variables": {"a": "x', "it ends too early"),
        (r'[{"variables": {"a": "\ud83d"}}]', "half of a character"),
    ],
)
def test_what_is_cut_off_is_told_from_what_is_no_character(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "examples.json").write_text(text)
    with pytest.raises(ReleaseFailed, match=rf"examples\.json: .*{why}"):
        read_examples(tmp_path)


def test_a_mark_of_the_byte_order_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_bytes(b'\xef\xbb\xbf[{"variables": {"a": 1}}]')
    assert read_examples(tmp_path)[0].variables == {"a": 1}


def test_an_example_that_expects_null_is_not_one_that_expects_nothing(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_text('[{"expect": null}, {}]')
    first, second = read_examples(tmp_path)
    assert first.expect is None
    assert second.expect is msgspec.UNSET
