from __future__ import annotations

import pytest
from markupsafe import Markup

from server.pages.layout.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A\u202ertl\u2066", "Artl"),
        ("\x1b[31mred\x07", "[31mred"),
        ("שלום, two\nlines\tof text", "שלום, two\nlines\tof text"),
    ],
)
def test_what_turns_the_text_around_it_is_not_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_numbers_and_what_was_escaped_stay() -> None:
    assert plain(3) == 3
    assert plain(Markup("A\u202e")) == "A\u202e"
