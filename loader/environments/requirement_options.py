"""The options of a requirements file: what stands after the first word that begins with "-"."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "-f": "--find-links"}
_VALUED = (
    *("--requirement", "--constraint", "--index-url", "--extra-index-url", "--find-links"),
    *("--no-binary", "--only-binary", "--trusted-host"),
)
_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
_ALIASES = {"--pypi-url": "--index-url"}
_OF_A_REQUIREMENT = ("--hash",)
_REFUSED_BY_NAME = ("--editable",)
"""Known, so that what refuses them can say why."""

TAKEN = ", ".join((*_VALUED, *_FLAGS, *_OF_A_REQUIREMENT))


class NotUnderstood(ValueError):
    """What is wrong with an option, in words."""


def split_options(line: str) -> tuple[str, list[tuple[str, str]]]:
    """A line's requirement, empty if it has none, and its options by their long names, flags with the value "".

    Raises NotUnderstood.
    """
    words = line.split(" ")
    first = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = " ".join(words[:first])
    try:
        given = shlex.split(" ".join(words[first:]))
    except ValueError as error:
        raise NotUnderstood(f"the quotes don't match ({error})") from None
    options = list(_named(given))
    for name, _ in options:
        if requirement and name not in _OF_A_REQUIREMENT:
            raise NotUnderstood(f"{name} is not taken after a requirement; put it into a line of its own")
        if not requirement and name in _OF_A_REQUIREMENT:
            raise NotUnderstood(f"{name} is taken only after a requirement")
    return requirement, options


def _named(given: list[str]) -> Iterator[tuple[str, str]]:
    words = iter(given)
    for word in words:
        name, equals, value = _parted(word)
        if name in _FLAGS and not equals:
            yield name, ""
        elif name in (*_VALUED, *_OF_A_REQUIREMENT, *_REFUSED_BY_NAME):
            value = value if equals else next(words, "")
            if not value:
                raise NotUnderstood(f"{name} has no value")
            yield name, value
        else:
            raise NotUnderstood(f"this option is not taken; taken are {TAKEN}")


def _parted(word: str) -> tuple[str, str, str]:
    if word[:2] in _SHORT:  # -r file, -rfile, -r=file
        return _SHORT[word[:2]], word[2:], word[2:].removeprefix("=")
    name, equals, value = word.partition("=")
    return _ALIASES.get(name, name), equals, value
