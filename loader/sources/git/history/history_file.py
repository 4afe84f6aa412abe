"""The history in a file, so that a start goes on where the last one stopped.

The file is a cache: whatever is wrong with it, the history is counted again. Only numbers and names are read from it,
so that whoever could write to it makes nobody run anything.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from operator import lt
from pathlib import Path

import msgspec

from loader.sources.git.history.commits import Commits
from loader.sources.git.history.history import History, Touches

log = logging.getLogger(__name__)

FORMAT = 1
"""To be raised with every change of what is counted, or of how it is written."""


class _Touching(msgspec.Struct, array_like=True):
    name: bytes
    at: bytes
    newest: int


class _Also(msgspec.Struct, array_like=True):
    model: bytes
    name: bytes
    at: bytes


class _File(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    format: int
    followed: str
    head: str
    ids: bytes
    dates: bytes
    parents: bytes
    ends: bytes
    generations: bytes
    touching: list[_Touching]
    also: list[_Also]


def save(path: Path, history: History, followed: str) -> None:
    """`followed` tells what the history is of. Raises OSError."""
    commits = history.commits
    file = _File(
        format=FORMAT,
        followed=followed,
        head=history.head or "",
        ids=commits.ids,
        dates=_packed(commits.dates),
        parents=_packed(commits.parents),
        ends=_packed(commits.ends),
        generations=_packed(commits.generations),
        touching=[_Touching(_bytes(name), _packed(one.at), one.newest) for name, one in history.touching.items()],
        also=[
            _Also(_bytes(model), _bytes(name), _packed(at))
            for model, names in history.also.items()
            for name, at in names.items()
        ],
    )
    content = msgspec.msgpack.encode(file)
    aside = path.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    with open(aside, "xb", opener=_for_us_alone) as out:
        out.write(_digest(content))
        out.write(content)
    aside.replace(path)


def load(path: Path, followed: str) -> History | None:
    """None when there is no such file, when it is of something else, or when it is not as it was written."""
    try:
        return _history(_read(path), followed)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s can't be read (%s); the repository's history is counted again", path, error)
        return None


def _read(path: Path) -> bytes:
    # What lies there might be a pipe that nobody writes to, or a link to something without an end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        return file.read()


def _history(content: bytes, followed: str) -> History | None:
    """Raises ValueError for what was not written by `save`."""
    if content[:_DIGEST] != _digest(content[_DIGEST:]):
        raise ValueError("it was changed, or is not whole")
    file = msgspec.msgpack.decode(content[_DIGEST:], type=_File)
    if file.format != FORMAT or file.followed != followed:
        return None
    commits = Commits(
        file.ids, _unpacked(file.dates, "q"), *map(_unpacked, (file.parents, file.ends, file.generations))
    )
    touching = {_text(one.name): Touches(_unpacked(one.at), one.newest) for one in file.touching}
    also: dict[str, dict[str, Sequence[int]]] = {}
    for one in file.also:
        also.setdefault(_text(one.model), {})[_text(one.name)] = _unpacked(one.at)
    history = History(commits, touching, also)
    _check(history, file.head)
    return history


def _check(history: History, head: str) -> None:
    """Raises ValueError for numbers that lead nowhere."""
    commits, count = history.commits, len(history.commits)
    _demand(count > 0 and _IDS.fullmatch(commits.ids) is not None and len(commits.ids) % count == 0)
    _demand(history.head == head)
    _demand(len(commits.ends) == len(commits.generations) == count)
    _demand(commits.ends[-1] == len(commits.parents) and list(commits.ends) == sorted(commits.ends))
    _demand(all(parent < at for at in range(count) for parent in commits.parents_of(at)))
    for touches in history.touching.values():
        _demand(_ascend(touches.at, count) and 0 <= touches.newest < count)
    for names in history.also.values():
        _demand(all(_ascend(at, count) for at in names.values()))


def _ascend(at: Sequence[int], below: int) -> bool:
    return len(at) > 0 and at[-1] < below and all(map(lt, at, at[1:]))


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("its numbers lead nowhere")


_IDS = re.compile(rb"(\n[0-9a-f]{40})+|(\n[0-9a-f]{64})+")
_DIGEST = 32


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()


def _packed(numbers: Sequence[int]) -> bytes:
    return (numbers if isinstance(numbers, array) else array("I", numbers)).tobytes()


def _unpacked(content: bytes, kind: str = "I") -> array[int]:
    numbers = array(kind)
    numbers.frombytes(content)
    return numbers


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
