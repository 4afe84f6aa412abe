"""Which values of the settings name a repository, and what of them is shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingError
from loader.sources.git.remote import Login, Remote, parse_address


@pytest.mark.parametrize(
    ("url", "scheme", "given"),
    [
        ("https://example.org/models.git", "https", "https://example.org/models.git"),
        ("http://example.org:8080/models", "http", "http://example.org:8080/models"),
        ("https://ada:secret@example.org/models", "https", "https://example.org/models"),
        ("ssh://git@example.org:2222/models", "ssh", "ssh://git@example.org:2222/models"),
        ("ssh://git:secret@example.org/models", "ssh", "ssh://git@example.org/models"),
        ("git@example.org:team/models.git", "ssh", "git@example.org:team/models.git"),
        ("git@[::1]:models", "ssh", "git@[::1]:models"),
        ("file:///srv/models.git", "file", "file:///srv/models.git"),
        ("/srv/models.git", "file", "/srv/models.git"),
        ("models", "file", str(Path("models").absolute())),
    ],
)
def test_every_form_of_address_is_taken_without_credentials(url: str, scheme: str, given: str) -> None:
    address = parse_address(url)
    assert (address.scheme, address.url) == (scheme, given)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-uupload-pack",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c 'touch /tmp/x'",
        "fd::17",
        "ftp://example.org/models",
        "git://example.org/models",
        "ssh://-oProxyCommand=touch/models",
        "ssh://-oProxyCommand=x@example.org/models",
        "-git@example.org:models",
        "git@-example.org:models",
        "git@example.org:-models",
        "https:///models",
        "https://example.org:port/models",
        "https://ada:se%0Acret@example.org/models",
        "https://example.org/mo\ndels",
        "file://elsewhere/models",
        "host:models",
    ],
)
def test_anything_else_is_refused_by_name(url: str) -> None:
    with pytest.raises(SettingError, match=r"gitPath.*it takes"):
        Remote(url)


def test_a_refusal_does_not_show_the_password() -> None:
    with pytest.raises(SettingError) as caught:
        Remote("ftp://ada:secret@example.org/models")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://alice:hush/hush2@127.0.0.1:1/models.git",
        "http://alice:12/hush2@127.0.0.1:1/models.git",
        "http://alice:x@hush/hush2@127.0.0.1:1/models.git",
        "https://alice:hush?hush@example.org/models",
        "https://alice:hush#hush@example.org/models",
        "https://alice:hu\\hush@example.org/models",
        "ssh://alice:12/hush@example.org/models",
        "https:/alice:hush@example.org/models",
        "https//alice:hush@example.org/models",
        "alice:hush@example.org/models",
    ],
)
def test_a_password_that_would_be_cut_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingError, match="gitPath is") as caught:
        Remote(url)
    assert "hush" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=4))
def test_no_password_comes_out_of_an_address_whatever_it_holds(password: str) -> None:
    secret = f"hush{password}hush"
    taken = remote_or_refusal(f"https://alice:{secret}@example.org/models")
    if isinstance(taken, Remote):
        assert taken.address.url == "https://example.org/models"
        assert taken.login == Login("alice", unquote(secret))
    assert "hush" not in repr(taken)


def remote_or_refusal(url: str) -> Remote | SettingError:
    try:
        return Remote(url)
    except SettingError as error:
        return error


@pytest.mark.parametrize(
    "branch", ["-x", "--all", "a..b", "a b", "a~1", "a^", "a:b", "x.lock", "a//b", ".a", "a/", "@{-1}"]
)
def test_a_branch_that_can_be_none_is_refused(branch: str) -> None:
    with pytest.raises(SettingError, match="gitBranch"):
        Remote("/models", branch=branch)


@pytest.mark.parametrize("branch", ["main", "feature/x-1", "v1.0", "größe", "a@b", "user.name/fix_#3"])
def test_a_branch_that_can_be_one_is_taken(branch: str) -> None:
    assert Remote("/models", branch=branch).branch == branch


def test_a_login_comes_from_the_settings_or_else_from_the_url() -> None:
    url = "https://ada:s%40cret@example.org/models"
    assert Remote(url).login == Login("ada", "s@cret")
    assert Remote(url, user="bob", password="other").login == Login("bob", "other")
    assert Remote("https://example.org/models", password="token").login == Login("git", "token")
    assert Remote("https://ada@example.org/models", password="apart").login == Login("ada", "apart")
    assert Remote(url, user="bob").login == Login("bob", "s@cret")
    assert Remote("https://example.org/models").login is None
    assert Remote("git@example.org:models", password="unused").login is None


def test_a_login_with_a_line_break_is_refused() -> None:
    with pytest.raises(SettingError, match="line break"):
        Remote("https://example.org/models", user="ada", password="secret\n")


def test_secrets_are_scrubbed_in_every_form_and_shown_by_no_repr() -> None:
    remote = Remote("https://ada:s%40c%2Fret@example.org/models", user="", password="other one")
    text = remote.scrub("s@c/ret s%40c%2Fret s%40c/ret other one other%20one https://ada:x@example.org")
    assert text == "*** *** *** *** *** https://***@example.org"
    for shown in (repr(remote), repr(remote.address), repr(remote.login)):
        assert "ret" not in shown.replace("secret", "")
        assert "other" not in shown


def test_a_user_name_beside_a_password_from_elsewhere_is_no_secret() -> None:
    remote = Remote("https://models@example.org/models", password="apart")
    assert remote.scrub("models are not had with apart") == "models are not had with ***"


def test_a_token_in_the_users_place_is_a_secret() -> None:
    assert Remote("https://token123@example.org/models").scrub("token123 failed") == "*** failed"
