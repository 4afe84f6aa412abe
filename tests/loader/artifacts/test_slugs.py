from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.artifacts.slugs import slug


@given(st.text(min_size=1, max_size=80), st.integers(12, 60))
def test_a_slug_is_one_whatever_the_name(name: str, most: int) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name, most))
    assert len(slug(name, most)) <= most


@pytest.mark.parametrize("name", ["iris", "a", "breast-cancer", "v2-b"])
def test_a_name_that_is_a_slug_stays(name: str) -> None:
    assert slug(name) == name


def test_names_that_look_alike_have_other_slugs() -> None:
    names = ["iris", "Iris", "IRIS", "iris.", "iris_", "a-b", "a.b", "a--b", "x" * 50, "x" * 51]
    names.append(slug("Iris"))
    assert len({slug(name) for name in names}) == len(names)


def test_a_long_name_keeps_its_beginning() -> None:
    assert slug("Breast.Cancer", 20).startswith("breast-canc")
