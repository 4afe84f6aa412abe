"""Compiled modules are shared between environments: files that uv links are compiled once, not once for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path


def share_compiled(new: Path, others: Iterable[Path]) -> list[Path]:
    """Link into the folder `new` what is compiled of its modules in `others`, where they have the very same file.

    Returns the modules that are to be compiled, large ones first.
    """
    known = list(others)
    missing = [module for module in _modules(new) if not _linked(module, new, known)]
    return sorted(missing, key=lambda module: -module.stat().st_size)


def _linked(module: Path, new: Path, others: Iterable[Path]) -> bool:
    return any(_link(module, other / module.relative_to(new)) for other in others)


def _modules(folder: Path) -> Iterator[Path]:
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names if name.endswith(".py"))


def _link(module: Path, same: Path) -> bool:
    """A compiled file names its source by time and size, which hold for it under every name that it is linked to."""
    with suppress(OSError):
        if not os.path.samefile(module, same):
            return False
        compiled = Path(cache_from_source(str(module)))
        compiled.parent.mkdir(exist_ok=True)
        os.link(cache_from_source(str(same)), compiled)
        return True
    return False
