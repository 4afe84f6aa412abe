"""What a commit says for people: who made it, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_MOST = 10_000
"""Characters of a message."""


@dataclass(frozen=True)
class CommitText:
    author: str
    """The name alone: an address is none of a reader's business."""
    message: str
    at: datetime | None
    """By the committer's clock."""


def read_commit(content: bytes) -> CommitText:
    """Of a commit object, in whatever encoding it says that it is; nothing in it is trusted."""
    head, _, message = content.partition(b"\n\n")
    headers = dict(line.partition(b" ")[::2] for line in reversed(head.split(b"\n")) if not line.startswith(b" "))
    encoding = headers.get(b"encoding", b"utf-8").decode("ascii", "replace")
    author = _decoded(headers.get(b"author", b""), encoding)
    told = _decoded(message[: 4 * _MOST], encoding).strip()[:_MOST]
    return CommitText(author.partition("<")[0].strip(), told, _moment(headers.get(b"committer", b"")))


def _moment(committer: bytes) -> datetime | None:
    found = re.search(rb"> *(-?\d{1,15}) [-+]\d{4}$", committer)
    try:
        return None if found is None else datetime.fromtimestamp(int(found[1]), UTC)
    except (ValueError, OverflowError, OSError):  # no year of ours
        return None


def _decoded(content: bytes, encoding: str) -> str:
    """Nothing that UTF-8 can't write comes out of it, whatever the encoding makes."""
    try:
        text = content.decode(encoding, "replace")
    except (LookupError, ValueError):
        text = content.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()
