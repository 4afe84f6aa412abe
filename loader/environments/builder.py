"""Builds one environment in a folder: the author's packages, and what Pawl's part of a worker needs beside them."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.errors import Heals, ReleaseFailed
from loader.environments.bytecode import share_compiled
from loader.environments.packages import RUNTIMES, name_of
from loader.environments.requirements import PACKAGES, Reading
from loader.environments.uv import Uv
from worker.wire.runtime_packages import OLDEST


class Builder:
    """Its calls block, and may come from several threads."""

    def __init__(self, uv: Uv, pins: Sequence[str]) -> None:
        """`pins`: requirements besides the author's, the last one being ONNX Runtime."""
        self._uv = uv
        self._pins = tuple(pins)
        self._runtime = self._pins[-1]
        self._processors = len(os.sched_getaffinity(0))

    def remarks(self, reading: Reading) -> list[str]:
        """What of the author's wishes is not fulfilled, for a log."""
        overruled = [wish for wish in reading.wishes if name_of(wish) in RUNTIMES and wish not in self._pins]
        return [
            *(f"{wish} is not installed: ONNX Runtime is Pawl's own, {self._runtime}" for wish in overruled),
            *(f"{option} changes nothing here: the newest version is taken" for option in reading.ignored),
        ]

    def build(self, folder: Path, reading: Reading, others: Iterable[Path], deadline: float) -> None:
        """Fill the `folder`, which is empty; `others` are environments to take compiled modules from.

        Raises ReleaseFailed.
        """
        venv = ("venv", "--quiet", "--allow-existing", "--relocatable", "--python", sys.executable, ".")
        self._uv.run(*venv, folder=folder, deadline=deadline)
        for place, path in reading.files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / place)
        self._install(folder, reading, deadline)
        self._compile(folder, share_compiled(folder / "lib", [other / "lib" for other in others]), deadline)
        for rest in ("tmp", PACKAGES):
            shutil.rmtree(folder / rest, ignore_errors=True)

    def _compile(self, folder: Path, modules: Sequence[Path], deadline: float) -> None:
        """Here, once, and not in the first seconds of every worker; what can't be compiled is left as it is."""
        shares = [modules[start :: self._processors] for start in range(self._processors)]
        with ThreadPoolExecutor(self._processors, "compilation") as threads:
            list(threads.map(lambda share: self._compile_share(folder, share, deadline), shares))

    def _compile_share(self, folder: Path, modules: Sequence[Path], deadline: float) -> None:
        if modules:
            with tempfile.NamedTemporaryFile("w", dir=folder / "tmp", encoding="utf-8") as names:
                names.write("".join(f"{module.relative_to(folder)}\n" for module in modules))
                names.flush()
                self._uv.run_python("-I", "-m", "compileall", "-q", "-i", names.name, folder=folder, deadline=deadline)

    def _install(self, folder: Path, reading: Reading, deadline: float) -> None:
        self._write(folder, reading, self._pins)
        if reading.wanted.hashed:  # ours have no hashes to be required, so the author's packages come first
            arguments = ("--require-hashes", "--excludes", "runtimes.txt", "-r", "requirements.txt")
            self._pip_install(*arguments, folder=folder, reading=reading, deadline=deadline)
        self._install_with(self._pins, folder, reading, deadline)

    def _install_with(self, pins: tuple[str, ...], folder: Path, reading: Reading, deadline: float) -> None:
        """Install everything; of `pins`, those that contradict the author's wishes give way as far as they can."""
        self._write(folder, reading, pins)
        arguments = ("--excludes", "excludes.txt", "--overrides", "overrides.txt", "-r", "pins.txt")
        try:
            self._pip_install(*arguments, "-r", "requirements.txt", folder=folder, reading=reading, deadline=deadline)
        except ReleaseFailed as error:
            given_way = tuple(_oldest(pin) if _names(error, pin) else pin for pin in pins)
            if given_way == pins or error.heals != Heals.NEVER:
                raise self._explained(error, pins) from error
            self._install_with(given_way, folder, reading, deadline)

    def _pip_install(self, *arguments: str, folder: Path, reading: Reading, deadline: float) -> None:
        wanted = reading.wanted
        trusted = [part for host in wanted.trusted_hosts for part in ("--allow-insecure-host", host)]
        self._uv.run(
            *("pip", "install", "--python", "bin/python", "--no-progress", "--color", "never"),
            *(("--prerelease", "allow") if wanted.prereleases else ()),
            *(*trusted, "--constraints", "constraints.txt", *arguments),
            folder=folder,
            deadline=deadline,
            secrets=self._uv.secrets(reading.addresses),
        )

    def _write(self, folder: Path, reading: Reading, pins: Sequence[str]) -> None:
        for name, lines in self._files(reading, pins).items():
            (folder / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def _files(self, reading: Reading, pins: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {
            "requirements.txt": reading.wanted.lines,
            "constraints.txt": [line for line in reading.wanted.constraints if name_of(line) not in RUNTIMES],
            "pins.txt": pins,
            "overrides.txt": [self._runtime],
            "excludes.txt": [name for name in RUNTIMES if name != name_of(self._runtime)],
            "runtimes.txt": RUNTIMES,
        }

    def _explained(self, error: ReleaseFailed, pins: Sequence[str]) -> ReleaseFailed:
        ours = [pin for pin in pins if pin in str(error)]
        if not ours:
            return error
        message = f"{error} ({', '.join(ours)}: what Pawl's own part of the worker needs)"
        return ReleaseFailed(message, stage=error.stage, detail=error.detail, heals=error.heals)


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _oldest(pin: str) -> str:
    name = name_of(pin)
    return f"{name}>={OLDEST[name]}" if name in OLDEST else pin


def _names(error: ReleaseFailed, pin: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name_of(pin))}(?![\w-])", f"{error} {error.detail}") is not None
