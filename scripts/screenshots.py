"""Makes the README's pictures: a server of made-up models with a day of traffic, looked at by Chromium."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page

from core.traffic.bucket import Bucket, Series, merge
from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram
from core.traffic.resolution import RESOLUTIONS
from registry.registry import Registry
from tests.browsers import browsing, tab
from tests.repos import Repo
from tests.serving import TOKEN, Server, serving

_DAY_S = 24 * 3600
_QUARTER = RESOLUTIONS[1]
_ETLS = '''class Model:
    """{about}"""

    def transform_predict(self, variables: dict) -> dict:
        return {{"score": round({factor} * variables.get("amount", 1) / 1000, 4)}}
'''


@dataclass(frozen=True)
class Invented:
    name: str
    about: str
    team: str
    rate: float
    """Requests a minute at noon."""
    median_ms: float


MODELS = (
    Invented("fraud-score", "Chance that a card payment is disputed", "risk-team", 1278, 11),
    Invented("churn-risk", "Chance that a customer leaves within 90 days", "growth-team", 77, 4),
    Invented("support-routing", "Which queue a ticket belongs to", "support-team", 515, 14),
    Invented("image-tags", "Up to five tags for a product photo", "vision-team", 2274, 9),
    Invented("demand-forecast", "Units sold per store and day, 14 days ahead", "supply-team", 41, 62),
    Invented("price-elasticity", "How demand answers to a change of price", "pricing-team", 65, 240),
)
SUBJECTS = ("Add the model", "Round amounts to cents", "Lower the threshold for small amounts")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        repo, data = Repo(Path(place) / "models"), Path(place) / "data"
        write_models(repo)
        with serving(data, repo.path) as server:
            push(server, repo)
        fill_day(Registry(f"sqlite:///{data / 'registry.db'}", file=data / "registry.db"))
        with serving(data, repo.path) as server:
            server.sync()
            shoot(server, folder)


def write_models(repo: Repo) -> None:
    for model in MODELS:
        commit(repo, model, SUBJECTS[0], 1)


def push(server: Server, repo: Repo) -> None:
    """What happens on a day: two changes of each, one that fails, and a pin."""
    server.sync()
    for number, subject in enumerate(SUBJECTS[1:], 2):
        for model in MODELS[: 4 if number == 3 else 6]:
            commit(repo, model, subject, number)
        server.sync()
    broken = _ETLS.format(about=MODELS[0].about, factor=1).replace("round(", "math.log1p(")
    repo.write("fraud-score/etls.py", broken)
    commit_as(repo, "risk-team", "Use the logarithm of the amount")
    server.sync()
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{server.base}/-/api/models/churn-risk/pin"
    body = {"version": "v2", "reason": "hold until the quarter closes"}
    server.request("PUT", url, headers=headers, json=body)


def commit(repo: Repo, model: Invented, subject: str, factor: int) -> None:
    repo.write(f"{model.name}/etls.py", _ETLS.format(about=model.about, factor=factor))
    repo.write(f"{model.name}/examples.json", json.dumps([{"variables": {"amount": 980, "currency": "EUR"}}]))
    commit_as(repo, model.team, subject)


def commit_as(repo: Repo, team: str, subject: str) -> None:
    """By a team, and now: the tests' own commits are always by the same and of the same time."""
    who = {"GIT_AUTHOR_NAME": team, "GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_NAME": team, "GIT_COMMITTER_EMAIL": ""}
    for words in (["add", "--all"], ["commit", "--quiet", "--message", subject]):
        subprocess.run(["git", "-C", str(repo.path), *words], env={**os.environ, **who}, check=True)


def fill_day(registry: Registry) -> None:
    """A day of traffic: much at noon, little at night, and a bad hour in the morning."""
    chance = random.Random(7)
    now_s = int(time.time())
    first_s = (now_s - _DAY_S) // _QUARTER.step_s * _QUARTER.step_s
    with registry.transaction() as transaction:
        for at_s in range(first_s, now_s, _QUARTER.step_s):
            passed = min(now_s - at_s, _QUARTER.step_s) / _QUARTER.step_s
            found = {Series(model=one.name, version="v2"): quarter(one, at_s, chance, passed) for one in MODELS}
            merged = {**found, Series(model="", version=""): merge(found.values())}
            transaction.traffic.add(f"picture-{at_s}", at_s, merged, _QUARTER)
    registry.close()


def quarter(model: Invented, at_s: int, chance: random.Random, passed: float = 1.0) -> Bucket:
    """`passed`: the share of it that is over."""
    hour = at_s / 3600 % 24
    busy = 0.2 + 0.8 * max(0.0, math.sin((hour - 6) / 24 * 2 * math.pi + 0.6)) ** 0.7
    requests = int(model.rate * 15 * passed * busy * chance.uniform(0.9, 1.1))
    share = 0.02 if 8 <= hour < 9 else 0.0005
    failed, refused = int(requests * share), int(requests * 0.004)
    slow = 1.7 if 8 <= hour < 14 else 1.0
    durations = histogram([model.median_ms * slow * chance.lognormvariate(0, 0.6) for _ in range(400)], requests)
    return Bucket({200: requests - failed - refused, 422: refused, 500: failed}, durations)


def histogram(milliseconds: list[float], count: int) -> Histogram:
    """As many values as were counted, spread as the sample is."""
    counts: dict[int, int] = {}
    for value in milliseconds:
        index = next(at for at, bound in enumerate(DURATION_BOUNDS_NS) if value * 1e6 <= bound)
        counts[index] = counts.get(index, 0) + max(count // len(milliseconds), 1)
    total = sum(int(value * 1e6) for value in milliseconds) * max(count // len(milliseconds), 1)
    return Histogram(counts, total)


def shoot(server: Server, folder: Path) -> None:
    pages = {
        "catalogue": "/-/?open=fraud-score",
        "dashboard": "/-/models/fraud-score",
        "monitoring": "/-/monitoring?range=24h",
    }
    with browsing() as browser, tab(browser, TOKEN, color_scheme="light") as here:
        server.wait(lambda: shows_traffic(here.page, server), "traffic")
        for name, path in pages.items():
            here.page.goto(f"{server.base}{path}")
            here.page.wait_for_load_state("networkidle")
            here.page.screenshot(path=folder / f"{name}.png")


def shows_traffic(page: Page, server: Server) -> bool:
    page.goto(f"{server.base}/-/")
    return page.locator(".spark[aria-label^='Requests']").count() > 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
