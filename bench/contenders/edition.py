"""Editions of Pawl that can be measured: this checkout, and any commit of its history."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from bench.contenders.contender import CannotStart
from bench.machine.home import HOME, ROOT

_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Edition:
    """A checkout of Pawl, and the Python that has what it requires."""

    code: Path
    python: str


OURS = Edition(ROOT, sys.executable)


def edition_of(commit: str) -> Edition:
    """The commit, checked out beside our results and kept there. Raises CannotStart where there is no such commit.

    It runs in our environment; in one of its own if its requirements differ.
    """
    full = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").decode().strip()
    code = HOME / "editions" / full
    if not code.exists():
        _check_out(full, code)
    if (code / _REQUIREMENTS).read_bytes() == (ROOT / _REQUIREMENTS).read_bytes():
        return Edition(code, OURS.python)
    subprocess.run([code / "scripts/setup"], check=True)
    return Edition(code, str(code / ".venv/bin/python"))


def _check_out(commit: str, code: Path) -> None:
    code.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="aside-", dir=code.parent))
    try:
        with tarfile.open(fileobj=BytesIO(_git("archive", commit))) as archive:
            archive.extractall(aside, filter="data")
        aside.rename(code)
    except BaseException:
        shutil.rmtree(aside)
        raise


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise CannotStart(
            f"git {' '.join(arguments)} failed: {done.stderr.decode().strip() or 'there is no such commit'}"
        )
    return done.stdout
