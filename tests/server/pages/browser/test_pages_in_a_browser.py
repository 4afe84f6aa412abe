"""Every page: accessible (WCAG 2.2 AA), within its policy, no wider than the screen; strangers' text stays text."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsers import tab
from tests.server.pages.browser.conftest import EVIL, Site
from tests.serving import TOKEN

AXE = (Path(__file__).with_name("axe") / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
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


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_violates_wcag(browser: Browser, site: Site, scheme: str, width: int) -> None:
    found = {}
    with tab(browser, TOKEN, width=width, color_scheme=scheme, bypass_csp=True) as here:
        for path in PAGES:
            here.page.goto(site.url(path))
            here.page.evaluate(AXE)
            result = here.page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", TAGS)
            assert result["passes"]
            if result["violations"]:
                found[path] = [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]]
    assert found == {}


@pytest.mark.parametrize("width", [1280, 720, 360])
def test_no_page_breaks_its_policy_or_scrolls_sideways(browser: Browser, site: Site, width: int) -> None:
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    with tab(browser, TOKEN, width=width) as here:
        for path in PAGES:
            answer = here.page.goto(site.url(path))
            assert answer is not None
            assert "unsafe-" not in answer.headers["content-security-policy"]
            here.page.wait_for_load_state("networkidle")
            assert here.violations == [], path
            assert not here.page.evaluate(wide), path
        assert [line for line in here.trouble if "404" not in line] == []


def test_the_documentation_of_the_api_works_within_its_policy(browser: Browser, site: Site) -> None:
    with tab(browser, TOKEN) as here:
        answer = here.page.goto(f"{site.server.base}/docs")
        assert answer is not None
        assert "unsafe-" not in answer.headers["content-security-policy"]
        here.page.locator(".opblock-summary-control").first.click(no_wait_after=True)
        here.page.locator(".opblock-body").first.wait_for()
        assert here.violations == []


def test_what_strangers_wrote_stays_text(browser: Browser, site: Site) -> None:
    seen = ""
    with tab(browser, TOKEN) as here:
        for path in (*PAGES, "/../"):
            here.page.goto(site.url(path))
            assert here.page.evaluate("window.pwned") is None, path
            assert here.page.locator("img[src=x]").count() == 0, path
            assert here.page.locator("b:text-is('folder')").count() == 0, path
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
