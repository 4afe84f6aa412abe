"""Builds the pages, and holds no logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from loader.controller.routes import Live
from loader.reconcile import Reconciler
from loader.sources.local.source import LocalSource
from loader.sources.source import Source
from loader.workers.printed_lines import PrintedLines
from registry.event_log import EventLog
from registry.registry import Registry
from server.access.assembly import AccessParts
from server.http.access import Access
from server.http.api.keys_api import KeysApi
from server.http.api.run_actions import RunActions
from server.pages.access.keys_page import KeysPage
from server.pages.access.sign_in_page import SignInPage
from server.pages.catalogue.catalogue_pages import CataloguePages
from server.pages.commit_texts import CommitTexts
from server.pages.dashboard.actions.actions_pages import ActionsPages
from server.pages.dashboard.manifest.manifest_pages import ManifestPages
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.overview.overview_pages import OverviewPages
from server.pages.dashboard.runs.runs_pages import RunsPages
from server.pages.dashboard.trial.asking import Asking
from server.pages.dashboard.trial.try_pages import TryPages
from server.pages.dashboard.versions.versions_pages import VersionsPages
from server.pages.events.events_pages import EventsPages
from server.pages.facts_reader import FactsReader
from server.pages.layout.renderer import Renderer
from server.pages.layout.theme_page import ThemePage
from server.pages.monitoring.days import DayReader
from server.pages.monitoring.monitoring_pages import MonitoringPages
from server.pages.pages import Pages
from server.pages.standing import read_standing
from server.pages.static import Static
from server.pages.upload.upload_pages import UploadPages
from server.state import ModelState, ServerState, SourceState
from server.steering.actions.steering import Steering
from server.traffic.history.history import TrafficHistory
from server.traffic.system import SystemReader
from server.traffic.traffic import Take
from server.traffic.usage import UsageHistory
from server.uploads.uploads import Uploads
from server.versions.deployments import Deployments
from server.versions.situations import Situations
from server.versions.versions import Versions
from trainer.catalogue.catalogue import RunCatalogue


@dataclass(frozen=True, kw_only=True)
class PageParts:
    """What pages are made of."""

    base: str
    access: Access
    access_parts: AccessParts
    keys_api: KeysApi
    state: Callable[[], ServerState]
    source_state: Callable[[], SourceState]
    model_state: Callable[[str], ModelState | None]
    """None: no such model is followed."""
    event_log: EventLog
    source: Source
    reconciler: Reconciler
    registry: Registry
    runs: RunCatalogue
    run_actions: RunActions
    uploads: Uploads
    versions: Versions
    lines: PrintedLines
    situations: Situations
    steering: Steering
    history: TrafficHistory
    system: SystemReader
    usage: UsageHistory
    take: Take
    """What counts requests for the history."""
    settings: Mapping[str, str]
    """Those of the server that stand in for a model's, by their names."""
    models_url: str
    """Where models are asked; empty: where the pages are."""


def build_pages(parts: PageParts) -> Pages:
    base, access = parts.base, parts.access
    static = Static()
    renderer = Renderer(base, parts.source_state, static, access.may_read)
    commits, standing = CommitTexts(parts.source), partial(read_standing, parts.registry)
    days = DayReader(parts.history, lambda: parts.reconciler.controllers)
    facts = FactsReader(parts.state, parts.model_state, parts.event_log, commits, standing, days.read)
    model = ModelPage(renderer, facts.one)
    deployments = Deployments(parts.registry)
    pages = (
        CataloguePages(
            base,
            access,
            renderer,
            parts.state,
            facts.all,
            parts.reconciler.ask,
            parts.versions,
            is_folder=isinstance(parts.source, LocalSource),
        ),
        MonitoringPages(
            access,
            renderer,
            lambda: sorted(parts.reconciler.controllers),
            parts.history,
            parts.system,
            parts.usage,
            parts.event_log,
            parts.runs.counts,
        ),
        EventsPages(access, renderer, parts.event_log),
        ThemePage(base),
        KeysPage(
            base,
            access,
            renderer,
            parts.access_parts.keyring,
            parts.keys_api,
            lambda model: model in parts.reconciler.controllers,
        ),
        SignInPage(renderer, parts.access_parts.sign_in),
        OverviewPages(access, model, parts.event_log, parts.steering.actions, parts.versions, parts.settings),
        ActionsPages(base, access, model, parts.steering, parts.versions, deployments),
        RunsPages(parts.base, access, model, parts.runs, parts.run_actions),
        VersionsPages(
            access, model, parts.versions, deployments, parts.lines, parts.situations, parts.history, commits
        ),
        UploadPages(base, access, renderer, model, parts.uploads, lambda: parts.reconciler.known_source.head),
        ManifestPages(base, access, model, parts.uploads),
        TryPages(base, access, model, Asking(partial(_live, parts.reconciler), parts.take), parts.models_url),
    )
    routes = [route for page in pages for route in page.routes()]
    needs_keys = parts.access_parts.needs_keys
    return Pages(base, parts.state, static, renderer, routes, needs_keys=needs_keys)


def _live(reconciler: Reconciler, model: str) -> Live | None:
    controller = reconciler.controllers.get(model)
    return None if controller is None else controller.live
