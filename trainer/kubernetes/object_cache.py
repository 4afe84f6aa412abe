"""All objects of one kind that carry our label, as the API server told of them last: one list, and then one watch.

The plain protocol (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes): a list
gives a resource version, a watch tells of all changes since, bookmarks move the version on while nothing changes, and
where the server has forgotten the version (410) the list is made anew.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from trainer.kubernetes.api import Api, Object
from trainer.kubernetes.errors import ApiError, VersionExpired, error_of

log = logging.getLogger("pawl.trainer")

WATCH_S = 240.0
_PAGE = "500"
_MOST_GONE = 200
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 3.0


class ObjectCache:
    """`step` is called by one thread, the others may be called by any."""

    def __init__(self, api: Api, path: str, selector: str, now: Callable[[], float] = time.time) -> None:
        """`path`: of the collection."""
        self._api = api
        self._path = path
        self._query = {"labelSelector": selector}
        self._now = now
        self._lock = threading.Lock()
        self._objects: dict[str, Object] = {}
        self._gone: deque[Object] = deque(maxlen=_MOST_GONE)
        self._version = ""
        self._is_filled = False
        self._heard_at = 0.0
        self._is_watching = False
        self.trouble = ""
        """Why it can't follow; empty: it can."""

    @property
    def is_filled(self) -> bool:
        """Whether all objects have ever been listed."""
        return self._is_filled

    @property
    def known_until(self) -> float:
        """The time as of which it holds what the API server does: no deadline after that can have been seen to pass."""
        return self._now() if self._is_watching else self._heard_at

    def all(self) -> list[Object]:
        with self._lock:
            return list(self._objects.values())

    def gone(self) -> list[Object]:
        """Those that were removed last, as they were: how a pod has ended is often told with its removal."""
        with self._lock:
            return list(self._gone)

    def put(self, object: Object) -> None:
        """What a request of ours was answered: the watch will tell of it too, later, unless it has already."""
        name = object["metadata"]["name"]
        with self._lock:
            known = self._objects.get(name)
            if _is_newer(object, self._version) and (known is None or _is_newer(object, _version(known))):
                self._objects[name] = object

    def drop(self, name: str, uid: str) -> None:
        """A request of ours was answered that it is not there."""
        with self._lock:
            known = self._objects.get(name)
            if known is not None and known["metadata"].get("uid") == uid:
                del self._objects[name]

    def step(self) -> None:
        """List all where that is due; then follow what changes until the server ends the watch. Raises ApiError."""
        try:
            self._follow()
            self.trouble = ""
        except ApiError as error:
            self.trouble = str(error)
            raise

    def _follow(self) -> None:
        if not self._version:
            self._list()
        query = {**self._query, "resourceVersion": self._version, "allowWatchBookmarks": "true"}
        try:
            events = self._api.watch(self._path, query, WATCH_S)
            self._is_watching = True
            for event in events:
                self._take(event)
                self._heard_at = self._now()
            self._heard_at = self._now()
        except VersionExpired:
            self._version = ""
        finally:
            self._is_watching = False

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
            self._gone.extend(one for name, one in self._objects.items() if name not in found)
            self._objects = found
        self._version = page["metadata"]["resourceVersion"]
        self._heard_at = self._now()
        self._is_filled = True

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
                self._gone.append(object)
        self._version = metadata["resourceVersion"]


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
        pause = 0.0
        while not self._stopped.wait(pause):
            trouble = self._cache.trouble
            try:
                self._cache.step()
                pause = 0.05  # a server that ends each watch at once is not to be asked without a pause
            except ApiError as error:
                if str(error) != trouble:
                    log.warning("%s; it is tried again", error)
                pause = error.retry_after_s or min(max(2 * pause, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                pause *= random.uniform(0.8, 1.2)
            except Exception:
                log.exception("a failure of Pawl's own while following the cluster; going on")
                pause = _LONGEST_PAUSE_S


def _version(object: Object) -> str:
    return str(object["metadata"].get("resourceVersion", ""))


def _is_newer(object: Object, version: str) -> bool:
    """Versions are numbers that grow (KEP-5504); where they were not, the next list sets it right."""
    try:
        return int(_version(object)) > int(version or 0)
    except ValueError:
        return True
