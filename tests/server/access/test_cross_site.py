"""Which requests a page of another site may have sent."""

from __future__ import annotations

import pytest

from server.access.cross_site import is_cross_site

HOST = "models.example.org"
SAME = f"https://{HOST}"
OTHER = "https://evil.example"


def refused(method: str, *, shows_cookie: bool = True, **headers: str) -> bool:
    sent = {name.replace("_", "-"): value for name, value in {"host": HOST, **headers}.items()}
    return is_cross_site(method, sent, shows_cookie=shows_cookie)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("site", ["same-origin", "none", "same-site", "cross-site", "anything"])
def test_what_changes_nothing_passes(method: str, site: str) -> None:
    assert not refused(method, sec_fetch_site=site, origin=OTHER)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("origin", [SAME, OTHER, "null"])
@pytest.mark.parametrize("shows_cookie", [True, False])
@pytest.mark.parametrize(
    ("site", "is_refused"),
    [
        ("same-origin", False),
        ("none", False),
        *((site, True) for site in ("same-site", "cross-site", "", "SAME-ORIGIN")),
    ],
)
def test_where_the_browser_says_where_it_comes_from_that_decides(
    method: str, origin: str, shows_cookie: bool, site: str, is_refused: bool
) -> None:
    assert refused(method, sec_fetch_site=site, origin=origin, shows_cookie=shows_cookie) == is_refused


@pytest.mark.parametrize("shows_cookie", [True, False])
@pytest.mark.parametrize(
    ("host", "origin", "is_refused"),
    [
        (HOST, SAME, False),
        (HOST, f"http://{HOST}", False),
        (HOST, f"HTTPS://{HOST.upper()}", False),
        (f"{HOST}:443", SAME, False),
        (f"{HOST}:8000", f"http://{HOST}:8000", False),
        ("[::1]:8000", "http://[::1]:8000", False),
        (HOST, OTHER, True),
        (HOST, f"https://{HOST}.evil.example", True),
        (HOST, f"https://evil.example/{HOST}", True),
        (HOST, f"https://{HOST}@evil.example", True),
        (HOST, f"https://{HOST}:8443", True),
        (f"{HOST}:8000", SAME, True),
        (HOST, "null", True),
        (HOST, "", True),
        (HOST, f"ftp://{HOST}", True),
        (HOST, HOST, True),
        (HOST, "https://[", True),
        ("", "https://", True),
    ],
)
def test_else_the_origin_must_be_the_host(host: str, origin: str, is_refused: bool, shows_cookie: bool) -> None:
    assert refused("POST", host=host, origin=origin, shows_cookie=shows_cookie) == is_refused


def test_where_nothing_is_said_a_key_is_enough_and_a_cookie_is_not() -> None:
    assert refused("POST", shows_cookie=True)
    assert not refused("POST", shows_cookie=False)
