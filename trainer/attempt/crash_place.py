"""Where code was when it was ended, or crashed: from what faulthandler printed then."""

from __future__ import annotations

import re

_CURRENT = "Current thread "
_FRAME = re.compile(r'^  File "(.+)", line ([0-9]+) in ', re.MULTILINE)


def crash_place(printed: str, folder: str, root: str) -> str:
    """Like `train.py, line 3`: the innermost line of the author's. Empty: nothing says.

    `folder`: the model's, in `root`, which holds those that it uses too.
    """
    _, found, stack = printed.rpartition(_CURRENT)
    if not found:
        return ""
    for path, line in _FRAME.findall(stack):
        for base in (folder, root):
            if path.startswith(f"{base}/"):
                return f"{path.removeprefix(f'{base}/')}, line {line}"
    return ""
