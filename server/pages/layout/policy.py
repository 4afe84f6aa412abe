"""The headers that say what a page may do (Content Security Policy, level 3)."""

from __future__ import annotations

_COMMON = "img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def page_headers(nonce: str) -> dict[str, str]:
    """Scripts run by the nonce alone; markup is made of text by htmx alone (Trusted Types)."""
    return _headers(
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; form-action 'self'; "
        f"require-trusted-types-for 'script'; trusted-types htmx; {_COMMON}"
    )


def docs_headers(nonce: str) -> dict[str, str]:
    """swagger-ui draws its arrows from data: addresses."""
    return _headers(
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _headers(policy: str) -> dict[str, str]:
    return {
        "content-security-policy": policy,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
