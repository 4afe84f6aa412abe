"""How much a page and what it needs weigh, as a browser gets them."""

from __future__ import annotations

import asyncio
import gzip
import math
from datetime import UTC, datetime, timedelta

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.pages.catalogue.catalogue_pages import filters
from server.pages.catalogue.rows import listing
from server.pages.facts import CommitText, DayTraffic, ModelFacts
from server.pages.layout.address import addresses
from server.pages.layout.renderer import Renderer
from server.pages.static import Static
from tests.server.states import failure, live, model, state

NOW = datetime(2026, 3, 12, 14, 30, tzinfo=UTC)
ASSETS = ("pawl.css", "pawl.js", "htmx.min.js", "hx-csp.min.js", "uPlot.min.css", "uPlot.iife.min.js", "monitoring.js")


def facts(number: int) -> ModelFacts:
    """A model unlike the others, busy, and some of them failed."""
    name = f"model-{number * 7919 % 10_007:05d}-{'abcdefghij'[number % 10] * 3}"
    rates = tuple(1000 * (1 + math.sin(number + at / 9)) + (at * 7919 * number) % 97 for at in range(97))
    failed = failure("no") if number < 5 else None
    about = f"What {name} tells of a customer, {number} days ahead"
    pushed = NOW - timedelta(hours=number)
    return ModelFacts(
        state=model(name, live(about=about), failed=failed),
        commit=CommitText(f"Change number {number * 31} of {name}", f"team-{number % 17}", pushed),
        live_since=NOW - timedelta(minutes=number * 13),
        day=DayTraffic(rates=rates, swaps=(0.3,), requests=10**6, errors=number, p95_ms=number + 0.5),
    )


def catalogue(count: int) -> bytes:
    renderer = Renderer("/models_serve", state, Static(), lambda _: True)

    async def show(request: Request) -> Response:
        found = listing([facts(number) for number in range(count)], NOW)
        values = {
            "listing": found,
            "total": count,
            "filters": filters(found),
            "q": "",
            "state": "",
            "open": "",
            "last_versions": (),
            "left_out": {},
            "address": addresses({}),
        }
        return renderer.render(request, "catalogue/catalogue.html", values, here="models")

    async def ask() -> bytes:
        app = Starlette(routes=[Route("/", show)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return (await client.get("/")).content

    return asyncio.run(ask())


def test_the_catalogue_of_200_models_weighs_at_most_40_kb() -> None:
    page = catalogue(200)
    assert page.count(b'<tbody role="rowgroup" data-model=') == 100
    assert len(gzip.compress(page)) <= 40_000


def test_what_pages_need_weighs_at_most_60_kb() -> None:
    static = Static()
    assert sum(static.packed_size(name) for name in ASSETS) <= 60_000
