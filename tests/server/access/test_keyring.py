"""Keys while the registry is there, away, begun anew, or another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.events import Actor, EventKind
from core.keys import Key, Scope, digest_of
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from registry.registry import Registry
from server.access.keyring import KeyNotFound, Keyring
from server.access.known_keys import KnownKeys

ADMIN = Key(id="ADMIN_TOKEN", digest=digest_of("token"), name="ADMIN_TOKEN", scopes=(Scope.ADMIN,))
KEY = Key(id="abc", digest=digest_of("one"), name="ada", scopes=(Scope.OPERATE, Scope.PREDICT))
BY = Actor(kind="key", name="ADMIN_TOKEN")


class Place:
    """A folder, a database, and what gateways were told last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "registry.db"
        self.told: list[str] = []
        self.tellings: asyncio.Queue[None] = asyncio.Queue()

    def keyring(self, *, is_away: bool = False, is_shared: bool = False) -> Keyring:
        url = "sqlite:////nowhere/at/all.db" if is_away else f"sqlite:///{self.database}"
        self.registry = Registry(url, pause_s=0.01)
        self.log = EventLog(self.registry)
        known = KnownKeys(ADMIN)
        path = self.folder / "keys.json"
        return Keyring(known, path, self.log, self.registry, self._tell, is_shared=is_shared)

    async def _tell(self, keys: Sequence[Key]) -> None:
        self.told = [key.id for key in keys]
        self.tellings.put_nowait(None)


def run(test: Callable[[Place], Coroutine[Any, Any, None]], tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def whole() -> None:
        try:
            await test(place)
        finally:
            place.registry.close()

    asyncio.run(whole())


def test_a_key_is_valid_everywhere_once_it_is_made_and_nowhere_once_it_is_revoked(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        keyring = place.keyring()
        await keyring.create(KEY, BY)
        assert (keyring.known.find("one"), place.told) == (KEY, ["abc", "ADMIN_TOKEN"])
        await keyring.revoke("abc", BY, "it leaked")
        assert (keyring.known.find("one"), place.told) == (None, ["ADMIN_TOKEN"])
        with pytest.raises(KeyNotFound):
            await keyring.revoke("abc", BY)
        with pytest.raises(KeyNotFound):
            await keyring.revoke("ADMIN_TOKEN", BY)
        kinds = [(event.kind, event.actor, event.reason) for event in place.log.kept.newest()]
        assert kinds == [(EventKind.KEY_REVOKED, BY, "it leaked"), (EventKind.KEY_CREATED, BY, "")]

    run(test, tmp_path)


def test_without_the_registry_known_keys_read_and_predict_and_none_is_made_or_revoked(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.keyring().create(KEY, BY)
        place.registry.close()
        keyring = place.keyring(is_away=True)
        assert keyring.known.find("one") == KEY
        may = {scope for scope in Scope if keyring.known.may(KEY, scope)}
        assert may == {Scope.VIEW, Scope.PREDICT}
        assert keyring.known.may(ADMIN, Scope.ADMIN), "which is not kept in any file of ours"
        for change in (keyring.create(KEY, BY), keyring.revoke("abc", BY)):
            with pytest.raises(RegistryUnavailable):
                await change
        assert keyring.known.find("one") == KEY

    run(test, tmp_path)


def test_the_copy_holds_digests_for_our_user_alone(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.keyring().create(KEY, BY)
        path = place.folder / "keys.json"
        assert path.stat().st_mode & 0o777 == 0o600
        assert ADMIN.digest not in path.read_text()
        path.chmod(0o644)
        place.registry.close()
        place.keyring()
        assert path.stat().st_mode & 0o777 == 0o600

    run(test, tmp_path)


def test_the_registry_says_which_keys_are_valid_once_it_answers(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        keyring = place.keyring()
        await keyring.create(KEY, BY)
        with place.registry.transaction() as transaction:  # as another daemon would
            transaction.keys.revoke("abc", datetime.now(UTC))
        place.registry.close()
        again = place.keyring()
        assert again.known.find("one") == KEY
        await again.follow()
        assert (again.known.find("one"), place.told) == (None, ["ADMIN_TOKEN"])

    run(test, tmp_path)


def test_a_database_of_ours_that_was_begun_anew_gets_its_keys_back(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.keyring().create(KEY, BY)
        place.registry.close()
        place.database.unlink()
        again = place.keyring()
        await again.follow()
        assert again.known.may(KEY, Scope.OPERATE)
        with place.registry.transaction() as transaction:
            assert transaction.keys.valid() == [KEY]

    run(test, tmp_path)


def test_a_database_elsewhere_is_given_no_key_out_of_the_folder(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.keyring().create(KEY, BY)
        place.registry.close()
        place.database.unlink()
        again = place.keyring(is_shared=True)
        following = asyncio.create_task(again.follow())
        while place.told != ["ADMIN_TOKEN"]:
            await place.tellings.get()
        following.cancel()
        await asyncio.wait([following])
        assert again.known.made == []

    run(test, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"id":"x"}]'])
def test_a_copy_that_is_damaged_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    async def test(place: Place) -> None:
        (tmp_path / "keys.json").write_text(content)
        keyring = place.keyring()
        assert keyring.known.made == []
        await keyring.follow()
        await keyring.create(KEY, BY)
        assert keyring.known.find("one") == KEY

    run(test, tmp_path)
