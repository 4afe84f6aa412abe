from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import MalformedJson
from worker.formats.pawl_json import variables


def said(body: bytes) -> str:
    with pytest.raises(MalformedJson) as caught:
        variables.as_sent(body)
    return str(caught.value).removeprefix("the body is not valid JSON: ")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": NaN}', "line 1, column 7: NaN is not valid JSON; send null"),
        (b'{"a": nan}', "line 1, column 7: nan is not valid JSON; send null"),
        (b'{\n"a": [1, -Infinity]}', "line 2, column 10: -Infinity is not valid JSON; send null"),
        ('{"é": Infinity}'.encode(), "line 1, column 7: Infinity is not valid JSON; send null"),
        (b'{"a": None}', "line 1, column 7: None is not valid JSON; send null"),
        (b'{"a": True}', "line 1, column 7: True is not valid JSON; send true"),
        (b'{"a": undefined}', "line 1, column 7: undefined is not valid JSON; send null"),
        (b"{'a': 1}", "line 1, column 2: text and keys take double quotes"),
        (b"\xef\xbb\xbf{}", "line 1, column 1: the body begins with a byte order mark; send UTF-8 without one"),
        ("{}".encode("utf-16"), "line 1, column 1: the body is UTF-16; send UTF-8"),
        ("{}".encode("utf-16-le"), "line 1, column 1: the body is UTF-16; send UTF-8"),
        ("{}".encode("utf-16-be"), "line 1, column 1: the body is UTF-16; send UTF-8"),
        ("{}".encode("utf-32"), "line 1, column 1: the body is UTF-32; send UTF-8"),
        (b'{"a": "\xff"}', "line 1, column 8: this is not UTF-8"),
        (b'{"a": "\\ud83d\\ude00 \\\\ud800 \\udc00"}', "line 1, column 29: \\udc00 is half of a character"),
        (b'{"a": "\\ud83d"}', "line 1, column 8: \\ud83d is half of a character"),
        (b'{"a": 1', "line 1, column 8: it ends too early"),
        (b'{"a": 1} x', "line 1, column 10: trailing characters"),
        (b'{"a": "NaN\n"}', "line 1, column 11: invalid character"),
        (b" \n", "it is white space only"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_the_cause_is_told_with_its_place(body: bytes, reason: str) -> None:
    assert said(body) == reason


def test_a_long_word_takes_no_long_time() -> None:
    assert said(b'{"a": "' + b"a" * 10_000_000 + b'\n"}') == "line 1, column 10000008: invalid character"


@given(st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_what_python_writes_for_numbers_that_json_lacks_is_named_or_taken(content: Any) -> None:
    text = json.dumps({"variables": {"a": content}})
    try:
        variables.as_sent(text.encode())
        reason = "none"
    except MalformedJson as error:
        reason = str(error)
    assert reason == "none" or "is not valid JSON; send null" in reason or "is half of a character" in reason
