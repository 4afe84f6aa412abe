from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.manifest.editing import NotEditable, edited, read_content

TEXT = b"""\
# What it is.
description: 'Chance of a dispute'   # shown in the catalogue

metadata:
  owner: risk-team  # ask them first
  labels:
    - cards
    - "on"
serve:
  # Four cores.
  replicas: 2
  threads: 0x10
  concurrent: yes
"""


def changed(path: str, value: object) -> bytes:
    content: dict[str, Any] = read_content(TEXT)
    *outer, last = path.split(".")
    inner = content
    for name in outer:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return edited(TEXT, content)


def test_what_is_wanted_already_is_left_byte_by_byte() -> None:
    assert edited(TEXT, read_content(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("serve.replicas", 3, b"replicas: 2", b"replicas: 3"),
        ("metadata.owner", "pricing", b"owner: risk-team ", b"owner: pricing "),
        ("serve.threads", None, b"  threads: 0x10\n", b""),
        ("serve.max_batch", 8, b"concurrent: yes\n", b"concurrent: yes\n  max_batch: 8\n"),
        ("description", "no", b"'Chance of a dispute' ", b'"no" '),
    ],
)
def test_only_the_line_of_a_changed_value_changes(path: str, value: object, old: bytes, new: bytes) -> None:
    assert _spaced(changed(path, value)) == _spaced(TEXT.replace(old, new))


def _spaced(text: bytes) -> bytes:
    """A comment keeps its column, not its distance."""
    return re.sub(rb" +#", b" #", text)


def test_a_text_of_several_lines_is_written_as_such() -> None:
    assert b"description: |-\n  One.\n  Two.\n" in edited(b"", {"description": "One.\nTwo."})


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n", b"---\n"])
def test_an_empty_file_gets_what_is_wanted_and_keeps_its_comments(text: bytes) -> None:
    after = edited(text, {"description": "yes: no", "serve": {"threads": 2}})
    assert after.startswith(text if text.startswith(b"#") else b"")
    assert read_content(after) == {"description": "yes: no", "serve": {"threads": 2}}


@pytest.mark.parametrize("text", [b"- 1\n", b"a: &x 1\nb: *x\n", b"a: [\n", b"\xff"])
def test_what_holds_no_plain_keys_is_not_edited(text: bytes) -> None:
    with pytest.raises(NotEditable):
        edited(text, {"description": "x"})


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4))
def test_whatever_is_written_says_what_was_wanted_or_is_refused(wanted: dict[str, Any]) -> None:
    try:
        after = edited(TEXT, wanted)
    except NotEditable:
        return
    assert read_content(after) == wanted
