"""A catalogue of hundreds of models, which comes as one scrolls."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount

from core.settings.reading import read_settings
from server.http.access import Access
from server.pages.catalogue.catalogue_pages import CataloguePages
from server.pages.facts import ModelFacts
from server.pages.layout.renderer import Renderer
from server.pages.static import Static
from tests.browsers import tab
from tests.server.pages.test_sizes import facts
from tests.server.states import state
from tests.serving import TOKEN
from tests.waiting import wait_for

BASE = "/models_serve"
MANY = 230
TROUBLED = 5


async def many() -> Sequence[ModelFacts]:
    return [facts(number) for number in range(MANY)]


def application() -> Starlette:
    static = Static()
    pages = CataloguePages(
        BASE,
        Access(read_settings({"ADMIN_TOKEN": TOKEN})),
        Renderer(BASE, state, static, lambda request: True),
        state,
        many,
        lambda: None,
        None,  # type: ignore[arg-type]  # no row is opened
        is_folder=False,
    )
    return Starlette(routes=[Mount(BASE, routes=[*pages.routes(), *static.routes()])])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    config = uvicorn.Config(application(), port=0, log_level="critical", lifespan="off", loop="asyncio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, "the pages", alive=thread.is_alive)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{BASE}/-/"
    finally:
        server.should_exit = True
        thread.join()


def names(page: Page) -> list[str]:
    return page.locator(".models .name").all_inner_texts()


def sorted_names() -> list[str]:
    """Those that need a look first."""
    return [
        *sorted(facts(number).name for number in range(TROUBLED)),
        *sorted(facts(number).name for number in range(TROUBLED, MANY)),
    ]


def test_rows_come_as_one_scrolls_and_groups_begin_once(browser: Browser, url: str) -> None:
    with tab(browser, TOKEN) as here:
        here.page.goto(url)
        rows = here.page.locator(".models .name")
        for count in (100, 200, MANY):
            expect(rows).to_have_count(count)
            here.page.locator(".models tbody").last.scroll_into_view_if_needed()
        assert names(here.page) == sorted_names()
        assert here.page.locator(".models .group").all_inner_texts() == ["Needs a look · 5", "Live · 225"]
        assert (here.trouble, here.violations) == ([], [])


def test_without_a_script_a_link_leads_on(browser: Browser, url: str) -> None:
    with tab(browser, TOKEN, java_script_enabled=False) as here:
        here.page.goto(url)
        found = names(here.page)
        for _ in range(2):
            with here.page.expect_navigation():
                here.page.get_by_role("link", name="The next models").click()
            found += names(here.page)
        assert found == sorted_names()
        assert here.page.get_by_role("link", name="The next models").count() == 0


def test_a_search_finds_among_all_of_them(browser: Browser, url: str) -> None:
    wanted = sorted_names()[-1]
    with tab(browser, TOKEN) as here:
        here.page.goto(url)
        here.page.get_by_label("Search models").press_sequentially(wanted, delay=5)
        expect(here.page.locator(".models .name")).to_have_text([wanted])
