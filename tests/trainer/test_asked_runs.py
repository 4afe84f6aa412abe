"""What people asked for at another daemon, or at one that is no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.errors import Heals, NotTrainable, PawlError, ReleaseFailed, StoreUnavailable, VersionNotFound
from core.manifest.train import Train
from core.release import Candidate
from core.runs.runs import RunResult, RunSpec
from core.runs.states import Reason, RunState
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from tests.trainer.pushes import Pushes
from trainer.asked_runs import AskedRuns
from trainer.demand.code_folders import CodeFolders
from trainer.demand.commits import Commits
from trainer.local import LocalRuns
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.recorded_runs import RecordedRuns
from trainer.reports import Reports
from trainer.run_controller import RunController

LATER_S = 3600.0


class Daemon:
    """The one that trains. `problem` is what the commit's code can't be had for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.pushes = Pushes(folder)
        self.pushes.push(train="def train(): ...")
        head = self.pushes.heads["Iris"]
        self.run = RunFile(
            run="a" * 12,
            model="Iris",
            commit="c" * 40,
            code_key=head.revision.code_key or "",
            train=Train(),
            queued_at=1.0,
            started_by="key Ann",
            asked=True,
            own=True,
        )
        self.problem: PawlError | None = None
        self.candidate = Candidate("Iris", head.version, head.revision)
        self.now = 0.0
        self.settled: list[RunResult] = []
        home = folder / "runs"
        self.open_runs = OpenRuns(home)
        self.recorded_runs = RecordedRuns(RunRecords(open_files("", folder)))
        self.ended_runs = EndedRuns(self.recorded_runs, self.settled.append)
        self.controller = RunController(
            self.open_runs,
            self.recorded_runs,
            self.ended_runs,
            LocalRuns(home, {}, 10**9),
            self._make_spec,
            lambda model: None,
            Reports().told,
        )
        self.code_folders = CodeFolders(home / ".code", self.pushes.source.check_out)
        self.asked = AskedRuns(
            Commits(dict, self._resolve),
            self.code_folders,
            self.open_runs,
            self.ended_runs,
            self.recorded_runs,
            self.controller,
            patience_s=600,
            now=lambda: self.now,
        )

    def _resolve(self, model: str, commit: str) -> Candidate:
        if self.problem is not None:
            raise self.problem
        return self.candidate

    def _make_spec(self, run: RunFile, attempt: int, judge: str) -> RunSpec:
        raise AssertionError


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path / "daemon")


def test_a_run_of_a_commit_that_a_force_push_removed_fails_once_the_mirror_can_t_be_behind(daemon: Daemon) -> None:
    daemon.problem = VersionNotFound("no commit reachable from the followed branch begins with cccc")
    assert daemon.asked.take([daemon.run]) == set()
    daemon.now = 599.0
    assert daemon.asked.take([daemon.run]) == set()
    daemon.now = 601.0
    assert daemon.asked.take([daemon.run]) == {daemon.run.run}
    [failed] = daemon.settled
    assert (failed.state, failed.reason, failed.attempts) == (RunState.FAILED, Reason.BAD_CONTRACT, 0)
    assert failed.message.startswith("no commit reachable from the followed branch begins with cccc; ")
    assert "push the commit again and retry the run" in failed.message
    assert (failed.commit, failed.started_by, failed.own) == ("c" * 40, "key Ann", True)
    assert daemon.recorded_runs.recorded("Iris", daemon.run.run).result == failed
    assert not daemon.open_runs.all


def test_a_commit_that_comes_back_is_waited_for_anew(daemon: Daemon) -> None:
    daemon.problem = VersionNotFound("gone")
    daemon.asked.take([daemon.run])
    daemon.asked.take([])
    daemon.now = 601.0
    assert daemon.asked.take([daemon.run]) == set()
    daemon.problem = None
    assert daemon.asked.take([daemon.run]) == set()
    assert daemon.open_runs.all.keys() == {daemon.run.run}
    assert not daemon.settled


@pytest.mark.parametrize(
    "problem",
    [
        NotTrainable("Iris does not train at commit cccc"),
        ReleaseFailed("model.yaml, line 3: no", stage="manifest", heals=Heals.NEVER),
    ],
)
def test_a_run_of_what_can_never_be_trained_fails_at_once(daemon: Daemon, problem: PawlError) -> None:
    daemon.problem = problem
    assert daemon.asked.take([daemon.run]) == {daemon.run.run}
    [failed] = daemon.settled
    assert (failed.state, failed.reason) == (RunState.FAILED, Reason.BAD_CONTRACT)
    assert failed.message.startswith(str(problem))


def test_a_run_that_another_edition_named_otherwise_fails_and_says_so(daemon: Daemon) -> None:
    other = msgspec.structs.replace(daemon.run, code_key="0" * 12)
    assert daemon.asked.take([other]) == {other.run}
    assert "ask for the run again" in daemon.settled[0].message


@pytest.mark.parametrize(
    "problem",
    [
        ReleaseFailed("the disk is full", stage="checkout", heals=Heals.WITH_MACHINE),
        ReleaseFailed("it raised", stage="checkout", heals=Heals.MAYBE),
        StoreUnavailable("the store is away"),
    ],
)
def test_what_may_heal_is_waited_for(daemon: Daemon, problem: PawlError) -> None:
    daemon.problem = problem
    for daemon.now in (0.0, LATER_S):
        assert daemon.asked.take([daemon.run]) == set()
    assert not daemon.settled


def test_what_the_head_wants_is_done_by_its_commit_whatever_became_of_the_one_asked_for(daemon: Daemon) -> None:
    wanted = msgspec.structs.replace(daemon.run, commit="d" * 40, asked=False, own=False)
    daemon.controller.open(wanted)
    daemon.code_folders.put(daemon.pushes.heads["Iris"].revision)
    daemon.problem = VersionNotFound("gone")
    assert daemon.asked.take([daemon.run]) == set()
    [opened] = daemon.open_runs.all.values()
    assert (opened.commit, opened.asked) == ("d" * 40, True)


def test_code_that_went_while_another_daemon_trained_is_checked_out_again(daemon: Daemon) -> None:
    daemon.asked.take([daemon.run])
    daemon.code_folders.prune(set())
    assert daemon.asked.take([daemon.run]) == set()
    assert (daemon.code_folders.path(daemon.run.code_key) / "Iris" / "train.py").is_file()


def test_a_failure_that_the_store_does_not_take_is_written_at_a_later_look(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    daemon.problem = NotTrainable("no")
    conclude: Callable[..., RunResult] = daemon.recorded_runs.conclude
    monkeypatch.setattr(daemon.recorded_runs, "conclude", away)
    assert daemon.asked.take([daemon.run]) == set()
    monkeypatch.setattr(daemon.recorded_runs, "conclude", conclude)
    assert daemon.asked.take([daemon.run]) == {daemon.run.run}
