"""Secrets in addresses stay out of what people get to see: logs, errors, events, pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from urllib.parse import unquote

HIDDEN = "***"

_SHORTEST = 4
"""Characters of a secret that is looked for outside of addresses too; shorter ones are in every other word."""

_MOST_SIGNS = 8
"""Signs of "@" in a login that are taken for its end in turn."""

_ADDRESS = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{,20}):(?P<slashes>/+)
        (?P<rest>(?: [^\s"'`<>] | ["'`<>](?![\s,;:.)\]}"'`<>]|$) )+)  # quotes may be part of it, closing ones are not
    """,
    re.VERBOSE | re.MULTILINE,
)
_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{,20}):/+")
_HOST_AND_PATH = re.compile(r"[A-Za-z0-9._-]+(:\d+)?/\S*|\[[0-9A-Fa-f:.]+\](:\d+)?/\S*")
_VERSION = re.compile(r"v?\d+(\.\d+){,2}([.-]?(a|b|rc|alpha|beta|dev|post)\.?\d+)?(?=[/?#]|$)", re.IGNORECASE)
"""As after a package's name in a path, `…/htmx@4.0.0`; with four numbers it is an address."""
_SEPARATORS = re.compile(r"[/@#?:\s\\]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without what stands before the "@" of an address or after its "?", and without `secrets`.

    The `secrets` (see `secrets_in`) are found however they are spelt: percent-encoded or not, escaped, in any case.
    """
    spelt = list(dict.fromkeys(way for form in _forms(secrets) for way in _spellings(form)))
    if spelt:
        text = re.sub("|".join(spelt), HIDDEN, text, flags=re.IGNORECASE)
    return _ADDRESS.sub(
        lambda found: f"{found['scheme']}:{found['slashes']}{_bare(found['scheme'], found['rest'])}", text
    )


def without_login(address: str) -> str:
    """One address, which is all of `address`, to be shown: nothing of what stands before its last "@" or after a "?".

    Unlike `redact`, this holds for a login with spaces and quotes in it, and where the scheme is missing.
    """
    start = _START.match(address)
    if start is None:
        return _bare("", address)
    return start[0] + _bare(start[1], address[start.end() :])


def secrets_in(text: str) -> frozenset[str]:
    """The passwords and tokens in the addresses of a line, each as it stands and in the parts that parsers cut it into.

    A user name is a secret only where no password follows.
    """
    starts = list(_START.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    logins = [_login(start[1], text[start.end() : end]) for start, end in zip(starts, ends, strict=False)]
    return frozenset(secret for login in logins for secret in _secrets_of(login))


def _secrets_of(login: str) -> set[str]:
    user, _, password = login.partition(":")
    parts = {*_SEPARATORS.split(login), *_SEPARATORS.split(unquote(login))}
    for text in (login, password):  # which may end at any "@" of theirs
        parts |= {text, *accumulate(text.split("@")[:_MOST_SIGNS], "{}@{}".format)}
    return parts - ({"", user} if password else {""})


def _bare(scheme: str, rest: str) -> str:
    login = _login(scheme, rest)
    bare = f"{HIDDEN}{rest[len(login) :]}" if login else rest
    address, question, query = bare.partition("?")
    if not question:
        return bare
    _, hash, fragment = query.rpartition("#")
    return f"{address}?{HIDDEN}{hash}{fragment if hash else ''}"


def _login(scheme: str, rest: str) -> str:
    """What stands before the last "@" of an address; what a login holds may be unescaped, so no other is the one.

    In `git+https://host/repository@revision` the last "@" is another's, and has no "/" after it; in
    `https://host/package@1.0` too, and has a version there.
    """
    before, _, after = rest.rpartition("@")
    if ("+" in scheme and "/" not in re.split("[#?]", after)[0]) or _VERSION.match(after):
        login, _, address = before.rpartition("@")
        if _HOST_AND_PATH.fullmatch(address):
            return login
    return before


def _forms(secrets: Iterable[str]) -> list[str]:
    forms = {form for secret in secrets for form in (secret, unquote(secret)) if len(form) >= _SHORTEST}
    return sorted(forms, key=lambda form: (-len(form), form))


def _spellings(secret: str) -> Iterable[str]:
    """Patterns for all ways in which programs write the characters of a secret.

    No group is tried again once it has matched, so that a text takes the time of its length, whatever the secret holds.
    Since a sign may stand for itself and begin an escape (in "%25", in "\\\\"), one pattern prefers either.
    """
    ways = [list(dict.fromkeys(_spellings_of(char))) for char in secret]
    yield "".join(f"(?>{'|'.join(of_one)})" for of_one in ways)
    yield "".join(f"(?>{'|'.join(reversed(of_one))})" for of_one in ways)


def _spellings_of(char: str) -> Iterable[str]:
    """The sign itself first."""
    yield re.escape(char)
    yield re.escape(char.lower())
    if char.isascii() and char.isalnum():
        return  # nobody escapes these
    if char == " ":
        yield r"\+"
    yield "".join(f"%{byte:02x}" for byte in char.encode(errors="surrogatepass"))
    yield re.escape(json.dumps(char)[1:-1])
    yield rf"\\(?:{re.escape(char)}|[ux]\{{?0*{ord(char):x}\}}?)"
