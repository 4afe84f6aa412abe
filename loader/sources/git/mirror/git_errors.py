"""What git says when it fails, in words that an operator can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loader.sources.git.remote import Remote


def explain(said: str, remote: Remote, undone: str = "fetched") -> str:
    """What happened and what to do, from what git wrote to its standard error. No credentials in it.

    `undone`: what could not be done with the repository.
    """
    said = remote.scrub(said)
    for pattern, advice in _COMPLAINTS:
        if pattern.search(said):
            return f"{remote.address.url}: {_fill(advice, remote)} (git: {_gist(said)})"
    return f"{remote.address.url} could not be {undone} (git: {_gist(said)})"


def is_damage(said: str) -> bool:
    """Whether the mirror itself seems to be broken: what the other side complains of, git marks with "remote:"."""
    ours = "\n".join(line for line in said.splitlines() if not line.startswith("remote:"))
    return _DAMAGE.search(ours) is not None


def is_locked(said: str) -> bool:
    """Whether a lock file stood in the way, such as one that a killed git left."""
    return re.search(r"\.lock'?: File exists|cannot lock ref|gc is already running", said) is not None


def lacks_ref(said: str) -> bool:
    """Whether the remote has nothing by the name that was asked for."""
    return re.search(r"couldn't find remote ref", said, re.IGNORECASE) is not None


def no_such_ref(branches: Sequence[str], remote: Remote) -> str:
    """What to say of a gitBranch that isn't there, given the branches that are."""
    if remote.refs[0].startswith("refs/heads/"):
        lacks = f"it has no branch {remote.branch!r}, and no tag of that name"
    else:
        lacks = f"it has no {remote.branch!r}"
    more = ", and more" if len(branches) > _MOST_BRANCHES else ""
    has = f"; its branches are {', '.join(branches[:_MOST_BRANCHES])}{more}" if branches else ""
    short = "; of a commit it takes the full hash" if _SHORT_HASH.fullmatch(remote.branch) else ""
    return f"{remote.address.url}: {lacks}{has}; check gitBranch, or push that{short}"


_MOST_BRANCHES = 10
_SHORT_HASH = re.compile(r"[0-9a-f]{7,39}", re.IGNORECASE)
_LOGIN = "check usergit and gitpassword (or, for ssh, gitSshKeyFile), and that they may read this repository"

_COMPLAINTS = tuple(
    (re.compile(pattern, re.IGNORECASE), advice)
    for pattern, advice in (
        (r"host key verification failed", "the server's key is not the one in gitKnownHostsFile; check that file"),
        (
            r"could not read (username|password)|terminal prompts disabled",
            "the server asks for a login and none that it takes is set; " + _LOGIN,
        ),
        (r"authentication failed|permission denied|returned error: 40[13]", "authentication failed; " + _LOGIN),
        (r"load key .*(invalid|libcrypto)|bad permissions", "the private key could not be read; check gitSshKeyFile"),
        (
            r"could not resolve (host|proxy)|name or service not known|temporary failure in name resolution",
            "the host's name can't be resolved; check gitPath and this machine's network",
        ),
        (
            r"failed to connect|connection (refused|timed out|reset)|couldn't connect|no route to host"
            r"|network is unreachable|operation timed out",
            "the host can't be reached; check gitPath, proxies and this machine's network",
        ),
        (
            r"certificate|ssl",
            "no trusted connection; check the server's certificate, or name its authority in GIT_SSL_CAINFO",
        ),
        (
            r"not our ref|unadvertised object",
            "it has no commit {branch!r}, or gives none by its hash; check gitBranch, or name a branch or a tag",
        ),
        (r"no user exists for uid", "ssh needs an entry for this process's user in /etc/passwd; add one, or use https"),
        (r"couldn't find remote ref HEAD", "it has no commit on its default branch; push one, or set gitBranch"),
        (r"dubious ownership", "it belongs to another user; give it to this one, or add it to git's safe.directory"),
        (r"mismatched algorithms|unknown repository extension", "it uses SHA-256, which is not supported; use SHA-1"),
        (r"no space left", "the disk that holds DATA_DIR is full; make room on it"),
        (
            r"not found|does not exist|does not appear to be a git repository|returned error: 404|no such file",
            "there is no such repository, or this login may not see it; check gitPath",
        ),
        (r"early EOF|hung up|unexpected disconnect|RPC failed", "the connection broke off; it is tried again"),
    )
)

_DAMAGE = re.compile(
    r"bad object|corrupt|object file .* is empty|unable to (read|find|open) [0-9a-f]{40}"
    r"|unable to (read|open) (tree|object)|missing (blob|tree|commit)|not a git repository"
    r"|invalid (object|sha1)|bad (sha1|index|pack|tree|signature|config)|truncated|did not send all necessary objects"
    r"|unresolved deltas|inflate|broken|not a valid object|premature end|unable to resolve reference|packfile"
    r"|bad shallow|packed-refs",
    re.IGNORECASE,
)


def _fill(advice: str, remote: Remote) -> str:
    return advice.replace("{branch!r}", repr(remote.branch))


def _gist(said: str) -> str:
    """The line that says most, cut to a length for a log."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))] or lines
    first = next((line for line in telling if not _EMPTY_TALK.search(line)), "no reason given")
    return first[:300]


_EMPTY_TALK = re.compile(r"could not read from remote repository|^remote:\s*$", re.IGNORECASE)
