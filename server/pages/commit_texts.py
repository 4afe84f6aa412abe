"""What commits say for people, read out of git once for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from core.errors import PawlError
from core.release import Candidate, Version
from loader.sources.source import Source
from server.pages.facts import CommitText

log = logging.getLogger("pawl")

Named = tuple[str, str, str]
"""A model, the version and the commit that it goes by."""
_KEPT = 5_000


class CommitTexts:
    """For the loop's own thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, CommitText | None] = {}
        """By commit, the one that was asked for last at the end. None: the source says nothing of it."""

    async def of(self, named: Iterable[Named]) -> Mapping[str, CommitText]:
        """By commit, as far as it is known."""
        asked = {commit: (model, version, commit) for model, version, commit in named}
        if missing := [one for commit, one in asked.items() if commit not in self._known]:
            self._known |= await asyncio.to_thread(self._read, missing)
            self._forget()
        found = {commit: self._known.get(commit) for commit in asked}
        return {commit: text for commit, text in found.items() if text is not None}

    def _read(self, missing: list[Named]) -> dict[str, CommitText | None]:
        return {commit: self._text(model, version, commit) for model, version, commit in missing}

    def _text(self, model: str, version: str, commit: str) -> CommitText | None:
        number = version.removeprefix("v")
        try:
            told = self._source.tell(Candidate(model, Version(int(number) if number.isdecimal() else 0, commit), None))
        except PawlError:
            return None
        except Exception:
            log.exception("a failure of Pawl's own: what commit %s says is not shown", commit)
            return None
        return CommitText(first_line(told.message), told.author, told.at) if told.at is not None else None

    def _forget(self) -> None:
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
