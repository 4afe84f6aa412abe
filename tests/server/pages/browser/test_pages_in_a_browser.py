"""Every page: accessible (WCAG 2.2 AA), within its policy, no wider than the screen; strangers' text stays text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsers import Tab, tab
from tests.repos import Repo
from tests.server.pages.browser.conftest import EVIL, LONG, Site
from tests.serving import TOKEN, serving

AXE = (Path(__file__).with_name("axe") / "axe.min.js").read_text()
ALL_OF_WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
WIDTHS = (1280, 720, 360)
SCROLLS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = (
    "/",
    "/?open=fraud",
    "/models/typed",
    "/models/fraud",
    "/models/broken",
    "/models/nobody",
    "/models/typed/try",
    "/models/typed/runs",
    "/models/typed/configuration",
    "/models/typed/edit",
    "/models/steered/versions",
    "/models/steered/compare",
    "/models/steered/deployments",
    "/models/typed/logs",
    "/models/steered/actions/rollback",
    "/models/steered/actions/pin?version=v1",
    "/models/typed/delete",
    "/upload?model=typed",
    "/keys",
    "/monitoring?range=1h",
    "/events",
)


LONG_NAMES = (f"/models/{LONG}", f"/models/{LONG}/try", f"/models/{LONG}/delete", f"/monitoring?range=1h&model={LONG}")


@pytest.fixture(scope="module")
def axed(browser: Browser) -> Iterator[Tab]:
    with tab(browser, TOKEN, bypass_csp=True) as here:
        yield here


@pytest.fixture(scope="module")
def narrowed(browser: Browser) -> Iterator[Tab]:
    with tab(browser, TOKEN) as here:
        yield here


def violations(page: Page, only: Mapping[str, object]) -> list[tuple[str, str]]:
    result = page.evaluate("runOnly => axe.run({runOnly})", only)
    assert result["passes"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_violates_wcag(axed: Tab, site: Site, path: str) -> None:
    """Wide and narrow; of the dark theme no more than what colours can violate."""
    page = axed.page
    page.emulate_media(color_scheme="light")
    page.goto(site.url(path))
    page.evaluate(AXE)
    found = {}
    for width, scheme, only in ((400, "light", ALL_OF_WCAG), (1280, "light", ALL_OF_WCAG), (1280, "dark", COLOURS)):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found[scheme, width] = violations(page, only)
    assert not any(found.values()), found


@pytest.mark.parametrize("path", [*PAGES, *LONG_NAMES])
def test_no_page_breaks_its_policy_or_scrolls_sideways(narrowed: Tab, site: Site, path: str) -> None:
    page = narrowed.page
    narrowed.trouble.clear()
    answer = page.goto(site.url(path))
    assert answer is not None
    assert "unsafe-" not in answer.headers["content-security-policy"]
    page.wait_for_load_state("networkidle")
    assert narrowed.violations == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert not page.evaluate(SCROLLS), width
    assert [line for line in narrowed.trouble if "404" not in line] == []
    assert_text_stays_text(page)


def test_what_is_shown_before_the_first_model_is_accessible_and_no_wider_than_the_screen(
    browser: Browser, tmp_path: Path
) -> None:
    repo = Repo(tmp_path / "empty")
    repo.write("README.md", "nothing yet").commit()
    with serving(tmp_path / "data", repo.path, ready=False) as server, tab(browser, TOKEN, bypass_csp=True) as here:
        for path in ("", "monitoring", "events", "keys"):
            here.page.goto(f"{server.base}/-/{path}")
            for width in WIDTHS:
                here.page.set_viewport_size({"width": width, "height": 800})
                assert not here.page.evaluate(SCROLLS), (path, width)
            here.page.evaluate(AXE)
            assert violations(here.page, ALL_OF_WCAG) == []


def assert_text_stays_text(page: Page) -> None:
    """What strangers wrote."""
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("b:text-is('folder')").count() == 0


def test_the_documentation_of_the_api_works_within_its_policy(browser: Browser, site: Site) -> None:
    with tab(browser, TOKEN) as here:
        answer = here.page.goto(f"{site.server.base}/docs")
        assert answer is not None
        assert "unsafe-" not in answer.headers["content-security-policy"]
        here.page.locator(".opblock-summary-control").first.click(no_wait_after=True)
        here.page.locator(".opblock-body").first.wait_for()
        assert here.violations == []


def test_what_the_documentation_says_first_can_be_read_in_both_themes(axed: Tab, site: Site) -> None:
    """The rest of it is as swagger-ui has it."""
    page = axed.page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{site.server.base}/docs")
        page.locator(".info .version").first.wait_for()
        page.evaluate(AXE)
        result = page.evaluate("runOnly => axe.run('.info', {runOnly})", COLOURS)
        assert result["passes"]
        assert [node["html"] for one in result["violations"] for node in one["nodes"]] == [], scheme


@pytest.mark.parametrize(("theme", "is_dark"), [("dark", True), ("light", False), ("system", True)])
def test_the_documentation_has_the_colours_that_were_chosen(
    browser: Browser, site: Site, theme: str, is_dark: bool
) -> None:
    with tab(browser, TOKEN, color_scheme="dark" if theme != "dark" else "light") as here:
        here.page.context.add_cookies([{"name": "pawl_theme", "value": theme, "url": site.server.base}])
        here.page.goto(f"{site.server.base}/docs")
        here.page.locator(".info .version").first.wait_for()
        assert here.page.evaluate("document.documentElement.classList.contains('dark-mode')") is is_dark


def test_what_strangers_wrote_stays_text(browser: Browser, site: Site) -> None:
    seen = ""
    with tab(browser, TOKEN) as here:
        for path in ("/../", "/models/typed", "/models/steered/versions"):
            here.page.goto(site.url(path))
            assert_text_stays_text(here.page)
            seen += here.page.inner_text("body")
        here.page.goto(site.url("/models/typed/try"))
        here.page.get_by_role("button", name="Ask typed").click()
        here.page.get_by_label("Answer").wait_for()
        assert here.page.evaluate("window.pwned") is None
        assert here.page.locator("img[src=x]").count() == 0
    assert EVIL in seen


def test_a_page_injects_nothing_that_htmx_would_do(browser: Browser, site: Site) -> None:
    """Without the nonce of its answer, an element is stripped of what htmx would do for it."""
    with tab(browser, TOKEN) as here:
        here.page.goto(site.url())
        here.page.evaluate(
            """() => {
              const injected = document.createElement("button");
              injected.id = "injected";
              injected.setAttribute("hx-get", "/anywhere");
              document.body.append(injected);
              htmx.process(injected);
            }"""
        )
        assert here.page.locator("#injected").get_attribute("hx-get") is None
