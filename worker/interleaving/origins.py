"""Whose a value is: where what an expression yields may have come from.

A value of no origin was made in this call, and is nobody else's. The analysis that uses this ignores the order of
statements, so an origin once acquired is kept.
"""

from __future__ import annotations

from typing import NamedTuple

SELF = "self"
"""The object whose method runs: all requests share it."""

SHARED = "shared"
"""A global, a class, a module: what all requests share."""


class Origin(NamedTuple):
    of: str
    """`SELF`, `SHARED`, or the name of a parameter with a dot before it."""
    inside: bool = False
    """Something that it holds, rather than it."""
    wrapped: bool = False
    """Held by something of nobody else's: a new list of shared things."""

    @property
    def is_parameter(self) -> bool:
        return self.of.startswith(".")


Value = frozenset[Origin]

FRESH: Value = frozenset()
THE_OBJECT: Value = frozenset({Origin(SELF)})
GLOBAL: Value = frozenset({Origin(SHARED)})


def parameter(name: str) -> Value:
    return frozenset({Origin(f".{name}")})


def held_by(value: Value) -> Value:
    """An attribute or an element of it."""
    return frozenset(
        origin._replace(wrapped=False) if origin.wrapped else origin._replace(inside=True) for origin in value
    )


def holding(value: Value) -> Value:
    """A new container with it inside."""
    return frozenset(origin._replace(wrapped=True) for origin in value)


class Summary(NamedTuple):
    """What a function does to whom, as its callers see it."""

    parameters: tuple[str, ...] = ()
    """Those that can be bound to one argument each."""
    rest: str = "*"
    """The parameter that takes the other arguments."""
    method: bool = False
    """Its first parameter is what it is called on."""
    changes: frozenset[tuple[str, bool]] = frozenset()
    """Parameters that it changes, or (True) things inside them."""
    returns: Value = FRESH


def returned(summary: Summary, arguments: dict[str, Value]) -> Value:
    """What a call returns, given what the parameters are bound to."""
    result: set[Origin] = set()
    for origin in summary.returns:
        if not origin.is_parameter:
            result.add(origin)
            continue
        if origin.of[1:] not in summary.parameters:  # of the function around it
            result.add(origin)
            continue
        value = arguments.get(origin.of[1:], FRESH)
        value = held_by(value) if origin.inside else value
        result |= holding(value) if origin.wrapped else value
    return frozenset(result)
