from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.http.return_paths import below_admin, return_path, up_to_admin

SIGN_IN = "https://models.example.org/one/-/api/session"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("models/Iris?open=v3", "models/Iris?open=v3"),
        ("/one/-/models/Iris", "models/Iris"),
        ("/-/", ""),
        ("", ""),
        ("https://evil.example/-/x", "https://evil.example/-/x"),
        ("//evil.example", ""),
        ("/elsewhere", ""),
        ("../../elsewhere", ""),
        ("models/../../x", ""),
        ("\\\\evil.example", ""),
        ("x\r\nSet-Cookie: a=b", ""),
        ("x" * 2000, ""),
    ],
)
def test_only_what_is_below_the_admin_path_is_gone_back_to(asked: str, path: str) -> None:
    assert return_path(asked) == path


@given(asked=st.one_of(st.text(), st.from_regex(r"(https?:)?[/\\.:@-]*[a-z.]{1,20}[/\\.a-z?#-]*", fullmatch=True)))
def test_whatever_is_asked_for_a_browser_stays_below_the_admin_path(asked: str) -> None:
    to = urljoin(SIGN_IN, "../" + return_path(asked))
    assert to.startswith("https://models.example.org/one/-/")


@pytest.mark.parametrize(
    ("path", "up"),
    [("/one/-/", ""), ("/one/-/models/Iris", "../"), ("/-/keys/a/revoke", "../../"), ("/-/events", "")],
)
def test_the_way_to_the_sign_in_is_relative(path: str, up: str) -> None:
    assert up_to_admin(path) == up
    assert below_admin(path, "a=b").endswith("?a=b")
