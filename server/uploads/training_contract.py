"""Whether a folder that trains holds what a run would look for, as far as can be told without running any of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from core.errors import ReleaseFailed
from core.manifest.train import Train
from server.uploads import bound_names
from server.uploads.errors import NotExamined

_MODULES = ("train.py", "etls.py")
_ENTRY = "train"
_GIVEN = ("dataset", "validation", "output", "checkpoint", "report", "model_params")
"""To a function: see `worker/training/function_form.py`."""
_MOST_BYTES = 1_000_000
"""Of a module that is looked into; a larger one is taken as it is."""


class BoundNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a module binds, told by `bound_names.py`."""

    binds: bool = False
    """The name that was asked for."""
    binds_anything: bool = False
    has_class: bool = False
    needs: tuple[str, ...] = ()
    """Arguments of the function of that name that have no default, where it is sure to be the one."""
    fault: str = ""
    """Why it can't be read."""
    line: int = 0
    """Of the fault, or else of that function."""


class Bounds(msgspec.Struct, frozen=True):
    """Of what may be spent on a module."""

    cpu_s: int = 10
    memory_bytes: int = 2 * 2**30
    patience_s: float = 60.0
    """For the process that looks, which may have to wait for a processor."""


_BOUNDS = Bounds()


def check_training(folder: Path, train: Train | None, bounds: Bounds = _BOUNDS) -> None:
    """Raises ReleaseFailed for code that no run could begin with: see `find_entry` in `worker/model/entry.py`; and
    NotExamined where it can't be looked into."""
    file = next((folder / name for name in _MODULES if (folder / name).is_file()), None)
    if file is None:
        raise _broken("it has neither a train.py nor an etls.py; write a train.py with a function train")
    if file.stat().st_size > _MOST_BYTES:
        return
    entry = None if train is None else train.entry
    bound = _look(file, entry or _ENTRY, bounds)
    if bound.fault:
        where = f"{file.name}, line {bound.line}" if bound.line else file.name
        raise _broken(f"it can't be read as Python: {bound.fault} ({where})")
    if bound.binds or bound.binds_anything:
        _check_given(bound, train or Train(), f"{file.name}, line {bound.line}: {entry or _ENTRY}")
        return
    if entry is not None:
        raise _broken(f"{file.name} has no {entry!r}, which train.entry in model.yaml names")
    if not bound.has_class:
        raise _broken(f"{file.name} has neither a function {_ENTRY} nor a class with a method {_ENTRY}")


def _check_given(bound: BoundNames, train: Train, function: str) -> None:
    given = (*_GIVEN, *train.params, *(train.search.params if train.search is not None else ()))
    for name in bound.needs:
        if name not in given:
            raise _broken(
                f"{function} needs the argument {name!r}; Pawl gives {', '.join(_GIVEN)}; add {name!r} to train.params "
                "in model.yaml, or give it a default"
            )


def _look(file: Path, name: str, bounds: Bounds) -> BoundNames:
    """By a process of its own, which the file may end, fill or keep busy without harm to this one."""
    limits = [str(bounds.cpu_s), str(bounds.memory_bytes)]
    command = [sys.executable, "-I", "-S", bound_names.__file__, name, *limits]
    try:
        with file.open("rb") as source:
            ended = subprocess.run(
                command, stdin=source, capture_output=True, env={}, cwd="/", timeout=bounds.patience_s
            )
        return msgspec.json.decode(ended.stdout, type=BoundNames)
    except subprocess.TimeoutExpired as error:  # its own processor time would have ended it long before
        raise _unexamined(file, f"no processor was free for it in {bounds.patience_s:g} s") from error
    except OSError as error:
        raise _unexamined(file, f"{error.filename or 'the process that does it'}: {error.strerror}") from error
    except msgspec.MsgspecError:
        most = f"{bounds.cpu_s} s or {bounds.memory_bytes // 2**20:,} MB"
        return BoundNames(fault=f"to parse it takes more than {most}, or ends the process that does it")


def _unexamined(file: Path, why: str) -> NotExamined:
    return NotExamined(
        f"{file.name} could not be looked into: {why}; that says nothing of the code; try again, and see to the "
        "machine's load, memory and disk if it comes again"
    )


def _broken(message: str) -> ReleaseFailed:
    return ReleaseFailed(message, stage="load")
