"""All objects of one kind that carry our label, as the API server told of them last: one list, and then one watch.

The plain protocol (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes): a list
gives a resource version, a watch tells of all changes since, bookmarks move the version on while nothing changes, and
where the server has forgotten the version (410) the list is made anew.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from trainer.kubernetes.api import Api, Object
from trainer.kubernetes.errors import ApiError, VersionExpired, error_of

log = logging.getLogger("pawl.trainer")

WATCH_S = 240.0
_PAGE = "500"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 3.0


class ObjectCache:
    """`step` is called by one thread, the others may be called by any."""

    def __init__(self, api: Api, path: str, selector: str, changed: Callable[[], None] = lambda: None) -> None:
        """`path`: of the collection. `changed` is called from the thread that steps."""
        self._api = api
        self._path = path
        self._query = {"labelSelector": selector}
        self._changed = changed
        self._lock = threading.Lock()
        self._objects: dict[str, Object] = {}
        self._version = ""
        self._is_filled = False

    @property
    def is_filled(self) -> bool:
        """Whether all objects have ever been listed."""
        return self._is_filled

    def all(self) -> list[Object]:
        with self._lock:
            return list(self._objects.values())

    def get(self, name: str) -> Object | None:
        with self._lock:
            return self._objects.get(name)

    def put(self, object: Object) -> None:
        """What a request of ours was answered: the watch will tell of it too, later."""
        name = object["metadata"]["name"]
        with self._lock:
            known = self._objects.get(name)
            if known is None or not _is_newer(known, object):
                self._objects[name] = object

    def drop(self, name: str, uid: str) -> None:
        """A request of ours was answered that it is not there."""
        with self._lock:
            known = self._objects.get(name)
            if known is not None and known["metadata"].get("uid") == uid:
                del self._objects[name]

    def step(self) -> None:
        """List all where that is due; then follow what changes until the server ends the watch. Raises ApiError."""
        if not self._version:
            self._list()
        query = {**self._query, "resourceVersion": self._version, "allowWatchBookmarks": "true"}
        try:
            for event in self._api.watch(self._path, query, WATCH_S):
                self._take(event)
        except VersionExpired:
            self._version = ""

    def _list(self) -> None:
        found: dict[str, Object] = {}
        query = {**self._query, "limit": _PAGE}
        while True:
            page = self._api.call("GET", self._path, query)
            found.update({item["metadata"]["name"]: item for item in page.get("items", ())})
            if not (more := page["metadata"].get("continue")):
                break
            query["continue"] = more
        with self._lock:
            self._objects = found
        self._version = page["metadata"]["resourceVersion"]
        self._is_filled = True
        self._changed()

    def _take(self, event: Mapping[str, Object]) -> None:
        kind, object = str(event["type"]), event["object"]
        if kind == "ERROR":
            raise error_of(int(object.get("code", 0)), f"the watch of {self._path}: {object.get('message', '')}")
        metadata = object["metadata"]
        with self._lock:
            if kind in ("ADDED", "MODIFIED"):
                self._objects[metadata["name"]] = object
            elif kind == "DELETED":
                self._objects.pop(metadata["name"], None)
        self._version = metadata["resourceVersion"]
        if kind != "BOOKMARK":
            self._changed()


class Following:
    """A thread that steps a cache, for ever: what fails is tried again, after as long as the server asks for."""

    def __init__(self, cache: ObjectCache, name: str) -> None:
        self._cache = cache
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    async def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        """Soon: a watch that is waiting is left to itself."""
        self._stopped.set()

    def _run(self) -> None:
        trouble, pause = "", 0.0
        while not self._stopped.wait(pause):
            try:
                self._cache.step()
                trouble, pause = "", 0.05  # a server that ends each watch at once is not to be asked without a pause
            except ApiError as error:
                if str(error) != trouble:
                    log.warning("%s; it is tried again", error)
                trouble = str(error)
                pause = error.retry_after_s or min(max(2 * pause, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                pause *= random.uniform(0.8, 1.2)
            except Exception:
                log.exception("a failure of Pawl's own while following the cluster; going on")
                pause = _LONGEST_PAUSE_S


def _is_newer(known: Object, other: Object) -> bool:
    """Of the same object. Versions are numbers that grow (KEP-5504); where they were not, the watch sets it right."""
    if known["metadata"].get("uid") != other["metadata"].get("uid"):
        return False
    with suppress(ValueError):
        return int(known["metadata"]["resourceVersion"]) > int(other["metadata"]["resourceVersion"])
    return False
