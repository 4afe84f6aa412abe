"""What became of an action, waited for and told."""

from __future__ import annotations

import sys
import time
from typing import Any
from urllib.parse import urlsplit

from pawl.client.api import Answer, Api, api_path
from pawl.exits import CONFLICT, FAILED, NOT_FOUND, STILL_RUNNING, CommandFailed
from pawl.terminal.text import one_line

_LOOK_S = 0.5
_ASK_S = 30.0
"""The server answers within that."""
_SHOW_S = 0.5
"""The same where somebody watches."""
_ACCEPTED = 202
_CODES = {"live_changed": CONFLICT, "pinned": CONFLICT, "version_not_found": NOT_FOUND}
"""Of an action that could not be done, how the command ends; else as failed."""
FIELDS = (
    *("id", "action", "model", "state", "version", "commit", "run", "message", "step", "steps", "reason", "actor"),
    *("at", "ended_at", "code", "stage", "withdrawn"),
)
"""That the server tells of an action."""


def act(api: Api, method: str, path: str, body: dict[str, Any], wait_s: float, fields: str | None) -> Answer:
    """Ask for it, and wait at most so long for its end; the last answer. Raises CommandFailed; of what still goes on
    `fields` are printed before, where JSON is asked for."""
    from pawl.terminal.json_output import check_fields  # here and below: what is slow to import, not for --help

    check_fields(fields or "", FIELDS)
    given = {name: value for name, value in body.items() if value}
    end = time.monotonic() + wait_s
    if method == "DELETE":  # whose body some proxies take off
        answer = api.send(method, path, wait_s=_asked_s(wait_s), query=given)
    else:
        answer = api.send(method, path, given, wait_s=_asked_s(wait_s))
    if answer.status != _ACCEPTED or not (action := _action_in(answer)):
        return answer
    return _ended(api, action, end, wait_s, fields)


def _asked_s(wait_s: float) -> float:
    """Whoever watches sees the steps, which the server tells once it has answered that it is under way."""
    return max(0.001, min(wait_s, _SHOW_S if sys.stderr.isatty() else _ASK_S))


def _action_in(answer: Answer) -> str:
    """Its id."""
    location = urlsplit(answer.headers.get("location") or "").path
    return location.rpartition("/")[2]


def _ended(api: Api, action: str, end: float, wait_s: float, fields: str | None) -> Answer:
    from rich.console import Console
    from rich.text import Text

    from pawl.terminal.json_output import print_json

    with Console(stderr=True).status("") as status:
        while True:
            answer = api.send("GET", api_path("actions", action))
            told = answer.json or {}
            if told.get("state") != "running":
                return answer
            if time.monotonic() >= end:
                if fields is not None:
                    print_json(told, fields)
                raise CommandFailed(
                    STILL_RUNNING,
                    f"it is still going on after {wait_s:g} s ({step_of(told)}); 'pawl events' tells its end",
                )
            status.update(Text(step_of(told)))
            time.sleep(_LOOK_S)


def step_of(told: dict[str, Any]) -> str:
    step = told.get("step")
    return one_line(step.get("name") if isinstance(step, dict) else step or told.get("state") or "under way")


def print_outcome(answer: Answer, says: str, fields: str | None) -> None:
    """`says`: what has been done, where the server has no words of its own for it."""
    from pawl.terminal.json_output import print_json

    told = answer.json if isinstance(answer.json, dict) else {}
    if fields is not None:
        print_json(answer.json, fields)
    if told.get("state") == "failed":
        message = one_line(told.get("message") or "it failed, and what was live still is")
        raise CommandFailed(_CODES.get(str(told.get("code")), FAILED), message)
    if told.get("state") == "superseded":
        raise CommandFailed(CONFLICT, "somebody asked for something else before it was done; 'pawl events' tells what")
    if fields is None:
        sys.stdout.write(one_line(_said(told, str(told.get("message") or says))) + "\n")


def _said(told: dict[str, Any], says: str) -> str:
    """With the model's name, where that is not among the words."""
    model = str(told.get("model") or "")
    return f"{model}: {says}" if model and model not in says.split() else says
