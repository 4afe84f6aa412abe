"""Training under faults, on a clock of its own: real plans, records and files, and processes that only pretend.

Everything that is drawn comes from one seed, so a schedule that fails can be run again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from core.errors import StoreUnavailable
from core.manifest.train import Train
from core.runs.runs import AttemptResult, Failure, RunResult, RunSpec
from core.runs.states import RunState
from loader.artifacts.files.files import Stored
from loader.artifacts.records import RunRecords
from trainer.gates import Live
from trainer.plan import Running
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.record_names import RESULT, attempt_log, attempt_record
from trainer.records.recorded_runs import RecordedRuns
from trainer.run_controller import RunController, Told

TICK_S = 0.25
WORK_S = 2.0
FAULTS_S = 40.0
PAUSE_S = 5.0
"""The longest before what was lost is tried again."""
MODELS = ("Iris", "Digits", "Diabetes")
STEPS = ("claim", "train", "artifact", "record", "exit")


class Crash(BaseException):
    """The daemon is killed here and now."""


class World:
    """The clock, the store, the head, and what goes wrong."""

    def __init__(self, seed: int, home: Path) -> None:
        self.random = Random(seed)
        self.now = 1_000_000.0
        self.trouble_ends = self.now + FAULTS_S
        self.store: dict[str, bytes] = {}
        self.artifacts: set[str] = set()
        self.outage_ends = 0.0
        self.settled: dict[str, list[RunResult]] = {}
        self.opened: list[RunFile] = []
        self.begun: list[tuple[str, int]] = []
        self.head = dict.fromkeys(MODELS, 0)
        nodes = self.random.choice((1, 2))
        self.nodes = [Node(self, home / f"node{number}") for number in range(nodes)]
        self.is_leased = self.random.random() < 0.5
        self.holder = 0
        self.is_between = False

    @property
    def in_trouble(self) -> bool:
        return self.now < self.trouble_ends

    def happens(self, chance: float) -> bool:
        return self.in_trouble and self.random.random() < chance

    def wanted(self) -> list[RunFile]:
        return [
            RunFile(
                run=key_of(model, commit),
                model=model,
                commit=f"{commit:040x}",
                code_key=f"{commit:012x}",
                train=msgspec.convert({"retries": 100, "over_live": 0, "supersede": policy_of(model)}, Train),
                queued_at=self.now,
            )
            for model, commit in self.head.items()
        ]

    def run(self) -> None:
        """All of the trouble."""
        while self.in_trouble:
            self.tick()

    def tick(self) -> None:
        self.now += TICK_S
        if self.happens(0.03):
            self.outage_ends = self.now + self.random.uniform(0.5, 6)
        if self.happens(0.05):
            self.head[self.random.choice(MODELS)] = self.random.randrange(6)
        if self.happens(0.02):
            self.holder = self.random.randrange(len(self.nodes))
        for number, node in enumerate(self.nodes):
            node.tick(acts=not self.is_leased or number == self.holder)

    def meanwhile(self, node: Node) -> None:
        """Other daemons look while this one's is between two steps."""
        if self.is_leased or self.is_between or not self.happens(0.1):
            return
        self.is_between = True
        for other in self.nodes:
            if other is not node:
                other.look()
        self.is_between = False

    def is_caught_up(self) -> bool:
        return all(self.result_of(run.run) is not None for run in self.wanted())

    def has_recovered(self) -> bool:
        """Whether the store and all daemons are back, some time after the trouble."""
        return self.now >= self.outage_ends and all(node.controller is not None for node in self.nodes)

    def is_at_work(self) -> bool:
        """Whether a process works for what is wanted and not there yet, and may go on."""
        missing = {run.run for run in self.wanted() if self.result_of(run.run) is None}
        return any(
            process.is_at_work and process.spec.run in missing for node in self.nodes for process in node.processes
        )

    def is_pausing(self) -> bool:
        """Whether what was lost of it waits to be tried again, as it should after so many tries."""
        ends = [self._lost(run.run) for run in self.wanted() if self.result_of(run.run) is None]
        return any(lost and self.now < max(lost) + min(2.0 ** (len(lost) - 1), PAUSE_S) for lost in ends)

    def _lost(self, key: str) -> list[float]:
        """When its attempts were lost."""
        records = [text for name, text in self.store.items() if re.search(rf"/{key}/a\d+\.json$", name)]
        found = [msgspec.json.decode(text, type=AttemptResult) for text in records]
        return [one.ended_at.timestamp() for one in found if one.state is RunState.LOST]

    def result_of(self, key: str) -> RunResult | None:
        found = [content for name, content in self.store.items() if f"/{key}/result.json" in name]
        assert len(found) <= 1
        return msgspec.json.decode(found[0], type=RunResult) if found else None


class Node:
    """A machine: a daemon, its disk, and the processes that it began."""

    def __init__(self, world: World, home: Path) -> None:
        self.world = world
        self.home = home
        self.processes: list[Process] = []
        self.controller: RunController | None = None
        self.back_at = 0.0

    def tick(self, acts: bool) -> None:
        for process in self.processes:
            process.tick()
        if self.controller is None and self.world.now >= self.back_at:
            self.controller = self._daemon()
        if acts:
            self.look()
        elif self.controller is not None:
            self.follow(self.ended_runs)

    def follow(self, ended_runs: EndedRuns) -> None:
        try:
            ended_runs.follow(self.world.wanted())
        except StoreUnavailable:
            pass
        except Crash:
            self._is_killed()

    def look(self) -> None:
        if self.controller is None:
            return
        try:
            if self.world.happens(0.01):
                raise Crash
            self.controller.look(self.world.wanted())
        except Crash:
            self._is_killed()

    def _is_killed(self) -> None:
        self.controller = None
        self.back_at = self.world.now + self.world.random.uniform(0, 5)

    @contextmanager
    def step(self) -> Iterator[None]:
        """The daemon may be killed before it, or after."""
        if self.world.happens(0.01):
            raise Crash
        yield
        if self.world.happens(0.01):
            raise Crash

    def _daemon(self) -> RunController:
        told = Told(
            opened=self.world.opened.append,
            begun=lambda run, attempt: self.world.begun.append((run.run, attempt)),
            attempted=lambda result: None,
            superseded=lambda run: None,
            gone=lambda result: None,
        )
        records = RunRecords(Files(self.world, self))  # type: ignore[arg-type]  # all that records need of a store
        open_runs = OpenRuns(self.home)
        now = lambda: self.world.now  # noqa: E731
        recorded_runs = RecordedRuns(records, now)
        is_kept = self.world.artifacts.__contains__
        self.ended_runs = EndedRuns(recorded_runs, self._settle, now)
        return RunController(
            open_runs, recorded_runs, self.ended_runs, Processes(self), _spec, self._live, told, 2, now, is_kept
        )

    def _settle(self, result: RunResult) -> None:
        self.world.settled.setdefault(result.run, []).append(result)

    def _live(self, model: str) -> Live | None:
        """What one daemon takes for live another may not: they may judge the same attempt otherwise."""
        return Live("live", "0" * 12, {"score": self.world.random.random()}) if self.world.happens(0.5) else None


class Files:
    """The store, as it is reached from somewhere; `node` is None for an attempt's process."""

    def __init__(self, world: World, node: Node | None) -> None:
        self.world = world
        self.node = node

    @contextmanager
    def _reached(self) -> Iterator[None]:
        if self.world.now < self.world.outage_ends or self.world.happens(0.01):
            raise StoreUnavailable("the store is away")
        if self.node is None:
            yield
        else:
            self.world.meanwhile(self.node)
            with self.node.step():
                yield
        if self.world.happens(0.01):
            raise StoreUnavailable("the store took it and did not say so")

    def read(self, name: str) -> bytes:
        with self._reached():
            if name not in self.world.store:
                raise FileNotFoundError(name)
            return self.world.store[name]

    def create(self, name: str, content: bytes) -> bool:
        with self._reached():
            if name in self.world.store:
                return False
            self.world.store[name] = content
            return True

    def write(self, name: str, content: bytes) -> None:
        retried = name.removesuffix(RESULT) + "retry-"
        is_replaced = name.endswith(RESULT) and any(other.startswith(retried) for other in self.world.store)
        assert name.endswith("log.txt") or is_replaced, "records are written once"
        with self._reached():
            self.world.store[name] = content

    def files(self, under: str) -> list[Stored]:
        with self._reached():
            found = [name for name in self.world.store if name.startswith(f"{under}/")]
            return [Stored(name[len(under) + 1 :], 1, 0.0) for name in found]


@dataclass(eq=False)
class Process:
    """An attempt's, that goes on whatever becomes of its daemon. One that hides is taken for gone, and is not."""

    world: World
    spec: RunSpec
    left: list[tuple[str, float]] = field(default_factory=list)
    claimed: bool = False
    alive: bool = True
    hidden: bool = False
    frozen_until: float = 0.0
    told: RunState | None = None
    result: AttemptResult | None = None

    @property
    def is_at_work(self) -> bool:
        return self.alive and not self.hidden and self.told is None

    def tick(self) -> None:
        if not self.alive or self.world.now < self.frozen_until:
            return
        if self.world.happens(0.01):
            self.alive = False  # kill -9, at whatever step
        elif self.world.happens(0.03):
            self.hidden, self.frozen_until = True, self.world.now + self.world.random.uniform(0, 15)
        else:
            self._go_on()

    def _go_on(self) -> None:
        while self.alive and self.left and self.left[0][1] <= self.world.now:
            if not self._did(self.left[0][0]):
                return
            self.left.pop(0)

    def _did(self, step: str) -> bool:
        match step:
            case "claim":
                self.claimed = True
            case "train" if self.world.happens(0.1):
                self._end(RunState.LOST)  # its child was killed
            case "artifact" if self.result is None and self.told is None:
                self.world.artifacts.add(self._artifact)
            case "record":
                self._end(RunState.SUCCEEDED)
                return self._record()
            case "exit":
                self.alive = False
        return True

    @property
    def _artifact(self) -> str:
        """Training is not exact: each attempt's is another."""
        return f"{self.spec.run}-{self.spec.attempt}-{id(self)}"

    def _end(self, state: RunState) -> None:
        if self.result is None:
            state = self.told or state
            self.result = AttemptResult(
                run=self.spec.run,
                attempt=self.spec.attempt,
                model=self.spec.model,
                state=state,
                heals=state is RunState.LOST,
                scores={"score": 0.5},
                artifact=self._artifact if state is RunState.SUCCEEDED else "",
                ended_at=datetime.fromtimestamp(self.world.now, UTC),
            )

    def _record(self) -> bool:
        records = RunRecords(Files(self.world, None))  # type: ignore[arg-type]
        assert self.result is not None
        try:
            records.put(self.spec.model, self.spec.run, attempt_log(self.spec.attempt), b"printed")
            name = attempt_record(self.spec.attempt)
            records.put_once(self.spec.model, self.spec.run, name, msgspec.json.encode(self.result))
        except StoreUnavailable:
            return False
        return True


class Processes:
    """The executor of a node; its processes and their files outlive the daemon."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def begin(self, spec: RunSpec) -> None:
        with self.node.step():
            if self.node.world.happens(0.05):
                raise OSError(28, "no space left on device")
            now = self.node.world.now
            times = (now + 0.1, now + WORK_S, now + WORK_S, now + WORK_S + 0.1, now + WORK_S + 0.2)
            process = Process(self.node.world, spec, list(zip(STEPS, times, strict=True)))
            self.node.processes = [other for other in self.node.processes if other.claimed or not _same(other, spec)]
            self.node.processes.append(process)

    def running(self) -> Mapping[str, Running]:
        with self.node.step():
            seen = [process for process in self.node.processes if process.alive and not process.hidden]
            return {process.spec.run: Running(process.spec.attempt, process.told) for process in seen}

    def begun(self, model: str, key: str) -> int:
        with self.node.step():
            return max((one.spec.attempt for one in self.node.processes if one.spec.run == key), default=0)

    def reached(self, key: str, attempt: int) -> None:
        return None

    def stop(self, key: str, attempt: int, why: RunState) -> None:
        with self.node.step():
            for process in self._of(key):
                if process.spec.attempt == attempt:
                    process.told = why
                    process.left = [(step, self.node.world.now) for step, _ in process.left]

    def enforce(self) -> None:
        pass

    def bury(self, model: str, key: str, attempt: int) -> Failure:
        with self.node.step():
            for process in self._of(key):
                process.alive = process.alive and process.hidden  # what hides can't be killed
        return Failure(None, "gone", heals=True, state=RunState.LOST)

    def remove(self, key: str) -> None:
        with self.node.step():
            self.node.processes = [one for one in self.node.processes if one.spec.run != key or one.hidden]
            for path in self.node.home.glob(f"{key}/*"):
                path.unlink()

    def _of(self, key: str) -> Sequence[Process]:
        return [process for process in self.node.processes if process.spec.run == key]


def _same(process: Process, spec: RunSpec) -> bool:
    return (process.spec.run, process.spec.attempt) == (spec.run, spec.attempt)


def _spec(run: RunFile, attempt: int, judge: str) -> RunSpec:
    about: dict[str, Any] = {"run": run.run, "attempt": attempt, "model": run.model, "commit": run.commit}
    return RunSpec(**about, code_key=run.code_key, train=run.train, root="/", home="/", data_dir="/", judge=judge)


def key_of(model: str, commit: int) -> str:
    return f"{MODELS.index(model):06x}{commit:06x}"


def policy_of(model: str) -> str:
    return ("queued", "running", "none")[MODELS.index(model)]
