"""Breaks Pawl's code in small ways, one at a time, and tells which of them the tests don't notice.

Each breakage is made in a copy of the checkout: a condition turned round, a comparison moved by one, a statement left
out. The test files named for the module or importing it run first, then the rest of its folder, then what is farther;
the first test that fails ends it, if it passes on the code as it is. A breakage that changes nothing a user could
notice is no gap in the tests: read each survivor.

With --near-only, 42 breakages took 54 minutes on two cores that were busy with much else. --begin goes on where a run
was ended.
"""

from __future__ import annotations

import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from mutations import ROOT, Mutant, choose

FOLDERS = ("core", "gateway", "registry", "loader", "worker", "server", "pawl")
_STEP_S = 900
_CHANCES = 3
"""How many tests that fail as it is are left out of one step, before what the step says counts for nothing."""
_NO_TEST_RAN = 5  # pytest's exit code
_PLUGINS = ("-p", "xdist", "-p", "pytest_timeout")
_QUICKER = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "READER_EXAMPLES": "50"}
"""Importing the plugins that no test needs takes two seconds, several times for each breakage."""
_PROMISES = {
    "core": ["following", "operating"],
    "gateway": ["serving", "operating", "access"],
    "loader": ["following", "processes"],
    "pawl": ["operating"],
    "registry": ["operating", "steering"],
    "server": ["operating", "access", "steering", "following"],
    "worker": ["serving", "processes"],
}
"""For each folder, those of tests/contract that see most of it."""


def main(
    modules: Annotated[
        list[str] | None, typer.Argument(help="files or folders to break; all of Pawl's if none")
    ] = None,
    count: Annotated[int, typer.Option(help="how many breakages", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="chooses which; the same seed, the same breakages")] = 1,
    jobs: Annotated[int, typer.Option(help="how many are tried at a time", min=1)] = 2,
    near_only: Annotated[bool, typer.Option("--near-only", help="run the nearest tests alone")] = False,
    begin: Annotated[int, typer.Option(help="the number of the first that is tried", min=1)] = 1,
    only: Annotated[str, typer.Option(help="try those of them alone whose line holds this: loader/desire.py:31")] = "",
    show: Annotated[bool, typer.Option("--list", help="list the breakages, and try none")] = False,
) -> None:
    """Break the code in small ways, one at a time; list those that no test notices."""
    chosen = choose(list(_files(modules or FOLDERS)), count, random.Random(seed))
    chosen = [each for each in chosen[begin - 1 :] if only in str(each)]
    if show:
        print(*chosen, sep="\n")
        return
    survivors = [mutant for mutant, noticed in _try_all(chosen, jobs, near_only) if not noticed]
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} were noticed; these were not:")
    print(*(str(mutant) for mutant in survivors), sep="\n")


def _files(given: Sequence[str]) -> Iterator[str]:
    for name in given:
        path = ROOT / name
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (str(each.relative_to(ROOT)) for each in found)


def _try_all(mutants: Sequence[Mutant], jobs: int, near_only: bool) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it was noticed, as they are done."""
    copies: queue.Queue[Path] = queue.Queue()
    said = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="pawl-mutants-") as folder, ThreadPoolExecutor(jobs) as threads:
        for number in range(jobs):
            copies.put(_copy(Path(folder) / str(number)))

        def attempt(mutant: Mutant) -> tuple[Mutant, bool]:
            copy, begun = copies.get(), time.monotonic()
            try:
                noticed = _noticed(mutant, copy, near_only)
            finally:
                copies.put(copy)
            with said:
                print("noticed " if noticed else "SURVIVED", mutant, f"({time.monotonic() - begun:.0f} s)", flush=True)
                if noticed:
                    print(f"         by {noticed}", flush=True)
            return mutant, noticed is not None

        yield from threads.map(attempt, mutants)


def _copy(to: Path) -> Path:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)
    (to / ".venv").symlink_to((ROOT / ".venv").resolve())
    return to


def _noticed(mutant: Mutant, copy: Path, near_only: bool) -> str | None:
    """The test that fails with it and passes without it; the nearest are asked first."""
    seen: set[str] = set()
    for step in _steps(mutant.path, copy, near_only):
        tests = [each for each in dict.fromkeys(step) if each not in seen]
        seen.update(tests)
        if tests and (test := _failing(mutant, copy, tests)):
            return test
    return None


def _failing(mutant: Mutant, copy: Path, tests: Sequence[str]) -> str | None:
    """The first of these tests that the breakage makes fail."""
    left_out: list[str] = []
    while len(left_out) < _CHANCES:
        with _broken(mutant, copy):
            failed = _first_failure(copy, tests, left_out)
        if failed is None or _first_failure(copy, failed.split(), ()) is None:
            return failed
        left_out.append(failed)
    print("FAIL AS THEY ARE:", *left_out, sep="\n  ", flush=True)
    return None


@contextmanager
def _broken(mutant: Mutant, copy: Path) -> Iterator[None]:
    path = copy / mutant.path
    original = path.read_text()
    path.write_text(mutant.source)
    try:
        yield
    finally:
        path.write_text(original)


def _steps(path: str, copy: Path, near_only: bool) -> Iterator[list[str]]:
    """The test files to ask, the nearest first."""
    yield [*_named(path, copy), *_importing(path, copy)]
    folder = Path("tests", path).parent
    while not (copy / folder).is_dir():
        folder = folder.parent
    yield _files_in(copy, folder)
    if not near_only:
        top = path.split("/")[0]
        yield _files_in(copy, Path("tests", top))
        yield from (_files_in(copy, Path("tests/contract", each)) for each in _PROMISES[top])


def _named(path: str, copy: Path) -> list[str]:
    found = _files_in(copy, Path("tests", path.split("/")[0]))
    return [each for each in found if Path(path).stem in Path(each).name]


def _importing(path: str, copy: Path) -> list[str]:
    dotted, _, name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".").rpartition(".")
    imports = re.compile(rf"^from (?:{dotted}\.{name} import|{dotted} import .*\b{name}\b)", re.MULTILINE)
    found = _files_in(copy, Path("tests", path.split("/")[0]))
    return [each for each in found if imports.search((copy / each).read_text())]


def _files_in(copy: Path, folder: Path) -> list[str]:
    return [str(each.relative_to(copy)) for each in sorted((copy / folder).rglob("test_*.py"))]


def _first_failure(copy: Path, tests: Sequence[str], without: Sequence[str]) -> str | None:
    """The test that fails first, whatever its parameters; all, where none is told or they take far too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=60", "-p", "no:cacheprovider", *_PLUGINS, *tests]
    command += [f"--deselect={each}" for each in without]
    if len(tests) > 3:
        command += ["--numprocesses=2", "--dist=loadscope"]
    environ = {**os.environ, **_QUICKER, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=copy, env=environ, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            if process.wait(_STEP_S) in (0, _NO_TEST_RAN):
                return None
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        found = re.search(r"^(?:FAILED|ERROR) (tests/[^\s\[]+)", said.read(), re.MULTILINE)
    return found[1] if found else " ".join(tests)


if __name__ == "__main__":
    typer.run(main)
