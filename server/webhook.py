"""Whether a call of the webhook comes from who may make it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

MAX_BYTES = 25 * 1024 * 1024
"""GitHub's largest delivery."""


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the raw body is signed with the secret (GitHub, Gitea), or the secret itself was sent (GitLab).

    Sources: GitHub "Validating webhook deliveries" (`X-Hub-Signature-256: sha256=<hex>`), Gitea "Webhooks"
    (`X-Gitea-Signature: <hex>`), GitLab "Webhooks" (`X-Gitlab-Token`). `headers` must match without regard to case.
    """
    if not secret:
        return False
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return (
        _same(headers.get("x-hub-signature-256"), f"sha256={digest}")
        or _same(headers.get("x-gitea-signature"), digest)
        or _same(headers.get("x-gitlab-token"), secret)
    )


def is_token(headers: Mapping[str, str], token: str) -> bool:
    """Whether the request carries the admin token: `Authorization: Bearer TOKEN`."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and _same(given.strip(), token)


def _same(given: str | None, expected: str) -> bool:
    """`given` is a header's value as Starlette reads it: each byte a character."""
    return given is not None and hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
