"""Calls the author's functions with the arguments that they name, and tells which name is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ContractBroken

_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Arguments:
    """What a function may be given."""

    first: Sequence[Any] = ()
    """By position, whatever their names."""
    offered: Mapping[str, Any] = field(default_factory=dict)
    """By name; those that the function doesn't name are left out."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """By name, all of them."""
    key: str = "train.params"
    """Where in model.yaml the params stand."""

    def call(self, function: Callable[..., Any], title: str, place: str) -> Any:
        """Call it. `title` names the function in messages, `place` says where it is.

        Raises ContractBroken for an argument that is missing or that it doesn't take; else what the function raises.
        """
        positional, named = self._bind(function, f"{place}: {title}")
        return function(*positional, **named)

    def _bind(self, function: Callable[..., Any], title: str) -> tuple[list[Any], dict[str, Any]]:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # a function of a C extension tells nothing
            return list(self.first), dict(self.params)
        named = self._after_first(parameters, title)
        self._check(named, title)
        given = {**self.offered, **self.params}
        known = {each.name for each in named}
        by_position = [
            given.pop(each.name) for each in named if each.kind is each.POSITIONAL_ONLY and each.name in given
        ]
        return [*self.first, *by_position], {
            name: value for name, value in given.items() if name in known or name in self.params
        }

    def _after_first(self, parameters: list[inspect.Parameter], title: str) -> list[inspect.Parameter]:
        """The parameters that are given by name."""
        by_position = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
        takes_more = any(each.kind is each.VAR_POSITIONAL for each in parameters)
        if len(by_position) < len(self.first) and not takes_more:
            raise ContractBroken(f"{title} takes {_listed(parameters)}; it has to take {len(self.first)} by position")
        taken = {each.name for each in by_position[: len(self.first)]}
        return [each for each in parameters if each.name not in taken]

    def _check(self, parameters: Sequence[inspect.Parameter], title: str) -> None:
        names = [each.name for each in parameters if each.kind not in _ANY]
        for name in self.params:
            if name in self.offered:
                raise ContractBroken(
                    f"model.yaml: {self.key} has {name!r}, which is given by Pawl; call the parameter something else"
                )
            if name not in names and not any(each.kind is each.VAR_KEYWORD for each in parameters):
                raise ContractBroken(
                    f"{title} takes no argument {name!r}, which {self.key} has{self._also()}; "
                    f"it takes {_listed(parameters)}{_guess(name, names)}"
                )
        for each in parameters:
            if each.default is each.empty and each.kind not in _ANY and each.name not in {*self.offered, *self.params}:
                raise ContractBroken(f"{title} needs the argument {each.name!r}; {self._remedy(each.name)}")

    def _also(self) -> str:
        return " in model.yaml, or --set gave" if self.key == "train.params" else ""

    def _remedy(self, name: str) -> str:
        close = _close(name, [*self.offered, *self.params])
        meant = f"is {close!r} meant? " if close else ""
        pawl = f"Pawl gives {', '.join(self.offered)}; " if self.offered else ""
        return f"{meant}{pawl}add {name!r} to {self.key} in model.yaml, or give it a default"


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether the function names that argument."""
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _listed(parameters: Sequence[inspect.Parameter]) -> str:
    return ", ".join(each.name for each in parameters if each.kind not in _ANY) or "none"


def _guess(name: str, names: Sequence[str]) -> str:
    close = _close(name, names)
    return f": is {close!r} meant?" if close else ""


def _close(name: str, names: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # only here, for it is needed only for a refusal

    return next(iter(get_close_matches(name, names, n=1)), None)
