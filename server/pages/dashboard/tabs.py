"""The parts of a model's pages, each with an address of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    path: str
    """Below the model's page."""
    command: str
    """Of `pawl`, with the model's name where MODEL stands."""


TABS = (
    Tab("overview", "Overview", "", "pawl show MODEL"),
    Tab("versions", "Versions", "/versions", "pawl versions MODEL"),
    Tab("compare", "Compare", "/compare", "pawl diff MODEL VERSION"),
    Tab("runs", "Runs", "/runs", "pawl runs --model MODEL"),
    Tab("try", "Try it", "/try", "pawl try MODEL"),
    Tab("logs", "Logs", "/logs", "pawl logs MODEL -f"),
    Tab("deployments", "Deployments", "/deployments", "pawl deployments MODEL"),
    Tab("configuration", "Configuration", "/configuration", "pawl show MODEL"),
)


def tab(name: str) -> Tab:
    return next(one for one in TABS if one.name == name)
