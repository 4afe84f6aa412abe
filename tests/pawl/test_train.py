"""`pawl train` as its users run it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.pawl.commands import environ, pawl, write
from tests.processes import wait_dead

TRAIN = """
def train(output, report, depth=3):
    print("printed")
    report(1, 2, loss=0.5)
    report(2, 2, loss=0.25)
    with open(output + "depth", "w") as file:
        file.write(repr(depth))
    return {"accuracy": depth / 10}
"""
TARGET = "train: {target: {min: 0.35}}"


def test_what_would_be_accepted_is_left_in_the_output_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "Deep", None, train__py=TRAIN, model__yaml=TARGET)
    done = pawl("train", folder, "--set", "depth=4", "--output", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "accuracy\t0.4\n"), done.stderr
    assert (tmp_path / "out" / "depth").read_text() == "4"
    assert "printed" in done.stderr
    assert "Deep succeeded (" in done.stderr
    assert "loss  █▁ 0.5 to 0.25" in done.stderr
    assert f"what it left is in {tmp_path / 'out'}" in done.stderr
    assert "the folder has nothing to serve this with: add an etls.py" in done.stderr


def test_what_would_be_rejected_says_why_and_exits_with_1(tmp_path: Path) -> None:
    folder = write(tmp_path / "Deep", None, train__py=TRAIN, model__yaml=TARGET)
    done = pawl("train", folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "accuracy\t0.3\n")
    assert "rejected: BelowTarget; accuracy is 0.3, below the target's min of 0.35" in done.stderr


def test_code_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "Deep", None, train__py="def train(output):\n    raise ValueError('no rows')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pawl", "train", folder], cwd=tmp_path, env=environ(tmp_path, {}), capture_output=True
    )
    assert done.returncode == 1
    assert b"no rows" in done.stderr
    assert b"train.py, line 2" in done.stderr


def test_folders_a_thousand_deep_are_refused_and_leave_nothing_behind(tmp_path: Path) -> None:
    code = """
        import os
        def train(output, checkpoint):
            for path in (output, checkpoint + "/"):
                for _ in range(1900):
                    path += "a/"
                    os.mkdir(path)
            open(output + "model", "w").close()
            return 1
    """
    temporary = tmp_path / "t"
    temporary.mkdir()
    folder = write(tmp_path / "Deep", None, train__py=textwrap.dedent(code))
    done = pawl("train", folder, cwd=tmp_path, TMPDIR=str(temporary))
    assert done.returncode == 1
    assert "failed: BadContract; " in done.stderr
    assert "is more than 32 folders deep; leave fewer inside each other" in done.stderr
    assert list(temporary.iterdir()) == []


def test_what_the_code_printed_before_it_ended_itself_is_shown_once(tmp_path: Path) -> None:
    code = "import os\ndef train(output):\n    print('last words', flush=True)\n    os._exit(3)\n"
    done = pawl("train", write(tmp_path / "Deep", None, train__py=code), cwd=tmp_path)
    assert (done.returncode, done.stderr.count("last words")) == (1, 1), done.stderr
    assert "failed: Exited; the code ended its process with exit code 3" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--set", "depth"], 2, "takes KEY=VALUE"),
        (["--set", "depth=[1"], 2, "--set depth=[1"),
        (["--output", "Deep"], 2, "is not an empty folder"),
        (["--output", "Deep/train.py"], 2, "is not an empty folder"),
        (["--output", "/proc/out"], 2, "can't be made"),
        (
            ["--json", "scores.accuracy,nope"],
            2,
            "pawl: there is no field 'nope'; there are: message, model, reason, run",
        ),
    ],
)
def test_a_wrong_argument_is_told(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    write(tmp_path / "Deep", None, train__py=TRAIN)
    done = pawl("train", "Deep", *arguments, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "running" not in done.stderr


def test_a_folder_that_does_not_train_is_refused(tmp_path: Path) -> None:
    done = pawl("train", write(tmp_path / "Adds"), cwd=tmp_path)
    assert (done.returncode, "has neither a train.py" in done.stderr) == (1, True)
    (tmp_path / "Empty").mkdir()
    done = pawl("train", "Empty", cwd=tmp_path)
    assert (done.returncode, "it holds no train.py" in done.stderr) == (1, True)
    done = pawl("train", write(tmp_path / "not one", None, train__py=TRAIN), cwd=tmp_path)
    assert (done.returncode, "not one can't be a model: 'not one' is not a model name; re" in done.stderr) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_is_ended(tmp_path: Path, number: int) -> None:
    code = "import os, time\ndef train(output):\n    print('pid', os.getpid(), flush=True)\n    time.sleep(600)\n"
    folder = write(tmp_path / "Deep", None, train__py=code)
    process = subprocess.Popen(
        [sys.executable, "-m", "pawl", "train", folder],
        cwd=tmp_path,
        env=environ(tmp_path, {}),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    assert process.stderr is not None
    pid = next(int(line.split()[1]) for line in process.stderr if line.startswith("pid "))
    process.send_signal(number)
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 130
    wait_dead([pid], "the code")
