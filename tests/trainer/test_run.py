from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import msgspec
import pytest

from core.runs.states import Reason, RunState
from tests.processes import is_alive
from tests.trainer.attempts import KEY, MODEL, Shop, until
from trainer.attempt.identity import find
from trainer.records.record_names import attempt_log


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_code_returns_and_leaves_is_recorded(shop: Shop) -> None:
    result = shop.train(
        """
        def train(output, depth):
            with open(output + "model.txt", "w") as file:
                file.write(str(depth))
            return {"accuracy": 0.5 + depth / 100, "loss": 1}
        """,
        params={"depth": 6},
    )
    assert (result.state, result.reason, result.message) == (RunState.SUCCEEDED, None, "")
    assert list(result.scores.items()) == [("accuracy", 0.56), ("loss", 1.0)]
    assert result.artifact
    assert result.peak_memory > 1_000_000
    assert "msgspec" in result.packages


def test_code_learns_of_its_run_from_its_environment_and_makes_way_for_what_serves(shop: Shop) -> None:
    code = """
        import json, os
        def train(output, dataset, checkpoint, depth):
            seen = {name: value for name, value in os.environ.items() if name.startswith("PAWL_")}
            seen |= {"output": output, "dataset": dataset, "checkpoint": checkpoint, "nice": os.nice(0)}
            seen |= {"cores": sorted(os.sched_getaffinity(0)), "session": os.getsid(0) == os.getpid()}
            with open(output + "seen.json", "w") as file:
                json.dump(seen, file)
            return 1
        """
    core = max(os.sched_getaffinity(0))
    spec = shop.spec(code, params={"depth": 6}, dataset="data.csv")
    Path(spec.root, MODEL, "data.csv").write_text("1")
    shop.local.begin(msgspec.structs.replace(spec, cores=(core,)))
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    shop.store.fetch(result.artifact, shop.data / "left")
    seen = json.loads((shop.data / "left" / "seen.json").read_text())
    assert (seen["PAWL_RUN"], seen["PAWL_ATTEMPT"], seen["PAWL_MODEL"]) == (KEY, "1", MODEL)
    assert (seen["PAWL_COMMIT"], json.loads(seen["PAWL_PARAMS"])) == ("c" * 40, {"depth": 6})
    for name in ("output", "dataset", "checkpoint"):
        assert seen[f"PAWL_{name.upper()}"] == seen[name]
    assert seen["PAWL_VALIDATION"] == ""
    assert (seen["nice"], seen["cores"], seen["session"]) == (min(19, os.nice(0) + 10), [core], True)


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        ("def train(output):\n    raise ValueError('no data')", Reason.RAISED, "no data"),
        ("import os\ndef train(output):\n    os._exit(3)", Reason.EXITED, "exit code 3"),
        ("def train(output):\n    return 1", Reason.BAD_CONTRACT, "left nothing in output"),
    ],
)
def test_what_goes_wrong_has_its_reason(shop: Shop, code: str, reason: Reason, said: str) -> None:
    result = shop.train(code)
    assert (result.state, result.reason) == (RunState.FAILED, reason)
    assert said in result.message
    assert not result.heals


def test_a_run_that_takes_too_long_is_ended(shop: Shop) -> None:
    result = shop.train("import time\ndef train(output):\n    time.sleep(600)", timeout_s=5)
    assert (result.state, result.reason) == (RunState.FAILED, Reason.TIMEOUT)
    log = shop.records.get(MODEL, KEY, attempt_log(1))
    assert log is not None
    assert b'train.py", line 3 in train' in log
    assert result.message.startswith("train.py, line 3: the run was not over after 5 s")
    assert 'train.py", line 3 in train' in result.detail


def test_a_run_that_takes_too_much_memory_is_ended(shop: Shop) -> None:
    code = "import time\ndef train(output):\n    print('begun')\n    kept = b'x' * 300_000_000\n    time.sleep(600)"
    result = shop.train(code, resources={"memory": "200M"})
    assert (result.state, result.reason) == (RunState.FAILED, Reason.OUT_OF_MEMORY)
    assert result.detail == "begun\n"


def test_a_library_that_crashes_is_told_with_the_line_that_called_it(shop: Shop) -> None:
    code = "import ctypes\nimport lib\ndef train(output):\n    lib.call()"
    spec = shop.spec(code)
    Path(spec.folder, "lib.py").write_text("import ctypes\ndef call():\n    ctypes.string_at(0)\n")
    shop.local.begin(spec)
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    assert (result.state, result.heals) == (RunState.LOST, True)
    assert result.message.startswith("lib.py, line 3: the run's process was ended by SIGSEGV")
    assert "Segmentation fault" in result.detail


def test_a_process_that_somebody_kills_may_be_tried_again(shop: Shop) -> None:
    result = shop.train("import os\ndef train(output):\n    os.kill(os.getpid(), 9)")
    assert (result.state, result.heals) == (RunState.LOST, True)
    assert "SIGKILL" in result.message


FOREVER = """
import os, signal, subprocess, sys, time

def train(output, checkpoint):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            note(checkpoint, "twice")
            time.sleep(600)
        os._exit(0)
    note(checkpoint, "once")
    time.sleep(600)

def note(folder, name):
    with open(folder + name + ".tmp", "w") as file:
        file.write(str(os.getpid()))
    os.rename(folder + name + ".tmp", folder + name)
"""


def pids(shop: Shop) -> list[int]:
    """Of the code's own process, and of one that forked twice."""
    notes = [shop.data / "runs" / KEY / "checkpoint" / name for name in ("once", "twice")]
    until(lambda: all(note.exists() for note in notes))
    return [int(note.read_text()) for note in notes]


def test_a_cancelled_run_leaves_nobody_not_even_one_that_forked_twice(shop: Shop) -> None:
    spec = shop.spec(FOREVER)
    shop.local.begin(spec)
    both = pids(shop)
    shop.local.stop(KEY, 1, RunState.CANCELLED)
    shop.await_end(spec)
    assert not any(map(is_alive, both))
    result = shop.result()
    assert result is not None
    assert result.state is RunState.CANCELLED


def test_code_that_takes_report_is_told_to_stop_and_its_checkpoint_stays(shop: Shop) -> None:
    code = """
    import time
    def train(output, checkpoint, report):
        step = 0
        while not report(step, total=10, loss=1 / (step + 1)):
            step += 1
            time.sleep(0.01)
        with open(checkpoint + "step", "w") as file:
            file.write(str(step))
        return 1
    """
    spec = shop.spec(code)
    shop.local.begin(spec)
    until(lambda: (shop.local.folder(KEY, 1) / "progress.jsonl").exists())
    shop.local.stop(KEY, 1, RunState.SUPERSEDED)
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    assert result.state is RunState.SUPERSEDED
    assert int((shop.data / "runs" / KEY / "checkpoint" / "step").read_text()) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_not_ours_is_no_cancellation(shop: Shop, number: int) -> None:
    spec = shop.spec("import time\ndef train(output):\n    print('on', flush=True)\n    time.sleep(600)")
    shop.local.begin(spec)
    until(lambda: b"on" in read(shop.local.folder(KEY, 1) / "log.txt"))
    process = find(shop.local.folder(KEY, 1))
    assert process is not None
    process.signal(number)
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    assert (result.state, result.heals) == (RunState.LOST, True)


def test_what_a_killed_run_leaves_is_found_and_ended(shop: Shop) -> None:
    shop.local.begin(shop.spec(FOREVER))
    both = pids(shop)
    process = find(shop.local.folder(KEY, 1))
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: KEY not in shop.local.running())
    assert shop.result() is None
    assert shop.local.begun(MODEL, KEY) == 1
    shop.local.bury(MODEL, KEY, 1)
    assert not any(map(is_alive, both))


def test_a_run_whose_files_were_removed_ends(shop: Shop) -> None:
    shop.local.begin(shop.spec("import time\ndef train(report):\n    while not report(1):\n        time.sleep(0.02)"))
    until(lambda: (reached := shop.local.reached(KEY, 1)) is not None and reached.step == 1)
    process = find(shop.local.folder(KEY, 1))
    assert process is not None
    shutil.rmtree(shop.data / "runs")
    until(lambda: not process.is_alive)


def test_a_run_outlives_who_began_it_and_is_found_again(shop: Shop) -> None:
    spec = shop.spec(
        "import time\ndef train(output):\n    time.sleep(1)\n    open(output + 'm', 'w').close()\n    return 1"
    )
    if (pid := os.fork()) == 0:
        shop.local.begin(spec)
        os._exit(0)
    os.waitpid(pid, 0)
    until(lambda: find(shop.local.folder(KEY, 1)) is not None)
    assert shop.local.running()[KEY].attempt == 1
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    assert result.state is RunState.SUCCEEDED


def test_what_was_not_begun_for_the_end_of_its_daemon_is_begun_anew(shop: Shop) -> None:
    spec = shop.spec("def train(output):\n    open(output + 'm', 'w').close()\n    return 1")
    shop.local.folder(KEY, 1).mkdir(parents=True)
    assert shop.local.begun(MODEL, KEY) == 0
    shop.local.begin(spec)
    shop.await_end(spec)
    assert shop.result() is not None


def test_the_middle_of_what_a_run_prints_is_cut_out(shop: Shop) -> None:
    code = """
    def train(output):
        print("first line")
        for _ in range(200):
            print("x" * 100_000)
        print("last line")
        open(output + "m", "w").close()
        return 1
    """
    shop.train(code)
    log = shop.records.get(MODEL, KEY, attempt_log(1))
    assert log is not None
    assert log.startswith(b"first line\n")
    assert log.endswith(b"last line\n")
    assert b"bytes are left out here" in log
    assert len(log) < 2**20 + 100


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
