from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from core.errors import DatasetUnavailable, Heals, RunStateConflict, StoreUnavailable
from core.events import BY_PUSH, EventKind
from core.release import Artifact
from core.runs.runs import RunResult
from core.runs.states import Reason, RunState
from loader.artifacts.records import RunRecords
from tests.processes import is_alive
from tests.trainer.pushes import Pushes, come, in_a_loop
from trainer.assembly import Training
from trainer.catalogue.control import TrainerControl
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked
from trainer.lease import Never
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.record_names import LOG
from trainer.sharing import NotShared

FITS = """
def train(output, depth=1):
    with open(output + "model.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""
LITTERS = """
import os
def train(output, dataset):
    assert sorted(os.listdir(dataset)) == ["a.csv"] and "json.py" not in os.listdir(".")
    for name in (dataset + "/cache.bin", "json.py"):
        with open(name, "w") as file:
            file.write("left")
    if os.environ["PAWL_ATTEMPT"] == "1":
        os.kill(os.getpid(), 9)
    open(output + "m", "w").close()
    return 1
"""
WAITS = """
import os, time
def train(output, checkpoint):
    print("waits", flush=True)
    with open(checkpoint + "pid", "a") as file:
        file.write(str(os.getpid()) + "\\n")
    while not os.path.exists(checkpoint + "go"):
        time.sleep(0.02)
    open(output + "m", "w").close()
    return 1
"""


@pytest.fixture
def pushes(tmp_path: Path) -> Pushes:
    return Pushes(tmp_path)


@in_a_loop
async def test_a_push_is_trained_and_its_artifact_accepted(pushes: Pushes) -> None:
    pushes.push(train=FITS, yaml="train: {params: {depth: 6}, target: {min: 0.5}}")
    async with pushes.following() as training:
        await come(lambda: pushes.accepted)
        [artifact] = training.accepted.newest_first()[pushes.heads["Iris"].revision.code_key or ""]
        [result] = pushes.results()
        assert (result.state, result.scores, result.params) == (RunState.SUCCEEDED, {"accuracy": 0.6}, {"depth": 6})
        assert artifact == Artifact(result.artifact, result.run)
        assert pushes.store.manifest(result.artifact).files[0].name == "model.txt"
        assert pushes.recorded[-1].state == "succeeded"
        await come(lambda: not training.trainer.open)
        assert not (training.home / result.run).exists()


@in_a_loop
async def test_what_changes_serving_alone_starts_no_run(pushes: Pushes) -> None:
    pushes.push(train=FITS, etls="a = 1")
    async with pushes.following() as training:
        await come(lambda: pushes.accepted)
        pushes.push(etls="a = 2")
        looks = len(pushes.recorded)
        training.trainer.wake()
        await training.trainer.perform(lambda: None)
        await come(lambda: not training.trainer.open)
        assert len(pushes.recorded) == looks
    assert len(pushes.results()) == 1


@in_a_loop
async def test_new_data_and_new_params_are_new_runs_and_a_revert_is_none(pushes: Pushes) -> None:
    pushes.push(train=FITS, yaml="train: {dataset: data.csv}", **{"data.csv": "1"})
    async with pushes.following():
        await come(lambda: len(pushes.results()) == 1)
        pushes.push(**{"data.csv": "2"})
        await come(lambda: len(pushes.results()) == 2)
        pushes.push(yaml="train: {dataset: data.csv, params: {depth: 2}}")
        await come(lambda: len(pushes.results()) == 3)
        pushes.push(yaml="train: {dataset: data.csv}")
    async with pushes.following() as training:  # after a restart too
        await come(lambda: pushes.accepted == 3)
        await training.trainer.perform(lambda: None)
        assert not training.trainer.open
    assert len(pushes.results()) == 3


@in_a_loop
async def test_what_is_below_its_target_is_rejected_until_a_person_accepts_it(pushes: Pushes) -> None:
    pushes.push(train=FITS, yaml="train: {target: {min: 0.5}}")
    async with pushes.following() as training:
        await come(lambda: pushes.results())
        [rejected] = pushes.results()
        assert (rejected.state, rejected.reason) == (RunState.REJECTED, Reason.BELOW_TARGET)
        assert not training.accepted.newest_first()
        accept = partial(training.operations.accept, "Iris", rejected.run, "key Ann (a demo)")
        await training.trainer.perform(accept)
        await come(lambda: pushes.accepted)
        [accepted] = pushes.results()
        assert (accepted.state, accepted.reason) == (RunState.SUCCEEDED, None)
        assert accepted.message.startswith("accepted by key Ann (a demo); it was rejected: accuracy is 0.1, below")


@in_a_loop
async def test_a_run_outlives_a_restart_and_is_run_once(pushes: Pushes) -> None:
    pushes.push(train=WAITS)
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes))
        [run] = [state.run.run for state in training.trainer.open] or [pid_files(pushes)[0].parent.parent.name]
    async with pushes.following() as training:
        await come(lambda: training.trainer.open and training.trainer.open[0].state is RunState.RUNNING)
        (training.home / run / "checkpoint" / "go").touch()
        await come(lambda: pushes.accepted)
        [result] = pushes.results()
        assert (result.attempts, result.state) == (1, RunState.SUCCEEDED)


@in_a_loop
async def test_what_runs_and_what_is_queued_goes_on_while_the_head_is_not_known_after_a_restart(pushes: Pushes) -> None:
    for model in ("Iris", "Wine"):
        pushes.push(model, train=WAITS, yaml="train: {supersede: running}")
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes) and len(training.trainer.open) == 2)
        before = {state.run.run: round(state.run.queued_at, 3) for state in training.trainer.open}
    pushes.is_read = False
    pushes.events.clear()
    async with pushes.following() as training:
        await come(lambda: len(training.trainer.open) == 2)
        pushes.is_read = True
        training.trainer.wake()
        for run in before:
            await come(lambda run=run: (training.home / run / "checkpoint" / "pid").exists())  # type: ignore[misc]
            (training.home / run / "checkpoint" / "go").touch()
        await come(lambda: len(pushes.results()) == 2)
        assert [result.attempts for result in pushes.results()] == [1, 1]
        queued_at = {result.run: result.queued_at for result in pushes.results()}
        assert {run: round(at.timestamp(), 3) for run, at in queued_at.items() if at} == before, "their age stays"
        assert not [event for event in pushes.events if "superseded" in event.message]


@in_a_loop
async def test_a_run_goes_on_while_its_data_can_not_be_looked_at_again(pushes: Pushes) -> None:
    asked = []

    def away(address: str, ids: Mapping[str, str]) -> str:
        asked.append(address)
        raise DatasetUnavailable("503", heals=Heals.WITH_MACHINE)

    pushes.push(train=WAITS, yaml="train: {supersede: running, dataset: data.csv}", **{"data.csv": "1"})
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes))
    pushes.fingerprint = away
    async with pushes.following() as training:
        await come(lambda: asked and training.trainer.open)
        assert [state.state for state in training.trainer.open] == [RunState.RUNNING]
        (pid_files(pushes)[0].parent / "go").touch()
        await come(lambda: pushes.results())
        assert [(result.state, result.attempts) for result in pushes.results()] == [(RunState.SUCCEEDED, 1)]


@in_a_loop
async def test_a_run_that_goes_on_is_judged_by_the_gates_of_the_head(pushes: Pushes) -> None:
    pushes.push(train=WAITS, yaml="train: {target: {min: 5}}")
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes))
        pushes.push(yaml="train: {target: {min: 1}, priority: 3}")
        await come(lambda: [state.run.train.priority for state in training.trainer.open] == [3])
        (pid_files(pushes)[0].parent / "go").touch()
        await come(lambda: pushes.results())
        [result] = pushes.results()
        assert (result.state, result.scores) == (RunState.SUCCEEDED, {"score": 1.0})


@in_a_loop
async def test_a_killed_run_is_tried_again_with_its_checkpoint(pushes: Pushes) -> None:
    pushes.push(train=WAITS)
    async with pushes.following():
        await come(lambda: pid_files(pushes))
        [pids] = pid_files(pushes)
        kill(pids.read_text())
        await come(lambda: len(pids.read_text().split()) == 2)
        [code] = pids.parents[1].glob("a*/code")
        assert code.parent.name == "a2", "one copy of a run's code is kept"
        (pids.parent / "go").touch()
        await come(lambda: pushes.results())
        [result] = pushes.results()
        assert (result.attempts, result.state) == (2, RunState.SUCCEEDED)


@in_a_loop
async def test_what_code_leaves_in_its_folder_is_seen_by_no_other_attempt_and_is_no_new_data(pushes: Pushes) -> None:
    (pushes.models / "Iris" / "data").mkdir(parents=True)
    pushes.push(train=LITTERS, yaml="train: {dataset: data}", **{"data/a.csv": "1"})
    for _ in range(2):
        async with pushes.following() as training:
            await come(lambda: pushes.accepted and not training.trainer.open)
            await training.trainer.perform(lambda: None)
            await come(lambda: not training.trainer.open)
    [result] = pushes.results()
    assert (result.state, result.attempts) == (RunState.SUCCEEDED, 2)


@in_a_loop
async def test_a_cancelled_run_ends_and_a_retry_is_a_new_attempt(pushes: Pushes) -> None:
    train = WAITS.replace("(output, checkpoint)", "(output, checkpoint, depth=1)")
    pushes.push(train=train, yaml="train: {params: {depth: 6}}")
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes))
        [pids] = pid_files(pushes)
        key = pids.parent.parent.name
        await control(training).cancel(view(key), "key Ann")
        await come(lambda: not training.trainer.open)
        [result] = pushes.results()
        assert (result.state, result.message) == (RunState.CANCELLED, "cancelled by key Ann")
        assert result.attempts == 1
        assert b"waits" in (RunRecords(pushes.files).get("Iris", key, LOG) or b"")
        with pytest.raises(RunStateConflict, match="is cancelled; only rejected ones"):
            await training.trainer.perform(partial(training.operations.accept, "Iris", key, "key Ann"))
        await control(training).retry(view(key), "key Ann")
        await come(lambda: pid_files(pushes))
        (pids.parent / "go").touch()
        await come(lambda: pushes.accepted)
        [result] = pushes.results()
        assert (result.state, result.attempts, result.params) == (RunState.SUCCEEDED, 2, {"depth": 6})


class Forgetful(NotShared):
    """Other daemons can't be told of anything at first."""

    def __init__(self) -> None:
        self.is_back = False

    async def ask(self, run: RunFile) -> None:
        if not self.is_back:
            raise StoreUnavailable("the database is away")


@in_a_loop
async def test_a_retry_that_came_to_nothing_halfway_can_be_asked_for_again(pushes: Pushes) -> None:
    pushes.sharing = forgetful = Forgetful()
    pushes.push(train=FITS, yaml="train: {target: {min: 0.5}}")
    async with pushes.following() as training:
        await come(lambda: pushes.results() and not training.trainer.open)
        key = pushes.results()[0].run
        with pytest.raises(StoreUnavailable):
            await control(training).retry(view(key), "key Ann")
        forgetful.is_back = True
        await control(training).retry(view(key), "key Ann")
        await come(lambda: [result.attempts for result in pushes.results()] == [2])


class Heard(NotShared):
    """Keeps what other daemons are asked for."""

    def __init__(self) -> None:
        self.runs: list[RunFile] = []

    async def ask(self, run: RunFile) -> None:
        self.runs.append(run)


@in_a_loop
async def test_what_was_open_here_before_another_daemon_trained_can_be_asked_for_again(pushes: Pushes) -> None:
    pushes.push(train=FITS, yaml="train: {target: {min: 0.5}}")
    async with pushes.following() as training:
        await come(lambda: pushes.results() and not training.trainer.open)
    rejected = pushes.results()[0]
    pushes.sharing, pushes.lease = heard, _ = Heard(), Never()
    async with pushes.following() as training:
        own, is_new = await start(training, Asked(params={"depth": 7}))
        assert is_new
    left = OpenRuns(training.home)
    left.open(heard.runs[0])
    left.open(structs.replace(heard.runs[0], run=rejected.run))
    async with pushes.following() as training:
        assert await start(training, Asked(params={"depth": 7})) == (own, True)
        await control(training).retry(view(rejected.run), "key Ann")
    assert [run.run for run in heard.runs] == [own, own, rejected.run]


class Away(NotShared):
    """Other daemons can't be heard."""

    def __init__(self) -> None:
        self.looks = 0

    def asked(self) -> Sequence[RunFile]:
        self.looks += 1
        raise StoreUnavailable("the database is away")


def test_what_training_waits_for_is_said_once(pushes: Pushes, caplog: pytest.LogCaptureFixture) -> None:
    async def follow() -> None:
        pushes.sharing = away = Away()
        async with pushes.following() as training:
            while away.looks < 3:
                training.trainer.wake()
                await asyncio.sleep(0)

    asyncio.run(follow())
    assert [record.getMessage() for record in caplog.records] == ["training waits: the database is away"]


@in_a_loop
async def test_a_run_that_was_cancelled_before_it_began_is_tried_when_a_person_asks(pushes: Pushes) -> None:
    pushes.push(train=WAITS.replace("(output, checkpoint)", "(output, checkpoint, depth=1)"))
    async with pushes.following() as training:
        await come(lambda: pid_files(pushes))
        [first] = pid_files(pushes)
        key, _ = await start(training, Asked(params={"depth": 7}))
        await control(training).cancel(view(key), "key Ann")
        await come(lambda: [state.run.run for state in training.trainer.open] == [first.parent.parent.name])
        await control(training).retry(view(key), "key Ann")
        (first.parent / "go").touch()
        await come(lambda: (training.home / key / "checkpoint" / "pid").exists())
        (training.home / key / "checkpoint" / "go").touch()
        await come(lambda: [result.state for result in pushes.results()] == [RunState.SUCCEEDED] * 2)
        [own] = [result for result in pushes.results() if result.run == key]
        assert (own.params, own.own) == ({"depth": 7}, True)


@in_a_loop
async def test_params_of_a_person_s_own_make_a_run_that_never_goes_live(pushes: Pushes) -> None:
    pushes.push(train=FITS)
    async with pushes.following() as training:
        await come(lambda: pushes.accepted)
        asked = Asked(params={"depth": 7})
        key, is_new = await start(training, asked)
        assert is_new
        assert (await start(training, asked)) == (key, False)
        await come(lambda: len(pushes.results()) == 2)
        own = next(result for result in pushes.results() if result.run == key)
        assert (own.scores, own.own, own.started_by) == ({"accuracy": 0.7}, True, "key Ann")
        await come(lambda: not training.trainer.open)
        [accepted] = training.accepted.newest_first().values()
        assert key not in [artifact.run for artifact in accepted]


@in_a_loop
async def test_data_that_is_not_there_is_a_failed_run_that_says_so(pushes: Pushes) -> None:
    pushes.push(train=FITS, yaml="train: {dataset: gone.csv}")
    async with pushes.following():
        await come(lambda: pushes.results())
    [result] = pushes.results()
    assert (result.state, result.reason) == (RunState.FAILED, Reason.DATASET)
    assert "gone.csv" in result.message


@in_a_loop
async def test_a_revert_to_what_is_no_longer_kept_trains_it_again_once(pushes: Pushes) -> None:
    may_end = pushes.data / "may-end"
    held = f"import os, time\nwhile not os.path.exists({str(may_end)!r}):\n    time.sleep(0.01)\n" + FITS
    may_end.touch()
    pushes.push(train=held, yaml="train: {params: {depth: 1}}")
    async with pushes.following() as training:
        await come(lambda: pushes.accepted == 1)
        [first] = pushes.results()
        pushes.push(yaml="train: {params: {depth: 2}}")
        await come(lambda: pushes.accepted == 2)
        pushes.store.delete(first.artifact)
        may_end.unlink()
        pushes.push(yaml="train: {params: {depth: 1}}")
        await come(lambda: training.trainer.open and pushes.accepted == 1)
        assert training.accepted.states[first.code_key] in ("queued", "pending", "running")
        may_end.touch()
        await come(lambda: pushes.accepted == 2)
        [again] = [result for result in pushes.results() if result.run == first.run]
        assert (again.state, again.attempts) == (RunState.SUCCEEDED, 2)
        assert pushes.store.has(again.artifact)
        [told] = [event for event in pushes.events if "no longer kept" in event.message]
        assert (told.kind, told.actor) == (EventKind.RUN_QUEUED, BY_PUSH)
        await come(lambda: not training.trainer.open)
        await training.trainer.perform(lambda: None)
    assert [result.attempts for result in pushes.results() if result.run == first.run] == [2]


@in_a_loop
async def test_what_a_person_accepted_and_is_no_longer_kept_can_be_trained_judged_and_accepted_again(
    pushes: Pushes,
) -> None:
    pushes.push(train=FITS, yaml="train: {target: {min: 0.5}}")
    async with pushes.following() as training:
        await come(lambda: pushes.results())
        [rejected] = pushes.results()
        for attempts in (1, 2):
            accept = partial(training.operations.accept, "Iris", rejected.run, "key Ann (a demo)")
            await training.trainer.perform(accept)
            await come(lambda: pushes.accepted)
            [accepted] = pushes.results()
            assert (accepted.state, accepted.attempts) == (RunState.SUCCEEDED, attempts)
            pushes.store.delete(accepted.artifact)
            await control(training).retry(view(rejected.run), "key Ann")
            await come(lambda: not pushes.accepted)
            await come(lambda: pushes.results() and not training.trainer.open)
            [judged] = pushes.results()
            assert (judged.state, judged.attempts) == (RunState.REJECTED, attempts + 1)


@in_a_loop
async def test_events_of_a_run_say_that_git_began_it_unless_somebody_asked(pushes: Pushes) -> None:
    pushes.push(train=FITS)
    async with pushes.following() as training:
        await come(lambda: pushes.accepted and not training.trainer.open)
        assert [(event.kind, event.actor) for event in pushes.events] == [
            (kind, BY_PUSH) for kind in (EventKind.RUN_QUEUED, EventKind.RUN_STARTED, EventKind.RUN_ENDED)
        ]
        pushes.events.clear()
        await start(training, Asked(params={"depth": 3}))
        await come(lambda: len(pushes.results()) == 2 and not training.trainer.open)
        assert [(event.kind, event.actor) for event in pushes.events] == [
            (EventKind.RUN_STARTED, None),
            (EventKind.RUN_ENDED, None),
        ]


def control(training: Training) -> TrainerControl:
    return TrainerControl(training.trainer, training.operations)


async def start(training: Training, asked: Asked) -> tuple[str, bool]:
    return await control(training).start("Iris", asked, "key Ann", lambda model, run: nullcontext())


def view(key: str) -> RunView:
    return RunView(run=key, model="Iris", state=RunState.QUEUED)


def pid_files(pushes: Pushes) -> list[Path]:
    return [path for path in (pushes.data / "runs").glob("*/checkpoint/pid") if path.read_text().endswith("\n")]


def kill(pids: str) -> None:
    for pid in map(int, pids.split()):
        assert is_alive(pid)
        os.kill(pid, 9)


JUDGED = """
import asyncio
import os
def train(output, dataset, validation, weight=1):
    with open(output + "weight", "w") as file:
        file.write(str(weight))
    return {"gain": score(weight, validation)}

def evaluate(artifact, validation):
    return {"gain": score(int(open(artifact + "weight").read()), validation)}

def score(weight, validation):
    return float(weight * int(open(validation).read()))
"""


async def trained(pushes: Pushes, count: int) -> RunResult:
    """The newest result once there are so many, live if it was accepted."""
    await come(lambda: len(pushes.results()) >= count)
    result = pushes.results()[-1]
    if result.state is RunState.SUCCEEDED:
        pushes.live["Iris"] = Artifact(result.artifact, result.run)
    return result


@in_a_loop
async def test_what_is_live_is_judged_anew_on_validation_data_that_is_another_now(pushes: Pushes) -> None:
    yaml = "train: {params: {weight: %d}, dataset: d, validation: v, over_live: 0}"
    pushes.push(train=JUDGED, yaml=yaml % 5, d="1", v="1")
    async with pushes.following():
        first = await trained(pushes, 1)
        assert (first.scores, first.compared) == ({"gain": 5.0}, "not compared: nothing is live yet")
        pushes.push(yaml=yaml % 4)  # judged by the recorded score, on the same data
        worse = await trained(pushes, 2)
        assert (worse.state, worse.reason) == (RunState.REJECTED, Reason.NOT_OVER_LIVE)
        assert f"gain is 4, and 5 of what is live (run {first.run})" in worse.message
        pushes.push(v="10")  # 40 is over the recorded 5, and below the 50 that the live one has on this data
        still_worse = await trained(pushes, 3)
        assert (still_worse.state, still_worse.scores) == (RunState.REJECTED, {"gain": 40.0})
        assert f"gain is 40, and 50 of what is live (run {first.run})" in still_worse.message
        pushes.push(yaml=yaml % 6)
        better = await trained(pushes, 4)
        assert (better.state, better.scores) == (RunState.SUCCEEDED, {"gain": 60.0})
        assert better.compared == f"gain is 60, and 50 of what is live (run {first.run})"
        pushes.push(train=JUDGED.replace("def evaluate", "def other"), yaml=yaml % 7, v="100")
        unjudged = await trained(pushes, 5)
        assert unjudged.state is RunState.SUCCEEDED
        assert unjudged.compared.startswith("not compared: ")
        assert "evaluate" in unjudged.compared
