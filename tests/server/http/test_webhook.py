from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from server.http.webhook import Delivery

BODY = b'{"ref": "refs/heads/main"}'
DIGEST = hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()


def is_taken(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a delivery is, whose body comes in two pieces."""
    delivery = Delivery(headers, secret)
    for piece in (body[:7], body[7:]):
        delivery.feed(piece)
    return delivery.shows_secret or delivery.matches()


def test_a_delivery_of_each_git_server_is_known() -> None:
    assert is_taken({"x-hub-signature-256": f"sha256={DIGEST}"}, BODY, "secret")
    assert is_taken({"x-gitea-signature": DIGEST}, BODY, "secret")
    assert is_taken({"x-gitlab-token": "secret"}, BODY, "secret")


def test_a_wrong_signature_or_another_body_or_none_is_refused() -> None:
    assert not is_taken({"x-hub-signature-256": f"sha256={DIGEST}"}, BODY + b" ", "secret")
    assert not is_taken({"x-hub-signature-256": DIGEST}, BODY, "secret")
    assert not is_taken({"x-gitlab-token": "other"}, BODY, "secret")
    assert not is_taken({"x-gitlab-token": "\udcff"}, BODY, "secret")
    assert not is_taken({}, BODY, "secret")


def test_without_a_secret_nothing_is_taken() -> None:
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not is_taken({"x-gitea-signature": empty, "x-gitlab-token": ""}, BODY, "")


def test_what_may_be_a_signature_is_told_from_what_can_not_be_one() -> None:
    assert Delivery({"x-hub-signature-256": "sha256=" + "0" * 64}, "secret").is_signed
    assert not Delivery({"x-hub-signature-256": "sha256=0"}, "secret").is_signed
    assert not Delivery({"x-hub-signature-256": "sha256=" + "0" * 64}, "").is_signed
