"""What uv keeps of what it downloaded, bounded."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 5_000_000_000
"""Of files that no environment shares with the cache by a link: the others take no room of their own."""


def trim(cache: Path, max_bytes: int = MAX_BYTES) -> None:
    """Empty the cache if it holds too much; nobody may be using it."""
    if not cache.is_dir() or _bytes_alone(cache) <= max_bytes:
        return
    with suppress(OSError):
        aside = Path(tempfile.mkdtemp(prefix=f".{cache.name}-", dir=cache.parent))
        cache.rename(aside / cache.name)
        shutil.rmtree(aside, ignore_errors=True)


def _bytes_alone(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                status = os.lstat(os.path.join(path, name))
                total += status.st_blocks * 512 if status.st_nlink == 1 else 0
    return total
