"""The variables and the configuration that git gets: Pawl's own, and of the operator's only how to reach a server.

A model runs as the same user and may write anything that this user may: git's configuration in the home, the mirror's
own. So git is given none of these files. Of the operator's configuration, as it was before any model ran, what is named
here is handed on; so are the variables that say the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from core.settings.reading import scrubbed

ALLOWED_PROTOCOLS = "https:http:ssh:file"

Pairs = Iterable[tuple[str, str]]
"""Configuration, as (key, value): the last one of a key counts, or all do."""


def quiet_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables for every git: it prompts for nothing, sees none of our secrets and no configuration of others."""
    ours = dict.fromkeys(environ.keys() - scrubbed(environ).keys(), "")
    return ours | configured(()) | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_ALLOW_PROTOCOL": ALLOWED_PROTOCOLS,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
    }  # fmt: skip


def configured(pairs: Pairs) -> dict[str, str]:
    """Variables that tell git those, and then ours: they win over every file, and nobody else can write them."""
    every = [*pairs, *_OURS]
    told = {"GIT_CONFIG_COUNT": str(len(every))}
    for number, (key, value) in enumerate(every):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return told


def unwanted(environ: Mapping[str, str]) -> list[str]:
    """Git's variables in `environ` that it shall not see: they could have it use another repository, run another
    program, or write passwords down. Blank ones would not do, since git takes some for a value.
    """
    return sorted(name for name in environ if name.startswith("GIT_") and not _HONOURED_VARIABLE.fullmatch(name))


def honoured(pairs: Pairs) -> list[tuple[str, str]]:
    """Of the operator's configuration, what says how to reach a server."""
    return [(key, value) for key, value in pairs if _HONOURED.fullmatch(key)]


_OURS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.commitGraph", "false"),
    ("core.multiPackIndex", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
)

_HONOURED_VARIABLE = re.compile(
    r"GIT_SSL_\w+|GIT_PROXY_SSL_\w+|GIT_HTTP_(USER_AGENT|LOW_SPEED_LIMIT|LOW_SPEED_TIME|PROXY_AUTHMETHOD)|GIT_PYTHON_\w+"
)

_HONOURED = re.compile(
    r"http\.(.*\.)?(ssl\w+|pinnedpubkey|proxy\w*|extraheader|cookiefile|curloptresolve|emptyauth|delegation|useragent"
    r"|version|postbuffer|lowspeed(limit|time)|followredirects)"
    r"|url\..*\.insteadof|credential\..*|lfs\.url",
    re.IGNORECASE | re.DOTALL,
)
