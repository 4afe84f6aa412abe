"""Chips: an icon and a word, always both. A state is tinted, a role is outlined, and `live` alone is filled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    kind: str
    """Class of its colours."""
    icon: str
    word: str


STATES = {
    "pending": Chip("info", "pending", "pending"),
    "training": Chip("info", "train", "training"),
    "building": Chip("info", "going", "building"),
    "starting": Chip("info", "going", "starting"),
    "proving": Chip("info", "going", "proving"),
    "ready": Chip("", "ready", "ready"),
    "failed": Chip("bad", "failed", "failed"),
    "rejected": Chip("bad", "rejected", "rejected"),
    "retired": Chip("", "retired", "retired"),
}
ROLES = {
    "live": Chip("live role", "live", "live"),
    "canary": Chip("role", "canary", "canary"),
    "shadow": Chip("role", "shadow", "shadow"),
    "on_demand": Chip("role", "demand", "on demand"),
}
WORDS = {
    "pending": "noticed, not begun",
    "training": "a run makes its artifact",
    "building": "its environment is made",
    "starting": "its workers import and warm up",
    "proving": "its examples are sent to it",
    "ready": "proven; could be live",
    "failed": "could not be proven",
    "rejected": "a rollback or a canary turned it down",
    "retired": "its workers are stopped",
    "live": "answers the plain route",
    "canary": "answers a share of it",
    "shadow": "gets copies; its answers are compared, never returned",
    "on_demand": "started because someone asked for it by name",
}
"""What the words mean."""

PUSH_FAILED = Chip("bad", "failed", "push failed")
NEVER_LIVE = Chip("bad", "never", "never live")
UNWELL = Chip("bad", "warn", "unwell")
PINNED = Chip("wait", "pin", "pinned")
LIVE = Chip("good", "live", "live")

RUNS = {
    "queued": Chip("info", "pending", "queued"),
    "pending": Chip("info", "going", "pending"),
    "running": Chip("info", "train", "running"),
    "evaluating": Chip("info", "going", "evaluating"),
    "succeeded": Chip("good", "check", "accepted"),
    "rejected": Chip("bad", "rejected", "rejected"),
    "failed": Chip("bad", "failed", "failed"),
    "lost": Chip("bad", "failed", "lost"),
    "cancelled": Chip("", "retired", "cancelled"),
    "superseded": Chip("", "retired", "superseded"),
}


def state_chip(state: str) -> Chip:
    return STATES.get(state) or Chip("", "ready", state)


def role_chip(role: str) -> Chip:
    return ROLES.get(role) or Chip("role", "ready", role)


def run_chip(state: str) -> Chip:
    return RUNS.get(state) or Chip("", "going", state)
