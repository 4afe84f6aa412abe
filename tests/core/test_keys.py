from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import Key, Scope, digest_of, key_id, new_key_text

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
TEXT = new_key_text()


def test_a_key_has_an_id_a_secret_of_256_bits_and_a_checksum() -> None:
    found = re.fullmatch(r"pawl_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", TEXT)
    assert found is not None
    assert key_id(TEXT) == found[1]
    assert 62**43 > 2**256


def test_no_two_keys_are_the_same() -> None:
    made = {new_key_text() for _ in range(100)}
    assert len(made) == len({key_id(text) for text in made}) == 100


@given(place=st.integers(0, len(TEXT) - 1), sign=st.sampled_from("0Zz_-é"))
def test_a_key_with_another_sign_in_it_is_not_whole(place: int, sign: str) -> None:
    other = TEXT[:place] + sign + TEXT[place + 1 :]
    assert (key_id(other) is None) == (other != TEXT)


NOT_WHOLE = {
    "empty": "",
    "begun": "pawl_",
    "cut": TEXT[:-1],
    "longer": f"{TEXT}0",
    "indented": f" {TEXT}",
    "line": f"{TEXT}\n",
    "capitals": TEXT.upper(),
}
"""By names that are the same in every process that tests run in."""


@pytest.mark.parametrize("text", NOT_WHOLE.values(), ids=list(NOT_WHOLE))
def test_what_is_cut_or_longer_is_not_whole(text: str) -> None:
    assert key_id(text) is None


def test_a_key_is_known_by_its_sha_256() -> None:
    assert digest_of(TEXT) == hashlib.sha256(TEXT.encode()).hexdigest()


def test_any_bytes_that_a_client_sends_have_a_digest() -> None:
    sent = b"\xff\xfe \xc3\xa9"
    assert digest_of(sent.decode(errors="surrogateescape")) == hashlib.sha256(sent).hexdigest()


def test_a_key_has_expired_from_that_moment_on() -> None:
    key = Key(id="a", digest="d", name="ada", scopes=(Scope.VIEW,), expires=NOW)
    assert [key.has_expired(NOW + timedelta(seconds=seconds)) for seconds in (-1, 0, 1)] == [False, True, True]
