"""A route table made ready for the hot path: everything that can be computed before a request comes is."""

from __future__ import annotations

from collections.abc import Mapping

from core.traffic.bucket import Series, Stage
from gateway.counts import Counts, Tally
from gateway.http.headers import encode_headers
from gateway.http.refusals import JSON_TYPE, NO_STORE
from gateway.messages import Route, Table
from gateway.routes.keys import Callers
from gateway.workers.links import WorkerLinks


class Target:
    """Where a path leads."""

    __slots__ = ("get_headers", "headers", "links", "max_queue", "model", "takes_any_type", "tally", "timeout_ns")

    def __init__(self, route: Route, links: WorkerLinks, tally: Tally) -> None:
        self.model = route.model
        self.links = links
        self.tally = tally
        self.timeout_ns = int(route.timeout_s * 1e9)
        self.max_queue = route.max_queue
        self.takes_any_type = route.takes_any_type
        self.headers = encode_headers(
            [
                JSON_TYPE,
                (b"x-pawl-model", route.model.encode()),
                (b"x-pawl-version", route.version.encode()),
                (b"x-pawl-commit", route.commit.encode()),
                (b"x-pawl-role", tally.series.role.encode()),
                *([(b"x-pawl-run", route.run.encode())] if route.run else []),
            ]
        )
        """Those of an answer, as lines."""
        self.get_headers = self.headers + encode_headers([NO_STORE])


class RouteTable:
    """What one table says. Replaced whole, so that every request sees one table or the next, never a mixture."""

    def __init__(
        self, base: str, table: Table, links: Mapping[str, WorkerLinks], counts: Counts, callers: Callers | None = None
    ) -> None:
        self.table = table
        self.callers = callers
        """None: models are open."""
        self.live = {model: _target(route, links, counts) for model, route in sorted(table.live.items())}
        """By model."""
        self.targets: dict[bytes, Target] = {}
        """By path, as it comes in a URL that has nothing to decode."""
        for model, target in self.live.items():
            self._add(f"{base}/{model}", target)
            if names := _names(table.live[model]):
                named = _target(table.live[model], links, counts, Stage.VERSION)
                for name in names:
                    self._add(f"{base}/{name}", named)
        for name, route in table.versions.items():
            self._add(f"{base}/{name}", _target(route, links, counts, Stage.VERSION, _counted_as(route, name)))

    def _add(self, path: str, target: Target) -> None:
        self.targets[path.encode()] = self.targets[path.encode() + b"/"] = target


def _target(
    route: Route, links: Mapping[str, WorkerLinks], counts: Counts, stage: Stage = Stage.API, version: str = ""
) -> Target:
    """`version`: what it is counted as, where not as its own."""
    series = Series(route.model, version or route.version, stage, route.commit, route.run)
    return Target(route, links.get(route.pool, WorkerLinks()), counts.tally(series))


def _counted_as(route: Route, name: str) -> str:
    """Asked for by its run, a release is told apart from others that go by the same version."""
    return f"run-{route.run}" if name.startswith(f"{route.model}/run-") else ""


def _names(route: Route) -> tuple[str, ...]:
    """What a live release goes by, besides its model's name, without being asked for: a prefix of its commit might be
    another's as well.

    One of an artifact has no other names: its version has another artifact once a newer one is accepted.
    """
    return () if route.run else (f"{route.model}/{route.version}", f"{route.model}/{route.commit}")
