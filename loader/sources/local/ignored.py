"""What editors, Python and volumes leave in a folder beside the files of a model."""

from __future__ import annotations

import re


def is_ignored(name: str) -> bool:
    """Whether a file or folder of that name is not part of a model."""
    return _IGNORED.fullmatch(name) is not None


_IGNORED = re.compile(
    # Hidden; Python's; backups of vi, Emacs and others; vim's probe for a writable folder; JetBrains' safe writes.
    r"\..*|__pycache__|.*\.pyc|.*~|#.*#|.*\.sw[a-p]|4913|.*___jb_(tmp|old)___",
    re.DOTALL,
)
