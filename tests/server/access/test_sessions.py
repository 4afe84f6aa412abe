from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.keys import Key, Scope, digest_of
from server.access.ended_sessions import EndedSessions
from server.access.known_keys import KnownKeys
from server.access.sessions import Sessions, signing_key

SIGNING = b"s" * 32
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)


def key(id: str = "abc", text: str = "one", expires: datetime | None = None) -> Key:
    return Key(id=id, digest=digest_of(text), name="ada", scopes=(Scope.VIEW,), expires=expires, created_at=NOW)


def known(*keys: Key, now: datetime = NOW) -> KnownKeys:
    made = KnownKeys(None, lambda: now)
    made.replace(keys)
    return made


def test_a_session_shows_the_key_that_it_began_with() -> None:
    sessions = Sessions(SIGNING, known(key()).get)
    assert sessions.key_of(sessions.begin(key())) == key()


def test_it_ends_with_its_key() -> None:
    keys = known(key())
    sessions = Sessions(SIGNING, keys.get)
    cookie = sessions.begin(key())
    keys.replace([key(text="another of the same id")])
    assert sessions.key_of(cookie) is None
    keys.replace([])
    assert sessions.key_of(cookie) is None


def test_it_ends_when_its_key_expires() -> None:
    lasting = key(expires=NOW + timedelta(hours=1))
    cookie = Sessions(SIGNING, known(lasting).get).begin(lasting)
    assert Sessions(SIGNING, known(lasting).get).key_of(cookie) == lasting
    assert Sessions(SIGNING, known(lasting, now=NOW + timedelta(hours=1)).get).key_of(cookie) is None


def test_it_ends_when_somebody_signs_out_and_others_of_the_key_go_on() -> None:
    sessions = Sessions(SIGNING, known(key()).get)
    one, other = sessions.begin(key()), sessions.begin(key())
    sessions.end(one)
    assert (sessions.key_of(one), sessions.key_of(other)) == (None, key())
    sessions.end("no cookie of ours")


def test_what_was_ended_stays_so_after_a_restart(tmp_path: Path) -> None:
    ended = tmp_path / "ended.json"
    cookie = Sessions(SIGNING, known(key()).get).begin(key())
    Sessions(SIGNING, known(key()).get, ended).end(cookie)
    assert ended.stat().st_mode & 0o777 == 0o600
    assert Sessions(SIGNING, known(key()).get, ended).key_of(cookie) is None
    ended.write_text("no json")
    assert Sessions(SIGNING, known(key()).get, ended).key_of(cookie) == key()


def test_of_what_was_ended_nothing_is_kept_that_has_expired(tmp_path: Path) -> None:
    moment = 0.0
    ended = EndedSessions(tmp_path / "ended.json", 10, lambda: moment)
    ended.add("one")
    moment = 5.0
    ended.add("two")
    moment = 11.0
    ended.add("three")
    again = EndedSessions(tmp_path / "ended.json", 10, lambda: moment)
    assert [name in again for name in ("one", "two", "three")] == [False, True, True]


def test_what_has_expired_by_the_time_that_it_is_told_is_not_taken(tmp_path: Path) -> None:
    ended = EndedSessions(tmp_path / "ended.json", 10, lambda: 100.0)
    ended.take({"old": 1.0})
    assert not ended.all
    assert not (tmp_path / "ended.json").exists()


def test_once_there_are_as_many_as_are_kept_no_older_one_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "ended.json"
    ended = EndedSessions(path, 1e6, lambda: 1e5)
    told = {str(number): float(number) for number in range(10_005)}
    ended.take(told)
    assert len(ended.all) == 10_000
    assert "4" not in ended
    path.unlink()
    ended.take(told)
    assert not path.exists()
    ended.add("new")
    assert "new" in ended
    assert "5" not in ended


def test_a_cookie_that_was_changed_or_signed_by_another_shows_nothing() -> None:
    sessions = Sessions(SIGNING, known(key(), key("admin")).get)
    cookie = sessions.begin(key())
    body, _, rest = cookie.partition(".")
    forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body + "==").replace(b"abc", b"admin")).decode()
    for other in ("", "x", cookie[:-1], f"{forged.rstrip('=')}.{rest}", Sessions(b"o" * 32, dict.get).begin(key())):
        assert sessions.key_of(other) is None, other


def test_the_cookie_tells_nothing_of_the_keys_digest() -> None:
    cookie = Sessions(SIGNING, known(key()).get).begin(key())
    body = base64.urlsafe_b64decode(cookie.partition(".")[0] + "==").decode()
    assert not any(key().digest[at : at + 8] in body for at in range(len(key().digest) - 8))


def test_replicas_that_share_an_admin_token_share_sessions_and_others_keep_a_key_for_themselves(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    assert signing_key("shared", one) == signing_key("shared", other) != signing_key("another", one)
    assert not list(one.iterdir())
    assert signing_key("", one) == signing_key("", one) != signing_key("", other)
    assert (one / "session.key").stat().st_mode & 0o777 == 0o600
