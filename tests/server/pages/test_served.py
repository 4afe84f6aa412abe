from __future__ import annotations

import asyncio
import html
import itertools
import json
import re
import shlex
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from core.runs.states import Reason, RunState
from server.http.content_negotiation import prefers_html
from server.pages.layout.renderer import Renderer
from server.pages.pages import Pages
from server.pages.static import Static
from server.state import ServerState
from tests.server.states import COMMIT, failure, live, model, state
from trainer.catalogue.views import RunView

BASE = "/models_serve"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
EVIL = """</p><script>alert(1)</script><img src="x" onerror='alert(2)'>{{ 7 * 7 }}"""


class Client:
    """Asks the pages of a server that stands as `what` says."""

    def __init__(self, what: ServerState, base: str = BASE, *, may_read: bool = True) -> None:
        static = Static()
        pages = Pages(base, lambda: what, static, Renderer(base, lambda: what, static, lambda _: may_read))
        self._app = Starlette(
            routes=[Route(base, pages.index), Mount(base, routes=pages.routes())] if base else pages.routes()
        )

    def get(self, path: str, headers: Mapping[str, str] = {}) -> httpx.Response:
        return asyncio.run(self._get(path, headers))

    async def _get(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://models.example.org:8000") as client:
            return await client.get(path, headers=headers)


def page(what: ServerState, base: str = BASE, path: str = "/", **headers: str) -> str:
    """A page as a browser gets it."""
    answer = Client(what, base).get(f"{base}{path}", headers={"accept": BROWSER, **headers})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


class Tags(HTMLParser):
    """The tags of a page and their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[str]:
        """But for those within the page."""
        found = [given[name] for _, given in self.tags for name in ("href", "src", "data-url") if name in given]
        return [link for link in found if not link.startswith("#")]


def commands(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", text, re.DOTALL)]


def test_a_browser_gets_a_page_and_a_program_gets_json() -> None:
    what = state(model("Iris", live(about="Which iris is it?")))
    assert "<h2>Iris</h2>" in page(what)
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.9", ""):
        answer = Client(what).get(f"{BASE}/", headers={"accept": accept})
        assert answer.json() == {
            "models": {
                "Iris": {
                    "url": f"{BASE}/Iris",
                    "live": True,
                    "version": "v3",
                    "commit": COMMIT,
                    "description": "Which iris is it?",
                }
            }
        }


def test_both_are_there_without_the_slash_too() -> None:
    here = Client(state(model("Iris", live())))
    assert here.get(BASE, headers={"accept": BROWSER}).status_code == 200
    assert here.get(BASE).json()["models"]


@pytest.mark.parametrize(
    ("accept", "html_is_preferred"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML;Q=0.5", True),
        ("text/*", True),
        ("text/html;level=1", True),
        ("text/html;q=0.4, application/json;q=0.5", False),
        ("text/html, application/json", False),
        ("text/html;q=0, */*", False),
        ("application/json;q=0.1, */*;q=0.2", True),
        ("application/*;q=0.9, text/html", True),
        ("*/*", False),
        ("image/png", False),
        ("", False),
        (";;,,q=1,/", False),
    ],
)
def test_a_page_goes_to_who_likes_html_better_than_json(accept: str, html_is_preferred: bool) -> None:
    assert prefers_html(accept) is html_is_preferred


ranges = st.builds(
    lambda media, quality: f"{media};q={quality}",
    st.sampled_from(["text/html", "text/*", "application/json", "application/*", "*/*", "image/png"]),
    st.sampled_from(["0", "0.3", "0.7", "1", "1.000"]),
)


@given(st.lists(ranges, max_size=4))
def test_the_order_of_what_is_accepted_does_not_matter(found: list[str]) -> None:
    assert len({prefers_html(", ".join(order)) for order in itertools.permutations(found)}) == 1


@given(st.text())
def test_nothing_that_is_sent_as_accepted_breaks_it(accept: str) -> None:
    prefers_html(accept)


def test_a_live_model_is_shown_with_version_commit_and_description() -> None:
    text = Tags(page(state(model("Iris", live(about="Which iris is it?"))))).text
    assert "Iris v3 0123456 live" in text
    assert "Which iris is it?" in text


def test_a_failed_push_is_shown_with_its_message_and_never_its_traceback() -> None:
    failed = failure("etls.py, line 3: no class", detail="Traceback (most recent call last)")
    what = page(state(model("Iris", live(), failed=failed), model("New", None, failed=failed)))
    assert "etls.py, line 3: no class" in what
    assert "Traceback" not in what
    assert "v3 goes on answering." in what
    assert "Nothing answers." in what


def test_what_is_on_its_way_is_shown() -> None:
    what = state(model("Iris", live(), doing="load"), model("New", None, doing="building the environment (pandas)…"))
    text = Tags(page(what)).text
    assert "On its way starting its workers" in text
    assert "On its way building the environment (pandas)…" in text


def test_what_is_left_out_and_a_source_that_cannot_be_read_are_shown() -> None:
    what = state(left_out={"docs": "the name is taken"}, problem="authentication failed; check gitpassword")
    text = Tags(page(what)).text
    assert "docs the name is taken" in text
    assert "authentication failed; check gitpassword" in text
    assert "https://git.example.org/models.git" in text


def test_the_command_that_is_shown_is_a_request_that_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "Iris").mkdir()
    variables = {"text": "it's $HOME `x`", "long": "…" * 50}
    (tmp_path / "Iris" / "examples.json").write_text(json.dumps([{}, {"variables": variables}]))
    (command,) = commands(page(state(model("Iris", live(tmp_path)))))
    curl, flag, body, url = shlex.split(command)
    assert (curl, flag, url) == ("curl", "-d", f"http://models.example.org:8000{BASE}/Iris")
    assert json.loads(body) == {"variables": variables}


def test_a_model_that_takes_nothing_is_asked_without_a_body() -> None:
    (command,) = commands(page(state(model("Clock", live(takes="nothing")))))
    assert shlex.split(command) == ["curl", f"http://models.example.org:8000{BASE}/Clock"]


def test_a_proxy_in_front_shapes_links_and_commands() -> None:
    headers = {"x-forwarded-prefix": "/ml", "x-forwarded-proto": "https", "x-forwarded-host": "ml.example.org"}
    what = page(state(model("Iris", live())), base="", **headers)
    assert shlex.split(commands(what)[0])[-1] == "https://ml.example.org/ml/Iris"
    assert all(link.startswith("/ml/") for link in Tags(what).links)


@pytest.mark.parametrize(
    "prefix", ["//evil.example.org", "https://evil.example.org", '/"><script>', "ml", "/a b", "/a?b"]
)
def test_a_prefix_that_is_no_path_is_ignored(prefix: str) -> None:
    what = page(state(model("Iris", live())), **{"x-forwarded-prefix": prefix})
    assert all(link.startswith(f"{BASE}/") for link in Tags(what).links)


@pytest.mark.parametrize("host", ['"><script>', "a'b", "$(reboot)", "a/b"])
def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    what = page(state(model("Iris", live())), **{"x-forwarded-host": host})
    assert shlex.split(commands(what)[0])[-1] == f"{BASE}/Iris"


def test_whatever_strangers_wrote_stays_text() -> None:
    plain = Tags(
        page(state(model("A", live(about="b"), doing="c", failed=failure("d")), left_out={"e": "f"}, problem="g"))
    )
    what = page(
        state(
            model(EVIL, live(about=EVIL), doing=EVIL, failed=failure(EVIL, version=EVIL)),
            left_out={EVIL: EVIL},
            problem=EVIL,
            source=EVIL,
            head=EVIL,
        )
    )
    evil = Tags(what)
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert not [name for _, found in evil.tags for name in found if name.startswith("on")]
    assert "{{ 7 * 7 }}" in what


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_run_no_script_but_ours(path: str) -> None:
    here = Client(state(model("Iris", live())))
    answer = here.get(f"{BASE}{path}", headers={"accept": BROWSER})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-" not in policy
    nonce = re.search(r"script-src 'nonce-([^']+)';", policy)
    assert nonce, policy
    tags = Tags(answer.text).tags
    assert all("src" in found and found["nonce"] == nonce[1] for tag, found in tags if tag == "script")
    again = here.get(f"{BASE}{path}", headers={"accept": BROWSER})
    assert nonce[1] not in again.headers["content-security-policy"]
    assert not [found for _, found in tags if "style" in found]
    assert "<style" not in answer.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_everything_that_a_page_needs_is_served_here_and_kept_by_browsers(path: str) -> None:
    here = Client(state(model("Iris", live())))
    static = [link for link in Tags(page(state(model("Iris", live())), path=path)).links if "/-/static/" in link]
    assert len(static) >= 3
    for link in static:
        answer = here.get(link)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].split(";")[0] in ("text/css", "text/javascript", "image/svg+xml")


def test_a_file_goes_compressed_to_who_can_take_that_and_is_the_same() -> None:
    here = Client(state())
    link = next(link for link in Tags(page(state(), path="/docs")).links if link.endswith("bundle.js"))
    plain = here.get(link, headers={"accept-encoding": "identity"})
    packed = here.get(link, headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


@pytest.mark.parametrize("path", ["x/pawl.css", "../pages.py", "%2e%2e/%2e%2e/pages.py", "0000000000000000/pawl.js"])
def test_no_other_file_is_served(path: str) -> None:
    assert Client(state()).get(f"{BASE}/-/static/{path}").status_code == 404


def test_the_docs_page_reads_the_servers_own_document() -> None:
    what = Tags(page(state(), path="/docs", **{"x-forwarded-prefix": "/ml"}))
    assert f"/ml{BASE}/openapi.json" in what.links


def test_the_document_is_served(tmp_path: Path) -> None:
    (tmp_path / "Iris").mkdir()
    (tmp_path / "Iris" / "examples.json").write_text('[{"variables": {"x": 1}}]')
    answer = Client(state(model("Iris", live(tmp_path)))).get(
        f"{BASE}/openapi.json", headers={"x-forwarded-prefix": "/ml"}
    )
    found: dict[str, Any] = answer.json()
    assert found["servers"] == [{"url": "/ml"}]
    body = found["paths"][f"{BASE}/Iris"]["post"]["requestBody"]["content"]["application/json"]
    assert body["examples"] == {"example-0": {"value": {"variables": {"x": 1}}}}


def test_the_state_of_a_models_newest_run_and_its_reason_are_shown() -> None:
    rejected = RunView(
        run="0123456789ab",
        model="Iris",
        state=RunState.REJECTED,
        reason=Reason.BELOW_TARGET,
        message="accuracy is 0.5, below <b>0.9</b>",
        commit=COMMIT,
    )
    going_on = msgspec.structs.replace(rejected, state=RunState.RUNNING, reason=None, message="", step=3, total=10)
    for run, expected in (
        (rejected, "run 0123456789ab of commit 0123456: rejected (BelowTarget): accuracy is 0.5, below <b>0.9</b>"),
        (going_on, "run 0123456789ab of commit 0123456: running, step 3 of 10"),
    ):
        trained = msgspec.structs.replace(model("Iris", live()), training=run)
        assert f"Training: {expected}" in Tags(page(state(trained))).text
    assert "Training" not in Tags(page(state(model("Iris", live())))).text
