"""A real browser for tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

_PATIENCE_MS = 60_000
"""For a machine that does much else meanwhile."""
expect.set_options(timeout=_PATIENCE_MS)

_FLAGS = ("--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking")
_REPORT = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@contextmanager
def browsing() -> Iterator[Browser]:
    """Skips by name where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NO chromium HERE: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


class Tab:
    """A page that keeps what goes wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.trouble: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(message.text)

    @property
    def violations(self) -> list[str]:
        """Of the Content Security Policy."""
        return list(self.page.evaluate("window.violations"))


@contextmanager
def tab(browser: Browser, token: str, *, width: int = 1280, **options: Any) -> Iterator[Tab]:
    """A tab of a browser that sends `token` as a key. `options`: those of Playwright's contexts."""
    headers = {"Authorization": f"Bearer {token}"}
    viewport = {"width": width, "height": 800}
    context = browser.new_context(extra_http_headers=headers, viewport=viewport, reduced_motion="reduce", **options)
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(_REPORT)
    try:
        yield Tab(context.new_page())
    finally:
        context.close()
