from __future__ import annotations

import hashlib
import hmac

from server.webhook import is_signed, is_token

BODY = b'{"ref": "refs/heads/main"}'
DIGEST = hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()


def test_a_delivery_of_each_git_server_is_known() -> None:
    assert is_signed({"x-hub-signature-256": f"sha256={DIGEST}"}, BODY, "secret")
    assert is_signed({"x-gitea-signature": DIGEST}, BODY, "secret")
    assert is_signed({"x-gitlab-token": "secret"}, BODY, "secret")


def test_a_wrong_signature_or_another_body_or_none_is_refused() -> None:
    assert not is_signed({"x-hub-signature-256": f"sha256={DIGEST}"}, BODY + b" ", "secret")
    assert not is_signed({"x-hub-signature-256": DIGEST}, BODY, "secret")
    assert not is_signed({"x-gitlab-token": "other"}, BODY, "secret")
    assert not is_signed({"x-gitlab-token": "\udcff"}, BODY, "secret")
    assert not is_signed({}, BODY, "secret")


def test_without_a_secret_nothing_is_signed() -> None:
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not is_signed({"x-gitea-signature": empty, "x-gitlab-token": ""}, BODY, "")


def test_the_admin_token_comes_as_a_bearer() -> None:
    assert is_token({"authorization": "Bearer t"}, "t")
    assert is_token({"authorization": "bearer t"}, "t")
    assert not is_token({"authorization": "Basic t"}, "t")
    assert not is_token({"authorization": "t"}, "t")
    assert not is_token({"authorization": "Bearer "}, "")
    assert not is_token({}, "t")
