"""Builds the pages, and holds no logic."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from registry.event_log import EventLog
from server.http.access import Access
from server.pages.catalogue.catalogue_pages import CataloguePages
from server.pages.events.events_pages import EventsPages
from server.pages.facts import ModelFacts
from server.pages.layout.renderer import Renderer
from server.pages.layout.theme_page import ThemePage
from server.pages.pages import Pages
from server.pages.static import Static
from server.state import ServerState


def build_pages(
    base: str,
    access: Access,
    state: Callable[[], ServerState],
    event_log: EventLog,
    facts: Callable[[], Awaitable[Sequence[ModelFacts]]],
    look: Callable[[], None],
) -> Pages:
    """`look`: has the source looked at soon."""
    static = Static()
    renderer = Renderer(base, state, static)
    catalogue = CataloguePages(base, access, renderer, state, facts, look)
    events = EventsPages(access, renderer, event_log)
    theme = ThemePage(base)
    return Pages(base, state, static, renderer, [*catalogue.routes(), *events.routes(), *theme.routes()])
