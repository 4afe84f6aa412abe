"""Names in a store: lower-case letters, digits and dashes, whatever a model's name holds."""

from __future__ import annotations

import re
from hashlib import sha256

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_HASHED = re.compile(r".*-[0-9a-f]{8}\Z")


def slug(name: str, most: int = 40) -> str:
    """`name` itself where it is a slug of at most `most` characters, else what of it can stay and a hash of it all.

    Two names have two slugs: one that looks as if it ended in a hash gets one too.
    """
    if _SLUG.match(name) and len(name) <= most and not _HASHED.match(name):
        return name
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower())[: most - 9].strip("-") or "x"
    return f"{kept}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
