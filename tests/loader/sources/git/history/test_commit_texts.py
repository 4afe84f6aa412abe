from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.sources.git.history.commit_texts import read_commit


def commit(author: bytes = b"Ada <ada@example.org> 1 +0000", message: bytes = b"done\n", more: bytes = b"") -> bytes:
    return b"tree 1\nauthor %b\ncommitter Bob <> 1700000000 -0700\n%b\n%b" % (author, more, message)


def test_a_commit_says_who_and_why_and_when() -> None:
    found = read_commit(commit(message=b"Title\n\nBody\n"))
    assert (found.author, found.message) == ("Ada", "Title\n\nBody")
    assert found.at == datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        (b"Ada <ada@example.org> 1 +0000", "Ada"),
        (b"<ada@example.org> 1 +0000", ""),
        (b"no address", "no address"),
        (b"Two <a> <b> 1 +0000", "Two"),
        (b"\xff <a> 1 +0000", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_the_author_is_a_name_without_the_address(author: bytes, name: str) -> None:
    assert read_commit(commit(author)).author == name


def test_other_encodings_are_read_and_odd_ones_passed_over() -> None:
    assert read_commit(commit(message="é".encode("latin-1"), more=b"encoding ISO-8859-1\n")).message == "é"
    assert read_commit(commit(message=rb"\ud800", more=b"encoding unicode_escape\n")).message == "?"
    for odd in (b"nonsense", b"hex", b"idna", b"\xff"):
        assert read_commit(commit(message="é".encode(), more=b"encoding %b\n" % odd)).message == "é"


def test_a_header_in_the_message_or_in_a_signature_counts_for_nothing() -> None:
    found = read_commit(commit(message=b"author Eve <> 1 +0000\n", more=b"gpgsig -\n author Eve <> 1 +0000\n"))
    assert found.author == "Ada"


def test_a_message_is_cut() -> None:
    assert len(read_commit(commit(message=b"a" * 1_000_000)).message) == 10_000


@given(st.binary(max_size=300))
def test_whatever_a_commit_holds_it_can_be_told(content: bytes) -> None:
    found = read_commit(content)
    (found.author + found.message).encode()
