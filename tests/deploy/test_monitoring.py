"""The dashboard and the alerts ask for metrics that there are, by labels that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import Histogram
from registry.registry import Registry
from server.traffic.metrics.happenings import Happenings
from server.traffic.metrics.metrics import Metrics
from server.traffic.metrics.system_families import system_families
from server.traffic.system import Followed, SystemReader
from server.traffic.traffic import Traffic
from tests.server.states import live, model, state
from worker.wire.messages import Merging

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
_METRIC = re.compile(r"\bpawl_\w+")
_SELECTOR = re.compile(r"\b(pawl_\w+)\{([^}]*)\}")
_OURS = frozenset({"instance"})
"""A label that Prometheus adds."""


def expressions(found: Any) -> Iterator[str]:
    """Every query in a document."""
    match found:
        case dict():
            for key, value in found.items():
                if key in ("expr", "query") and isinstance(value, str):
                    yield value
                else:
                    yield from expressions(value)
        case list():
            for value in found:
                yield from expressions(value)


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each name that is exposed, as a scrape finds them."""
    traffic, happenings = Traffic(), Happenings(lambda _: None)
    traffic.add(Series("M", "v1"), Bucket({200: 1}, *(Histogram({0: 1}, 1),) * 3))
    registry = Registry(f"sqlite:///{tmp_path_factory.mktemp('data') / 'registry.db'}")
    system = SystemReader(
        followed=lambda: Followed(ready=True, source="", problem=None, seen_at=0.0),
        gateways=list,
        pools=list,
        registry=registry,
        database_url="sqlite:",
    )
    session = Merging(session="s", merged=True, why="", provider="CPUExecutionProvider")
    serving = state(model("M", live(sessions=(session,))))
    metrics = Metrics(
        lambda: serving, list, traffic.totals, dict, lambda memory: system_families(system, happenings, memory)
    )
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        for end in ends:
            found[family.name + end] = set()
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def dashboard() -> Any:
    return json.loads((MONITORING / "dashboard.json").read_text())


def rules() -> Any:
    return yaml.safe_load((MONITORING / "rules.yaml").read_text())


@pytest.mark.parametrize("document", [dashboard(), rules()], ids=["dashboard", "rules"])
def test_every_metric_exists_and_has_the_labels_that_are_asked_for(document: Any, exposed: dict[str, set[str]]) -> None:
    asked = [expression for expression in expressions(document) if "pawl_" in expression]
    assert len(asked) > 5
    for expression in asked:
        assert set(_METRIC.findall(expression)) <= exposed.keys(), expression
        for name, selector in _SELECTOR.findall(expression):
            labels = set(re.findall(r"(\w+)\s*=", selector)) - _OURS
            assert not exposed[name] or labels <= exposed[name], expression


def test_every_alert_says_what_happened_and_where_to_look() -> None:
    [group] = rules()["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_panels_do_not_overlap() -> None:
    places = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24
                assert (x, y) not in places, panel["title"]
                places.add((x, y))
