"""Which of our two kinds of answer a client would rather have (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re

_QUALITY = re.compile(r"\s*q\s*=\s*(1(?:\.0{0,3})?|0(?:\.\d{0,3})?)\s*\Z", re.IGNORECASE)


def prefers_html(accept: str) -> bool:
    """Whether `text/html` is liked better than `application/json`: browsers say so; programs that don't care get JSON.

    `accept`: the header, several of them joined by commas. What is not a media range in it is passed over.
    """
    ranges = [found for part in accept.split(",") if (found := _range(part))]
    return _liking("text", "html", ranges) > _liking("application", "json", ranges)


def _range(part: str) -> tuple[str, float] | None:
    media, *parameters = part.split(";")
    qualities = [float(found[1]) for one in parameters if (found := _QUALITY.match(one))]
    return (media.strip().lower(), qualities[0] if qualities else 1.0) if "/" in media else None


def _liking(kind: str, name: str, ranges: list[tuple[str, float]]) -> float:
    """The quality that the most specific range gives."""
    for wanted in (f"{kind}/{name}", f"{kind}/*", "*/*"):
        found = [quality for media, quality in ranges if media == wanted]
        if found:
            return max(found)
    return 0.0
