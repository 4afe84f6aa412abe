"""Whether a call of the webhook comes from who may make it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

MAX_BYTES = 25 * 1024 * 1024
"""GitHub's largest delivery."""

_SIGNATURES = {
    "x-hub-signature-256": re.compile("sha256=([0-9a-f]{64})"),
    "x-gitea-signature": re.compile("([0-9a-f]{64})"),
}


class Delivery:
    """One call, whose signature is computed as the body comes: nothing of that is kept.

    Signed are the raw body's bytes (GitHub, Gitea), or the secret itself is sent (GitLab).

    Sources: GitHub "Validating webhook deliveries" (`X-Hub-Signature-256: sha256=<hex>`), Gitea "Webhooks"
    (`X-Gitea-Signature: <hex>`), GitLab "Webhooks" (`X-Gitlab-Token`).
    """

    def __init__(self, headers: Mapping[str, str], secret: str) -> None:
        """`headers` must match without regard to case."""
        self.shows_secret = bool(secret) and _same(headers.get("x-gitlab-token"), secret)
        self._signatures = _signatures(headers) if secret else []
        self._digest = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature, right or wrong."""
        return bool(self._signatures)

    def feed(self, piece: bytes) -> None:
        """The next piece of the body."""
        self._digest.update(piece)

    def matches(self) -> bool:
        """Whether a signature is that of the body, all of which has been fed."""
        digest = self._digest.hexdigest()
        return any(hmac.compare_digest(signature, digest) for signature in self._signatures)


def _signatures(headers: Mapping[str, str]) -> list[str]:
    """Those that are well-formed."""
    found = (form.fullmatch(headers.get(name, "")) for name, form in _SIGNATURES.items())
    return [one[1] for one in found if one is not None]


def _same(given: str | None, expected: str) -> bool:
    """`given` is a header's value as Starlette reads it: each byte a character."""
    return given is not None and hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
