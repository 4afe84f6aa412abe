from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import redact, secrets_in, without_login

LETTERS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=0, max_size=12)
SECRETS = st.builds(
    "{}{}{}".format, LETTERS, st.sampled_from(["s3cr3t", "tok/en", "t@k:en", "t#k?en", "%2Ftoken"]), LETTERS
)
"""Secrets of odd characters; what is in the middle is no word of the texts below."""
ADDRESSES = st.sampled_from(
    [
        "https://ci:{}@packages.example/simple",
        "https://{}@packages.example/simple",
        "http://ci:{}@[::1]:8080/simple/",
        "git+https://oauth2:{}@git.example/team/tiny.git",
        "git+https://oauth2:{}@git.example/team/tiny.git@v1.0#egg=tiny",
        "git+ssh://{}@git.example/team/tiny.git@feature/one",
    ]
)
SPELLINGS = st.sampled_from(
    [str, quote, quote_plus, lambda secret: quote(secret, safe=""), lambda s: json.dumps(s)[1:-1]]
)


@given(ADDRESSES, SECRETS, SPELLINGS)
def test_a_secret_known_from_an_address_is_found_in_every_spelling(address: str, secret: str, spell: object) -> None:
    assert callable(spell)
    known = secrets_in(address.format(secret))
    said = redact(f"error: Failed to fetch {address.format(spell(secret))}\n  cause: {spell(secret)} is no host", known)
    assert spell(secret) not in said
    assert secret not in said


@given(ADDRESSES, SECRETS)
def test_an_address_is_shown_without_its_secret(address: str, secret: str) -> None:
    assert secret not in without_login(address.format(secret))


@given(ADDRESSES, SECRETS)
def test_what_a_parser_makes_of_a_secret_is_hidden_too(address: str, secret: str) -> None:
    """One with an unescaped "/" is cut into a host, a port and a path."""
    text = address.format(secret)
    parts = [part for part in secrets_in(text) if len(part) >= 4]
    said = redact(f"dns error: failed to look up {', '.join(part.lower() for part in parts)}", secrets_in(text))
    assert not [
        part for part in parts if part.lower() in said.replace("failed to look up", "").replace("dns error", "")
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://host/simple/six/", "see https://host/simple/six/"),
        ("https://ci:token@host:1/simple failed", "https://***@host:1/simple failed"),
        ("'https://token@host/x', other@example.org", "'https://***@host/x', other@example.org"),
        ('{"a":"https://host/x","b":"c@d"}', '{"a":"https://host/x","b":"c@d"}'),
        ("https:/ci:token@host/x", "https:/***@host/x"),
        ('https://ci:to"ken@host/x', "https://***@host/x"),
        ("https://ci:a@b/c@host/x", "https://***@host/x"),
        ("tiny @ git+https://host/team/tiny.git@v1#egg=tiny", "tiny @ git+https://host/team/tiny.git@v1#egg=tiny"),
        ("git+https://u:p@host/tiny.git@v1", "git+https://***@host/tiny.git@v1"),
        ("git+https://u:p/q@host/tiny.git", "git+https://***@host/tiny.git"),
        ("see https://host/x@1.0", "see https://host/x@1.0"),
        ("https://cdn.example/npm/htmx@4.0.0-beta1/htmx.js", "https://cdn.example/npm/htmx@4.0.0-beta1/htmx.js"),
        ("https://host:8080/x@v2#sha256=00", "https://host:8080/x@v2#sha256=00"),
        ("https://ci:token@host/x@1.0", "https://***@host/x@1.0"),
        ("https://token@host/x@1.0", "https://***@host/x@1.0"),
        ("https://ci:to/ken@host/x@1.0", "https://***@host/x@1.0"),
        ("https://ci:to/ken@1.0", "https://***@1.0"),
        ("https://to/ken@10.0.0.1", "https://***@10.0.0.1"),
        ("https://to/ken@10.0.0.1/simple", "https://***@10.0.0.1/simple"),
        ("https://to/ken@1.example/simple", "https://***@1.example/simple"),
        ("https://to/ken@host", "https://***@host"),
        ("https://host/x.whl?sig=secret&x=1#sha256=00", "https://host/x.whl?***#sha256=00"),
        ("https://host/data.csv?sig=secret&x=1", "https://host/data.csv?***"),
        ("mail me@host about a/b@c", "mail me@host about a/b@c"),
    ],
)
def test_addresses_in_text_are_shown_without_logins_and_queries(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ci:a b'c d@host/x", "https://***@host/x"),
        ("oauth2:token@host/x", "***@host/x"),
        ("https://host/x", "https://host/x"),
        ("/a/path", "/a/path"),
    ],
)
def test_one_address_is_shown_without_its_login(address: str, shown: str) -> None:
    assert without_login(address) == shown


def test_a_user_name_beside_a_password_is_no_secret() -> None:
    assert secrets_in("--index-url https://ci:token@host/simple") == {"ci:token", "token"}
    assert secrets_in("--index-url https://token@host/simple") == {"token"}
    assert secrets_in("a @ git+https://host/a.git@v1") == set()


def test_each_address_of_a_line_has_its_own() -> None:
    assert secrets_in("-i https://a:first@x/s --extra-index-url https://b:second@y/s") == {
        "a:first",
        "first",
        "b:second",
        "second",
    }


@pytest.mark.parametrize(
    "secret",
    [
        "planted-secret-" * 4,
        "--------------------------------",
        "\\\\" * 20,
        '\\"' * 20,
        "%25" * 20,
        "ö/" * 20,
        " +" * 20,
    ],
)
@pytest.mark.timeout(60)
def test_a_text_that_holds_nearly_a_secret_takes_no_longer_than_another(secret: str) -> None:
    for spell in (str, quote, quote_plus, lambda text: json.dumps(text)[1:-1], lambda text: repr(text)[1:-1]):
        nearly = spell(secret)[:-1] + "~"
        assert redact(nearly, [secret]).endswith("~")
        assert redact(spell(secret), [secret]).strip("*") == ""
