"""Builds the pages, and holds no logic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loader.reconcile import Reconciler
from loader.workers.pool import Pool
from registry.event_log import EventLog
from server.access.assembly import AccessParts
from server.http.access import Access
from server.http.keys_api import KeysApi
from server.pages.access.keys_page import KeysPage
from server.pages.access.sign_in_page import SignInPage
from server.pages.catalogue.catalogue_pages import CataloguePages
from server.pages.dashboard.asking import Asking
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.overview_pages import OverviewPages
from server.pages.dashboard.runs_pages import RunsPages
from server.pages.dashboard.try_pages import TryPages
from server.pages.events.events_pages import EventsPages
from server.pages.facts_reader import FactsReader
from server.pages.layout.renderer import Renderer
from server.pages.layout.theme_page import ThemePage
from server.pages.pages import Pages
from server.pages.static import Static
from server.state import ServerState
from trainer.catalogue.catalogue import RunCatalogue


def build_pages(
    base: str,
    access: Access,
    state: Callable[[], ServerState],
    event_log: EventLog,
    facts: FactsReader,
    reconciler: Reconciler,
    runs: RunCatalogue,
    parts: AccessParts,
    keys_api: KeysApi,
) -> Pages:
    static = Static()
    renderer = Renderer(base, state, static)
    catalogue = CataloguePages(base, access, renderer, state, facts.all, reconciler.ask)
    events = EventsPages(access, renderer, event_log)
    theme = ThemePage(base)
    model = ModelPage(renderer, facts.one)
    pages = (
        catalogue,
        events,
        theme,
        KeysPage(base, access, renderer, parts.keyring, keys_api),
        SignInPage(renderer, parts.sign_in),
        OverviewPages(base, access, model, event_log, reconciler.retry),
        RunsPages(access, model, runs),
        TryPages(base, access, model, Asking(partial(_live_pool, reconciler))),
    )
    return Pages(base, state, static, renderer, [route for page in pages for route in page.routes()])


def _live_pool(reconciler: Reconciler, model: str) -> Pool | None:
    controller = reconciler.controllers.get(model)
    return controller.live.pool if controller is not None and controller.live is not None else None
