"""The package `_pawl_installed` of an installed Pawl: the folder in which all of ours lies, which nothing else imports.

ADR 13 says why, and setup.py puts it there.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The command `pawl`. Ours go first: a package of the same name may be installed beside it."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from pawl.__main__ import main as run

    run()
