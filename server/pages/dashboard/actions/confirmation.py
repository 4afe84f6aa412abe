"""What will happen if somebody goes on: from, to, the commits between, and what the next push will do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.pages.dashboard.versions.version_rows import VersionRow


@dataclass(frozen=True)
class Act:
    """Something that can be asked for, in words."""

    name: str
    question: str
    """With MODEL and TO where those stand."""
    verb: str
    icon: str
    is_dangerous: bool
    names_version: bool


ACTS = {
    act.name: act
    for act in (
        Act("rollback", "Roll back MODEL to TO?", "Roll back to TO", "back", True, True),
        Act("pin", "Pin MODEL to TO?", "Pin TO", "pin", False, True),
        Act("unpin", "Unpin MODEL?", "Unpin MODEL", "pin", False, False),
        Act("accept", "Accept TO of MODEL again?", "Accept TO", "check", False, True),
        Act("load", "Load TO of MODEL?", "Load TO", "demand", False, True),
        Act("unload", "Unload TO of MODEL?", "Unload TO", "retired", False, True),
    )
}


@dataclass(frozen=True)
class Confirmation:
    """Texts, none of them escaped."""

    act: Act
    question: str
    verb: str
    before: VersionRow | None
    """What is live."""
    after: VersionRow | None
    becomes: str
    """What the live version becomes."""
    heading: str
    between: tuple[VersionRow, ...]
    next_strong: str
    next_text: str
    command: str

    @property
    def stays_live(self) -> bool:
        """Whether it is to be pinned to what is live."""
        return self.act.name == "pin" and self.after is not None and self.after.is_live


def confirmation(
    act: Act,
    model: str,
    versions: Sequence[VersionRow],
    target: VersionRow | None,
    pinned: str,
    *,
    folder_gone: bool = False,
) -> Confirmation:
    """`versions`: the newest first. `pinned`: the version that a pin holds; empty where there is none. `folder_gone`:
    the model's is."""
    live = next((one for one in versions if one.is_live), None)
    to = target.version if target else ""
    swaps = act.name in ("rollback", "pin") and target is not None and not target.is_live
    heading, between = _between(versions, live, target) if swaps else ("", ())
    strong, text = _next(act, to, pinned, versions)
    if act.name == "unpin" and folder_gone:
        act = replace(act, is_dangerous=True)
        strong = "Its folder has gone: only the pin keeps it."
        text = f"Nothing of {model} is served any more, as soon as it is unpinned."
    return Confirmation(
        act=act,
        question=act.question.replace("MODEL", model).replace("TO", to),
        verb=act.verb.replace("MODEL", model).replace("TO", to),
        before=live,
        after=target,
        becomes="It becomes rejected." if act.name == "rollback" else "It stops answering." if swaps else "",
        heading=heading,
        between=between,
        next_strong=strong,
        next_text=text,
        command=_command(act, model, to, live.version if live else ""),
    )


def _between(
    versions: Sequence[VersionRow], live: VersionRow | None, target: VersionRow | None
) -> tuple[str, tuple[VersionRow, ...]]:
    """The commits that stop answering or begin to."""
    places = {one.full_commit: place for place, one in enumerate(versions)}
    if live is None or target is None or not {live.full_commit, target.full_commit} <= places.keys():
        return "", ()
    here, there = places[live.full_commit], places[target.full_commit]
    goes_back = there > here
    found = tuple(versions[here:there] if goes_back else versions[there:here])
    ends = "stop answering" if goes_back else "begin to answer"
    one = "stops answering" if goes_back else "begins to answer"
    return (f"1 commit {one}" if len(found) == 1 else f"{len(found)} commits {ends}"), found


def _next(act: Act, to: str, pinned: str, versions: Sequence[VersionRow]) -> tuple[str, str]:
    match act.name:
        case "rollback":
            return "The next push will go live.", f"To hold {to} against newer versions, pin it instead."
        case "pin":
            return "The next push will not go live.", f"{to} stays until it is unpinned, a restart included."
        case "unpin":
            return "The next push will go live.", _newest(versions)
        case "accept":
            goes = (
                f"{pinned} stays, for it is pinned."
                if pinned
                else "If it is the newest, it goes live once it is proven."
            )
            return "It is no longer rejected.", goes
        case "load":
            return "Nothing changes for the plain route.", f"{to} is started beside it, for requests that name it."
    return "Nothing changes for the plain route.", f"{to} is started again when a request names it."


def _newest(versions: Sequence[VersionRow]) -> str:
    """What becomes of it once nothing is pinned."""
    newest = versions[0] if versions else None
    if newest is not None and newest.is_live:
        return f"{newest.version} is live, and stays so."
    if newest is not None and newest.state == "rejected":
        return f"{newest.version} will not: it was rejected."
    return f"So will {newest.version if newest else 'the newest version'}, as soon as it is proven."


def _command(act: Act, model: str, to: str, expect: str) -> str:
    words = ["pawl", act.name, shlex.quote(model)]
    if act.name == "rollback":
        words += ["--to", to]
    elif act.names_version:
        words.append(to)
    if act.name in ("rollback", "pin", "unpin") and expect:
        words += ["--expect", expect]
    return " ".join([*words, "--reason", '"…"'])
