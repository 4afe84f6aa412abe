"""One list, and then one watch: what the cache holds, and what it asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.cluster.access import Access, shipped_rules
from tests.cluster.api import ApiDouble, Asking
from tests.cluster.objects import PODS, Object, Objects, Problem
from trainer.kubernetes import names
from trainer.kubernetes.errors import ApiError, error_of
from trainer.kubernetes.object_cache import ObjectCache

PATH = PODS.path("pawl")


class Direct:
    """The double, without a network between; a watch ends when all has been told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.objects = Objects(lambda: self.now)
        self.double = ApiDouble(self.objects, Access(shipped_rules(), "pawl"), check=lambda _: None)
        self.has_bookmarks = True
        self.cut_after: int | None = None
        """Events after which a watch is cut off."""

    def call(self, method: str, path: str, query: Mapping[str, str] = {}, body: Object | None = None) -> Object:
        try:
            answer = self.double.answer(Asking(method, path, query))
        except Problem as error:
            raise error_of(error.status, str(error)) from error
        except ConnectionError as error:
            raise ApiError("away") from error
        assert isinstance(answer, dict)
        return answer

    def text(self, path: str, query: Mapping[str, str] = {}) -> str:
        raise AssertionError

    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Iterator[Object]:
        asking = Asking("GET", path, {**query, "watch": "true"})
        try:
            version = self.double.admit(asking)
            events = [event for _, event in self.double.changes(asking, version)]
        except Problem as error:
            return iter([{"type": "ERROR", "object": error.body}])
        except ConnectionError as error:
            raise ApiError("away") from error
        if self.cut_after is not None:
            return _cut(events[: self.cut_after])
        return iter([*events, self.double.bookmark(asking)] if self.has_bookmarks else events)

    def lists(self) -> int:
        return sum(not one.is_watch for one in self.double.requests)

    def make(self, name: str, **labels: str) -> None:
        ours = labels or {"app.kubernetes.io/managed-by": "pawl", "pawl.dev/run": "r"}
        self.objects.create(PODS, "pawl", {"metadata": {"name": name, "labels": ours}, "status": {}})

    def change(self, name: str, phase: str) -> Object:
        return self.objects.change(PODS, "pawl", name, lambda one: one["status"].update(phase=phase))


def _cut(events: list[Object]) -> Iterator[Object]:
    yield from events
    raise ApiError("cut off")


@pytest.fixture
def api() -> Direct:
    return Direct()


@pytest.fixture
def cache(api: Direct) -> ObjectCache:
    return ObjectCache(api, PATH, names.SELECTOR, lambda: api.now)


def known(cache: ObjectCache) -> dict[str, Any]:
    return {one["metadata"]["name"]: one["status"].get("phase", "") for one in cache.all()}


def test_it_holds_what_there_is_and_then_what_changes(api: Direct, cache: ObjectCache) -> None:
    api.make("one")
    api.make("other", app="nginx")
    assert not cache.is_filled
    cache.step()
    assert (cache.is_filled, known(cache)) == (True, {"one": ""})
    api.make("two")
    api.change("one", "Running")
    cache.step()
    assert known(cache) == {"one": "Running", "two": ""}
    api.objects.remove(PODS, "pawl", "one")
    cache.step()
    assert known(cache) == {"two": ""}
    assert [one["metadata"]["name"] for one in cache.gone()] == ["one"]
    assert api.lists() == 1


def test_bookmarks_keep_the_version_young_so_nothing_is_listed_anew(api: Direct, cache: ObjectCache) -> None:
    api.make("one")
    cache.step()
    for _ in range(5):
        api.make(f"of-others-{_}", app="nginx")  # changes that the watch does not tell of
        cache.step()
        api.objects.compact()
    cache.step()
    assert known(cache) == {"one": ""}, "a bookmark is no object"
    assert api.lists() == 1


def test_without_bookmarks_the_server_forgets_and_all_is_listed_anew(api: Direct, cache: ObjectCache) -> None:
    api.has_bookmarks = False
    api.make("one")
    api.make("two")
    cache.step()
    api.objects.remove(PODS, "pawl", "one")
    api.make("of-others", app="nginx")
    api.objects.compact()
    cache.step()
    cache.step()
    assert known(cache) == {"two": ""}
    assert [one["metadata"]["name"] for one in cache.gone()] == ["one"], "what went meanwhile"
    assert api.lists() == 2


def test_a_watch_that_is_cut_off_goes_on_where_it_was(api: Direct, cache: ObjectCache) -> None:
    api.make("one")
    cache.step()
    for phase in ("Pending", "Running", "Failed"):
        api.change("one", phase)
    api.cut_after = 2
    with pytest.raises(ApiError):
        cache.step()
    assert known(cache) == {"one": "Running"}
    api.cut_after = None
    cache.step()
    assert known(cache) == {"one": "Failed"}
    assert api.lists() == 1


def test_lists_come_in_pages(api: Direct, cache: ObjectCache) -> None:
    for number in range(1201):
        api.make(f"pod{number:04}")
    cache.step()
    assert len(cache.all()) == 1201
    assert api.lists() == 3


def test_what_a_request_was_answered_holds_until_the_watch_says_something_newer(
    api: Direct, cache: ObjectCache
) -> None:
    api.make("one")
    older = api.objects.get(PODS, "pawl", "one")
    cache.step()
    newer = api.change("one", "Running")
    cache.put(newer)
    assert known(cache) == {"one": "Running"}
    api.change("one", "Failed")
    cache.step()
    cache.put(newer)
    cache.put(older)
    assert known(cache) == {"one": "Failed"}


def test_what_a_request_found_gone_is_dropped_but_not_another_of_its_name(api: Direct, cache: ObjectCache) -> None:
    api.make("one")
    cache.step()
    uid = cache.all()[0]["metadata"]["uid"]
    cache.drop("one", "another")
    assert known(cache) == {"one": ""}
    cache.drop("one", uid)
    assert known(cache) == {}


def test_while_the_server_is_away_it_knows_nothing_newer(api: Direct, cache: ObjectCache) -> None:
    cache.step()
    heard = api.now
    api.now += 3600
    api.double.is_away = True
    with pytest.raises(ApiError):
        cache.step()
    assert cache.known_until == heard
    api.double.is_away = False
    cache.step()
    assert cache.known_until == api.now
