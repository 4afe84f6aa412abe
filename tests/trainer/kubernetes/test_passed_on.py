from __future__ import annotations

import pytest

from trainer.kubernetes.passed_on import kept_back, passed_on


@pytest.mark.parametrize(
    "name",
    [
        *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"),
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
        *("UV_EXTRA_INDEX_URL", "UV_INDEX_STRATEGY", "UV_INSECURE_HOST", "UV_HTTP_TIMEOUT"),
    ],
)
def test_ways_out_and_places_of_packages_are(name: str) -> None:
    assert passed_on({name: "https://here.example/simple"}) == {name: "https://here.example/simple"}
    assert kept_back({name: "https://here.example/simple"}) == []


@pytest.mark.parametrize(
    "name", ["PATH", "UV_CACHE_DIR", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "SSL_CERT_FILE", "HOME", "UV_LINK_MODE"]
)
def test_nothing_else_is(name: str) -> None:
    assert passed_on({name: "x"}) == {}
    assert kept_back({name: "x"}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "http://ann:secret@proxy:3128"),
        ("UV_INDEX_URL", "https://token@index.example/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://one.example/simple https://ann:secret@two.example/simple"),
        ("UV_INDEX_TEAM_PASSWORD", "secret"),
        ("UV_GITHUB_TOKEN", "secret"),
    ],
)
def test_what_carries_a_login_is_not_and_is_told_of(name: str, value: str) -> None:
    assert passed_on({name: value}) == {}
    assert kept_back({name: value}) == [name]


def test_what_is_empty_is_not() -> None:
    assert passed_on({"HTTPS_PROXY": ""}) == {}
