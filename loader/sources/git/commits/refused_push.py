"""What to say of a push that the other side refused, and what to do."""

from __future__ import annotations

import re

_CHECKED_OUT = "currently checked out"
_LONGEST = 300
"""Of the other side's own words, in characters."""
_ADVICE = (
    (
        _CHECKED_OUT,
        "the branch is checked out there, and a push would leave that folder behind; follow a bare repository "
        "(git clone --bare makes one), or check out another branch there",
    ),
    (
        r"failed to update ref|unpacker error|unable to (create|write|migrate)|read.only",
        "it could not write the commit down; give the user that serves it the right to write there, and room",
    ),
    (
        r"declined|protected|prohibited|denied|not allowed",
        "one of its rules forbids it; let this login (usergit) push to the branch, or commit the change and push it "
        "as that rule asks",
    ),
)
_OTHERWISE = "let this login (usergit) push to the branch, or commit and push the change yourself"


def refused_push(url: str, why: str, said: str) -> str:
    """`why`: in git's words; `said`: all that git wrote, without credentials."""
    advice = next((advice for form, advice in _ADVICE if re.search(form, why, re.IGNORECASE)), _OTHERWISE)
    words = "" if _CHECKED_OUT in why else _words(said)  # git's own advice there is of another case
    return f"{url} refused the push ({why}), and nothing was changed: {advice}{f'. It says: {words}' if words else ''}"


def _words(said: str) -> str:
    """The other side's; cut between two of them."""
    lines = (line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:"))
    words = " ".join(filter(None, lines))
    return words if len(words) <= _LONGEST else words[:_LONGEST].rpartition(" ")[0] + " …"
