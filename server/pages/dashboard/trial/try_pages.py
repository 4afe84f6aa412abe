"""The routes of the form that asks a model."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import MODEL, PAGE_TRY
from loader.workers.comparison import difference
from loader.workers.examples import Example
from server.curl import curl
from server.http.access import Access
from server.http.bodies import read_form
from server.pages.dashboard.fields import Field, fields, filled
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.trial.asking import Asked, Asking, NothingLive
from server.pages.facts import ModelFacts
from server.pages.links import links
from server.pages.shown_examples import examples_of


@dataclass(frozen=True)
class Trial:
    """A form as it is shown."""

    chosen: int
    """Which example it started from, from 0."""
    fields: tuple[Field, ...]
    is_json: bool
    """Whether the variables are written as JSON, rather than field by field."""
    text: str
    """The variables as JSON."""
    has_fields: bool
    """Whether there are any, so that nobody is led to a form without."""
    error: str = ""


class TryPages:
    """`{base}/-/models/{model}/try`."""

    def __init__(self, base: str, access: Access, page: ModelPage, asking: Asking, models_url: str = "") -> None:
        """`models_url`: where models are asked; empty: where the pages are."""
        self._base = base
        self._access = access
        self._page = page
        self._asking = asking
        self._models_url = models_url

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_TRY.template, self._access.reading(self.form)),
            Route(PAGE_TRY.template, self._access.asking(self.ask), methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        query = request.query_params
        examples = await _examples(facts)
        trial = blank(facts, examples, _chosen(query.get("example", ""), examples), query.get("as") == "json")
        return self._show(request, facts, examples, trial, None, None)

    async def ask(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        form, examples = await read_form(request), await _examples(facts)
        started = blank(facts, examples, _chosen(form.get("example", ""), examples), "json" in form)
        trial, variables = answered(started, form)
        if trial.error or any(field.error for field in trial.fields):
            return self._show(request, facts, examples, trial, None, None, status=422)
        try:
            asked = await self._asking.ask(facts.name, variables)
        except NothingLive as nothing:
            return self._show(request, facts, examples, replace(trial, error=str(nothing)), None, None, status=503)
        return self._show(request, facts, examples, trial, asked, variables)

    def _show(
        self,
        request: Request,
        facts: ModelFacts,
        examples: tuple[Example, ...],
        trial: Trial,
        asked: Asked | None,
        variables: object,
        *,
        status: int = 200,
    ) -> Response:
        live = facts.state.live
        url = (self._models_url or links(request, self._base).url) + MODEL.of(facts.name)
        takes_nothing = live is not None and live.description.takes == "nothing"
        shown = variables if asked is not None else _variables(examples, trial.chosen)
        values = {
            "trial": trial,
            "examples": range(1, len(examples) + 1),
            "asked": asked,
            "compared": compared(examples, trial.chosen, asked, variables),
            "live": live,
            "takes_nothing": takes_nothing,
            "curl": curl(url, [Example(variables=shown)], takes_nothing=takes_nothing),
        }
        return self._page.render(request, "try", "dashboard/try.html", values, status=status)


def blank(facts: ModelFacts, examples: tuple[Example, ...], chosen: int, is_json: bool) -> Trial:
    """The form before anybody filled it."""
    live = facts.state.live
    variables = _variables(examples, chosen)
    found = fields(live.description.variables_schema if live else None, variables)
    text = json.dumps(variables if variables is not None else {}, ensure_ascii=False, indent=2)
    return Trial(chosen, () if is_json else found, is_json or not found, text, bool(found))


def answered(trial: Trial, form: dict[str, str]) -> tuple[Trial, object]:
    """The form as it was filled, and the variables that it stands for."""
    if not trial.is_json:
        read, variables = filled(trial.fields, form)
        return replace(trial, fields=read), variables
    text = form.get("json", "")
    try:
        return replace(trial, text=text), json.loads(text or "{}")
    except (json.JSONDecodeError, RecursionError) as error:
        return replace(trial, text=text, error=f"not valid JSON: {error}"), None


def compared(examples: tuple[Example, ...], chosen: int, asked: Asked | None, variables: object) -> str:
    """How an answer compares with what its example expects."""
    if asked is None or asked.status != 200 or not examples or variables != examples[chosen].variables:
        return ""
    example = examples[chosen]
    some = example.expect_some is not msgspec.UNSET
    expected: Any = example.expect_some if some else example.expect
    if expected is msgspec.UNSET:
        return ""
    fault = difference(expected, asked.content, example.tolerance, some=some)
    return f"Example {chosen + 1} expects that: the same." if fault is None else f"Example {chosen + 1}: {fault}"


def _variables(examples: tuple[Example, ...], chosen: int) -> object:
    return examples[chosen].variables if examples else None


def _chosen(text: str, examples: tuple[Example, ...]) -> int:
    """Counted from 1 by people."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    return min(max(number, 1), max(len(examples), 1)) - 1


async def _examples(facts: ModelFacts) -> tuple[Example, ...]:
    live = facts.state.live
    return () if live is None else await asyncio.to_thread(examples_of, live.root, facts.name)
