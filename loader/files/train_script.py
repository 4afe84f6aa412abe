"""A `train.py` that its author runs by hand: a script, with nothing in it for a run of Pawl's to call.

Told from its lines: to parse what strangers wrote may take endless time, or end the process that does it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Set

from loader.files.code_key import TRAIN

_MOST_BYTES = 1_000_000
"""Of a script; what is larger is none."""

_GUARD = re.compile(
    rb"""^if\b[ \t(]*(__name__[ \t]*==[ \t]*["']__main__["']|["']__main__["'][ \t]*==[ \t]*__name__)""", re.MULTILINE
)
_MAY_TRAIN = re.compile(
    rb"\bdef[ \t]+train\b"
    # bases may have a method train
    rb"|^[ \t]*class[ \t]+(train\b|\w+[ \t]*(\[[^\]]{0,500}\][ \t]*)?\(\s*[^)\s])"
    rb"|^[ \t]*(from|import)\b.*(\btrain\b|\*)|\bas[ \t]+train\b"
    rb"|\bimport[ \t]*\(([^)]{0,2000}\btrain\b|[^)]{2000})|\\\r?\n[ \t]*train\b"
    rb"|^train\b[^=\r\n]*=(?!=)",
    re.MULTILINE,
)

_IMPORT = re.compile(rb"^[ \t]*(from|import)[ \t]+(\.|\w+)", re.MULTILINE)


def may_be_script(names: Set[str], size: int) -> bool:
    """Whether the source is worth a look: `names` are those in the folder, `size` is that of its train.py."""
    is_served = "etls.py" in names or any(name.endswith(".onnx") for name in names)
    return TRAIN in names and is_served and size <= _MOST_BYTES


def is_script(source: bytes, names: Set[str]) -> bool:
    """Whether it does something when it is run by its name, and neither has nor may have anything called `train`: what
    it imports of the folder's own may have that. `names`: those in the folder."""
    if _GUARD.search(source) is None or _MAY_TRAIN.search(source) is not None:
        return False
    own = {os.fsencode(name.removesuffix(".py")) for name in names}
    return not any(found[2] in own or found[2].startswith(b".") for found in _IMPORT.finditer(source))
