"""What an operator does in a browser, with JavaScript and without."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import Tab, tab
from tests.server.pages.browser.conftest import Site
from tests.serving import TOKEN, echo


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def here(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Tab]:
    with tab(browser, TOKEN, java_script_enabled=request.param) as opened:
        yield opened
        assert [line for line in opened.trouble if "status of 4" not in line] == []


@pytest.fixture
def scripted(browser: Browser) -> Iterator[Tab]:
    with tab(browser, TOKEN) as opened:
        yield opened
        assert [line for line in opened.trouble if "status of 4" not in line] == []


def names(page: Page) -> list[str]:
    return page.locator(".models .name").all_inner_texts()


def test_trouble_comes_first(here: Tab, site: Site) -> None:
    here.page.goto(site.url())
    assert names(here.page)[:2] == ["broken", "fraud"]
    assert here.page.locator(".models .group").first.inner_text().startswith("Needs a look · 2")


def test_a_search_finds_and_its_address_finds_again(here: Tab, site: Site) -> None:
    here.page.goto(site.url())
    here.page.get_by_label("Search models").fill("plain")
    here.page.keyboard.press("Enter")
    expect(here.page.locator(".models .name")).to_have_count(3)
    expect(here.page).to_have_url(re.compile(r"q=plain"))
    here.page.goto(here.page.url)
    assert names(here.page) == ["plain-0", "plain-1", "plain-2"]
    here.page.goto(site.url("/?q=nothing-like-it"))
    here.page.get_by_role("link", name="Show all").click()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("8 models")


def test_a_search_finds_as_one_types_and_keeps_the_focus(scripted: Tab, site: Site) -> None:
    scripted.page.goto(site.url())
    search = scripted.page.get_by_label("Search models")
    search.press_sequentially("plain-1", delay=20)
    expect(scripted.page.locator(".models .name")).to_have_text(["plain-1"])
    expect(search).to_be_focused()
    expect(scripted.page).to_have_url(re.compile(r"q=plain-1"))


def test_a_row_opens_and_closes(here: Tab, site: Site) -> None:
    here.page.goto(site.url())
    switch = here.page.get_by_role("button", name="Last versions of fraud")
    expect(switch).to_have_attribute("aria-expanded", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-expanded", "true")
    expect(here.page).to_have_url(re.compile("open=fraud"))
    expect(here.page.get_by_text("pawl versions fraud", exact=True)).to_be_visible()
    switch.click()
    expect(switch).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_row_opens_and_closes_by_the_keyboard_which_stays_there(scripted: Tab, site: Site, key: str) -> None:
    scripted.page.goto(site.url())
    switch = scripted.page.get_by_role("button", name="Last versions of fraud")
    switch.focus()
    for is_open in ("true", "false"):
        scripted.page.keyboard.press(key)
        expect(switch).to_have_attribute("aria-expanded", is_open)
        expect(switch).to_be_focused()


def test_a_failure_is_told_with_its_traceback_and_tried_again(here: Tab, site: Site) -> None:
    here.page.goto(site.url())
    row = here.page.locator("tbody[data-model=fraud]")
    expect(row.get_by_text("v2 failed at load")).to_be_visible()
    row.get_by_role("link", name="See the failure").click()
    expect(here.page.get_by_role("heading", name="Newest failure")).to_be_visible()
    expect(here.page.locator("pre mark").first).to_contain_text("etls.py")
    before = len(site.server.events("failed"))
    here.page.get_by_role("button", name="Retry v2").click()
    expect(here.page.get_by_text("Retry: failed.")).to_be_visible()
    site.server.wait(lambda: len(site.server.events("failed")) > before, "another failure")


def test_a_model_is_asked_by_a_form(here: Tab, site: Site) -> None:
    here.page.goto(site.url("/models/typed"))
    here.page.get_by_role("link", name="Try it").first.click()
    expect(here.page.get_by_label("amount")).to_have_value("980")
    here.page.get_by_label("amount").fill("much")
    here.page.get_by_role("button", name="Ask typed").click()
    expect(here.page.get_by_text("'much' was sent; it takes a number")).to_be_visible()
    here.page.get_by_label("amount").fill("250")
    here.page.get_by_role("button", name="Ask typed").click()
    expect(here.page.get_by_label("Answer")).to_contain_text('"chance": 0.25')
    here.page.get_by_role("link", name="Edit as JSON").click()
    here.page.get_by_label("variables", exact=True).fill('{"amount": 500}')
    here.page.get_by_role("button", name="Ask typed").click()
    expect(here.page.get_by_label("Answer")).to_contain_text("error")


def test_a_version_is_rolled_back_accepted_pinned_and_unpinned(here: Tab, site: Site) -> None:
    live = here.page.locator(".say b").first
    here.page.goto(site.url("/models/steered"))
    expect(live).to_have_text("v2")
    here.page.get_by_role("link", name="Roll back…", exact=True).click()
    expect(here.page.get_by_role("heading", name="Roll back steered to v1?")).to_be_visible()
    expect(here.page.get_by_text("1 commit stops answering")).to_be_visible()
    expect(here.page.get_by_text("The next push will go live.")).to_be_visible()
    expect(here.page.get_by_text("pawl rollback steered --to v1 --expect v2")).to_be_visible()
    here.page.get_by_label("Why").fill("too slow <b>at noon</b>")
    here.page.get_by_role("button", name="Roll back to v1").click()
    expect(here.page.get_by_text("Rollback v1: done.")).to_be_visible()
    expect(live).to_have_text("v1")
    assert site.server.score("steered", say=1) == {"said": 1, "by": "v1"}
    here.page.get_by_role("link", name="Accept… v2").click()
    here.page.get_by_label("Why").fill("fast again")
    here.page.get_by_role("button", name="Accept v2").click()
    expect(live).to_have_text("v2")
    here.page.get_by_role("link", name="Pin… v1").click()
    expect(here.page.get_by_text("The next push will not go live.")).to_be_visible()
    here.page.get_by_label("Why").fill("until the quarter closes")
    here.page.get_by_role("button", name="Pin v1").click()
    expect(live).to_have_text("v1")
    expect(here.page.get_by_text("“until the quarter closes”. Newer versions wait.")).to_be_visible()
    here.page.get_by_role("link", name="Unpin…").click()
    here.page.get_by_label("Why").fill("it has closed")
    here.page.get_by_role("button", name="Unpin steered").click()
    expect(live).to_have_text("v2")


def test_a_model_is_edited_and_another_folder_is_uploaded(here: Tab, site: Site) -> None:
    page, about = here.page, f"Says what it is told, {site.repo.head[:7]}"
    page.goto(site.url("/models/plain-2/configuration"))
    page.get_by_role("link", name="Edit…").click()
    page.get_by_label("replicas").fill("many")
    page.get_by_label("Why").fill("so that it is found")
    page.get_by_role("button", name="Commit the change").click()
    expect(page.get_by_text("'many' was sent; it takes a whole number from 1 to 64")).to_be_visible()
    page.get_by_label("replicas").fill("")
    page.get_by_label("description").fill(about)
    page.get_by_role("button", name="Commit the change").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Configuration")).to_be_visible()
    assert about in site.repo.git("show", "HEAD:plain-2/model.yaml")
    page.get_by_role("link", name="Upload another folder…").click()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("etls.py", echo(about))
    page.get_by_label("Zip", exact=True).set_input_files(
        [{"name": "plain-2.zip", "mimeType": "application/zip", "buffer": held.getvalue()}]
    )
    page.get_by_label("Why").fill("another one")
    page.get_by_role("button", name="Upload the zip").click(timeout=60_000)
    expect(page.get_by_role("heading", name="plain-2", exact=True)).to_be_visible()
    assert about in site.repo.git("show", "HEAD:plain-2/etls.py")


def test_a_key_is_made_and_revoked_after_a_question(here: Tab, site: Site) -> None:
    page = here.page
    page.goto(site.url("/keys"))
    page.get_by_label("Name").fill("shop <b>one</b>")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("Copy it now.")).to_be_visible()
    page.goto(site.url("/keys"))
    expect(page.get_by_role("button", name="Revoke shop")).not_to_be_visible()
    page.get_by_text("Revoke… shop").press("Enter")
    expect(page.get_by_text(re.compile("pawl keys revoke .{12}"))).to_be_visible()
    page.get_by_role("button", name="Revoke shop").click()
    expect(page.get_by_text("Nobody has made a key yet.")).to_be_visible()


def test_what_has_changed_meanwhile_is_not_acted_on(scripted: Tab, site: Site) -> None:
    scripted.page.goto(site.url("/models/steered/actions/rollback"))
    scripted.page.evaluate("document.querySelector('[name=expect]').value = 'v1'")
    scripted.page.get_by_label("Why").fill("too slow")
    scripted.page.get_by_role("button", name="Roll back to v1").click()
    expect(scripted.page.get_by_text("Not done.")).to_be_visible()
    expect(scripted.page.get_by_label("Why")).to_have_value("too slow")


def test_the_label_of_a_swap_leads_to_the_ledger(here: Tab, site: Site) -> None:
    here.page.goto(site.url("/monitoring?range=1h&model=fraud"))
    here.page.get_by_role("link", name=re.compile("fraud v1 went live at .*: its deployments")).click()
    expect(here.page.get_by_role("heading", name="Deployments")).to_be_visible()
    expect(here.page).to_have_url(re.compile("/models/fraud/deployments$"))


def test_a_choice_of_colours_is_kept(here: Tab, site: Site) -> None:
    here.page.goto(site.url("/events?kind=live"))
    here.page.get_by_label("Colours").select_option("dark")
    if here.page.get_by_role("button", name="Set the colours").is_visible():
        here.page.get_by_role("button", name="Set the colours").click()
    expect(here.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(here.page).to_have_url(site.url("/events?kind=live"))
    here.page.goto(site.url())
    expect(here.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_events_are_filtered_by_their_address(here: Tab, site: Site) -> None:
    here.page.goto(site.url("/events"))
    here.page.get_by_label("Model", exact=True).fill("fraud")
    here.page.get_by_label("Kind").select_option("failed")
    here.page.get_by_role("button", name="Show").click()
    expect(here.page).to_have_url(re.compile("model=fraud&kind=failed"))
    texts = here.page.locator("#lines tr td:nth-child(3)").all_inner_texts()
    assert set(texts) == {"fraud"}


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(scripted: Tab, site: Site) -> None:
    scripted.page.goto(site.url())
    scripted.page.keyboard.press("Tab")
    expect(scripted.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    scripted.page.keyboard.press("Enter")
    expect(scripted.page.locator("#main")).to_be_focused()


def test_a_question_is_answered_and_left_by_the_keyboard(scripted: Tab, site: Site) -> None:
    page = scripted.page
    page.goto(site.url("/models/steered/actions/pin?version=v1"))
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.type("until noon")
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert stops == ["Copy", "Pin v1", "Cancel"]
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/models/steered$"))
