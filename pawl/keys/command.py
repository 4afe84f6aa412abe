"""`pawl keys …` as one command with others below it."""

from __future__ import annotations

from pawl.group import LazyGroup, Listed
from pawl.keys.list import list_keys

_SECTIONS = {
    "Commands": {
        "create": Listed("pawl.keys.create:create", "Make a key, and show it this once."),
        "revoke": Listed("pawl.keys.revoke:revoke", "End a key, and the sessions that it opened."),
    }
}
keys = LazyGroup.around(list_keys, _SECTIONS)
