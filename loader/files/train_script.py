"""A `train.py` that its author runs by hand: a script, with nothing in it for a run of Pawl's to call.

Told from its lines: to parse what strangers wrote may take endless time, or end the process that does it.
"""

from __future__ import annotations

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
    rb"|^[ \t]*class[ \t]+(train\b|\w+[ \t]*\(\s*[^)\s])"  # bases may have a method train
    rb"|^[ \t]*(from|import)\b.*(\btrain\b|\*)|\bas[ \t]+train\b|^[ \t]*train[ \t,)]*$"
    rb"|^train\b[^=\r\n]*=(?!=)",
    re.MULTILINE,
)


def may_be_script(files: Set[str], size: int) -> bool:
    """Whether the source is worth a look: `files` are those of the folder, `size` is that of its train.py."""
    is_served = "etls.py" in files or any(name.endswith(".onnx") for name in files)
    return TRAIN in files and is_served and size <= _MOST_BYTES


def is_script(source: bytes) -> bool:
    """Whether it does something when it is run by its name, and neither has nor may have anything called `train`."""
    return _GUARD.search(source) is not None and _MAY_TRAIN.search(source) is None
