"""What uv's output says about a failure: whether another try may help, and the reason in one line."""

from __future__ import annotations

import re

from core.errors import Heals

_MESSAGE_CHARACTERS = 600

_MACHINE = re.compile(
    r"dns error|tcp connect error|error sending request|connection (closed|reset|refused|timed out)|operation timed out"
    r"|error decoding response body|error reading a body|request or response body error|end of file before message"
    r"|HTTP status server error|HTTP status client error \((408|425|429)\b|invalid peer certificate"
    r"|failed to connect|could(n't| not) (connect|resolve host)|early EOF|RPC failed|hung up"
    r"|returned error: (5\d\d|429)|network (is unreachable|connectivity)"
    r"|temporary failure in name resolution|ssl certificate problem"
    r"|no space left|disk quota exceeded|cannot allocate memory|too many open files|read-only file system"
    r"|permission denied \(os error|\(os error (5|11|12|13|23|24|28|30|122)\)",
    re.IGNORECASE,
)
"""Failures of the network, the index or the machine."""

_HOPELESS = re.compile(
    r"No solution found|Couldn't parse|Failed to parse|Invalid URL|Failed to build|Hash mismatch|requires-python"
    r"|HTTP status client error|require-hashes|Expected `|Unexpected '|Distribution not found|Git operation failed"
    r"|invalid package format|is not a valid|Unsupported",
)
"""Failures that no second try can cure."""


def heals(said: str, status: int) -> Heals:
    """`status`: what the program ended with, negative for a signal: of memory that ran out, say."""
    if status < 0 or _MACHINE.search(said):
        return Heals.WITH_MACHINE
    return Heals.NEVER if _HOPELESS.search(said) else Heals.MAYBE


def gist(said: str, status: int) -> str:
    """The reason, without what was said before it."""
    reason = said[max(0, said.find("error:")) :].strip()
    ended = f"was killed by signal {-status}: out of memory?" if status < 0 else f"ended with status {status}"
    return reason or f"uv {ended}"


def in_one_line(reason: str) -> str:
    line = " ".join(re.sub(r"\n\s*cause: ", ": ", reason.removeprefix("error: ")).split())
    return line if len(line) <= _MESSAGE_CHARACTERS else line[:_MESSAGE_CHARACTERS] + "…"
