"""The child of a run: how it ends, what it says then, and what it prints."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.processes import is_alive
from tests.worker.training.children import BOOT, WAIT_S, outcome, raised, starting, write_folder
from worker.wire.messages import encode_message
from worker.wire.training import Breach, Exited, Reported, TrainConfig, Trained


def test_what_the_code_raises_is_told_without_our_frames(tmp_path: Path) -> None:
    train = "def inner():\n    raise ValueError('no rows')\ndef train(output):\n    inner()\n"
    told = raised(write_folder(tmp_path, train))
    assert told.message == "train.py, line 2: ValueError: no rows"
    assert told.traceback.splitlines()[1].endswith('train.py", line 4, in train')
    assert "_pawl" not in told.traceback
    assert str(BOOT.parent) not in told.traceback


def test_code_that_can_not_be_imported_is_told_with_its_line(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "x = 1\ndef train(:\n")
    assert raised(folder).message.startswith("train.py, line 2: SyntaxError")
    write_folder(tmp_path, "import missing_package\n")
    assert (
        "line 1: no module named 'missing_package'; if 'missing_package' is a package, list" in raised(folder).message
    )
    write_folder(tmp_path, "1 / 0\n")
    assert raised(folder).message.startswith("train.py, line 1: importing train.py raised ZeroDivisionError")
    write_folder(tmp_path, "def train():\n    import missing_package\n")
    assert "train.py, line 2: ModuleNotFoundError" in raised(folder).message
    assert "requirements.txt" in raised(folder).message


def test_code_that_imports_etls_py_is_told_why_it_is_missing(tmp_path: Path) -> None:
    message = raised(write_folder(tmp_path, "import etls\n")).message
    assert message.startswith("train.py, line 1: no module named 'etls'; a run does without etls.py where train.py")


def test_an_exit_of_the_code_is_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "import sys\ndef train():\n    sys.exit(3)\n")
    said = "the code ended its process by sys.exit"
    assert outcome(folder) == Exited(message=f"train.py, line 3: {said} (status 3); return the scores instead", code=3)
    write_folder(tmp_path, "import sys\ndef train():\n    sys.exit('no data')\n")
    assert outcome(folder) == Exited(
        message=f"train.py, line 3: {said} with 'no data' (status 1); return the scores instead", code=1
    )
    write_folder(tmp_path, "raise SystemExit\n")
    assert outcome(folder) == Exited(message=f"train.py, line 1: {said} (status 0); return the scores instead", code=0)


def test_a_sudden_end_leaves_no_outcome(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "import os\ndef train():\n    os._exit(7)\n")
    with starting(folder) as child:
        assert (child.hear_all(), child.wait()) == ([], 7)
    write_folder(tmp_path, "import ctypes\ndef train():\n    ctypes.string_at(0)\n")
    with starting(folder) as child:
        assert (child.hear_all(), child.wait()) == ([], -signal.SIGSEGV)
        assert 'train.py", line 3' in child.errors()


def test_what_is_printed_comes_line_by_line_and_nothing_is_lost(tmp_path: Path) -> None:
    train = """
        import ctypes, sys
        libc = ctypes.CDLL(None)
        def train(output, report):
            print("python")
            libc.printf(b"library\\n")
            while not report(0): pass
            libc.printf(b"the end")
            open(output + "m", "w").close()
            return 1
    """
    with starting(write_folder(tmp_path, train)) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"python\n"
        assert child.process.stdout.readline() == b"library\n"
        child.say_stop_soon()
        assert child.hear_all()[-1] == Trained({"score": 1.0})
        assert child.printed() == "the end"


STEPS = """
    def train(output, report):
        step = 0
        while not report(step, loss=1 / (step + 1)):
            step += 1
        open(output + "m", "w").close()
        return step
"""


def test_code_that_reports_is_stopped_by_the_answer(tmp_path: Path) -> None:
    with starting(write_folder(tmp_path, STEPS)) as child:
        first = child.hear()
        assert first == Reported(step=0.0, scores={"loss": 1.0})
        child.say_stop_soon()
        *reports, last = first, *child.hear_all()
        assert isinstance(last, Trained)
        assert reports[-1].step == last.scores["score"]
        assert child.wait() == 0


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGHUP], [signal.SIGTERM, signal.SIGHUP]])
def test_code_that_reports_is_stopped_by_signals_and_keeps_what_it_has(tmp_path: Path, numbers: list[int]) -> None:
    with starting(write_folder(tmp_path, STEPS)) as child:
        child.hear()
        for number in numbers:
            child.process.send_signal(number)
        assert isinstance(child.hear_all()[-1], Trained)
        assert child.wait() == 0


def test_code_that_reports_nothing_ends_by_the_signal_and_cleans_up(tmp_path: Path) -> None:
    train = """
        import sys, time
        def train(output):
            try:
                print("begun")
                time.sleep(600)
            except Exception:
                print("swallowed")
            finally:
                print("cleaned up")
    """
    with starting(write_folder(tmp_path, train)) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"begun\n"
        child.process.send_signal(signal.SIGTERM)
        assert (child.hear_all(), child.wait()) == ([], -signal.SIGTERM)
        assert child.printed() == "cleaned up\n"


def test_a_signal_during_the_import_ends_the_child(tmp_path: Path) -> None:
    with starting(write_folder(tmp_path, "import time\nprint('begun')\ntime.sleep(600)\n")) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"begun\n"
        child.process.send_signal(signal.SIGTERM)
        assert (child.hear_all(), child.wait()) == ([], -signal.SIGTERM)


def test_the_author_may_handle_signals_himself(tmp_path: Path) -> None:
    train = """
        import signal, time
        class Enough(Exception): ...
        def enough(*_): raise Enough
        def train(output):
            signal.signal(signal.SIGTERM, enough)
            try:
                print("begun")
                time.sleep(600)
            except Enough:
                open(output + "m", "w").close()
            return 5
    """
    with starting(write_folder(tmp_path, train)) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"begun\n"
        child.process.send_signal(signal.SIGTERM)
        assert child.hear_all() == [Trained({"score": 5.0})]


def test_of_a_flood_of_reports_the_last_is_kept_and_the_rest_thinned(tmp_path: Path) -> None:
    train = """
        def train(output, report):
            for step in range(20_000):
                report(step, 20_000, loss=1)
            report(19_999, 20_000, accuracy=float("nan"))
            open(output + "m", "w").close()
            return 1
    """
    with starting(write_folder(tmp_path, train)) as child:
        *reports, last = child.hear_all()
    assert last == Trained({"score": 1.0})
    assert 1000 <= len(reports) < 5000
    assert reports[-1] == Reported(step=19_999.0, total=20_000.0, scores={"loss": 1.0, "accuracy": None})


def test_nobody_who_reads_slowly_holds_the_code_up(tmp_path: Path) -> None:
    train = """
        def train(output, report):
            for step in range(900):
                report(step, **{f"{'s' * 100}{n}": n for n in range(50)})
            print("through")
            open(output + "m", "w").close()
            return 1
    """
    with starting(write_folder(tmp_path, train)) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"through\n"  # 5 MB of reports, more than a socket holds
        *reports, last = child.hear_all()
    assert last == Trained({"score": 1.0})
    assert reports[-1].step == 899


def test_processes_that_the_code_starts_hold_nothing_of_ours(tmp_path: Path) -> None:
    train = """
        import multiprocessing, os, signal, subprocess, sys
        def look(report):
            handles = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
            sockets = [each for each in handles if os.path.exists(each) and "socket" in os.readlink(each)]
            assert sockets == [], sockets
            assert report(5) is False
            for number in (signal.SIGTERM, signal.SIGHUP):
                assert signal.getsignal(number) == signal.SIG_DFL
        def train(output, report):
            forked = multiprocessing.get_context("fork").Process(target=look, args=(report,))
            forked.start()
            forked.join()
            assert forked.exitcode == 0
            shown = subprocess.run([sys.executable, "-c", "import os; print(os.listdir('/proc/self/fd'))"], stdout=-1,
                                   close_fds=False, text=True)
            assert shown.stdout == "['0', '1', '2', '3']\\n", shown.stdout
            open(output + "m", "w").close()
            return 1
    """
    assert outcome(write_folder(tmp_path, train)) == Trained({"score": 1.0})


def test_processes_may_be_spawned(tmp_path: Path) -> None:
    train = """
        import multiprocessing
        def double(x): return 2 * x
        def train(output):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                open(output + "m", "w").close()
                return pool.map(double, [1, 2])
    """
    assert outcome(write_folder(tmp_path, train)) == Trained({"score": 2.0, "score_1": 4.0})


def test_threads_and_exit_handlers_of_the_code_hold_the_outcome_up_no_longer(tmp_path: Path) -> None:
    train = """
        import atexit, threading, time
        def train(output):
            threading.Thread(target=time.sleep, args=(600,)).start()
            atexit.register(print, "exit handler")
            open(output + "m", "w").close()
            return 1
    """
    with starting(write_folder(tmp_path, train)) as child:
        assert child.hear_all() == [Trained({"score": 1.0})]
        assert child.wait() == 0
        assert child.printed() == "exit handler\n"


PARENT = """
import sys, time
from pathlib import Path
from tests.worker.training.children import Child
child = Child(Path(sys.argv[1]))
child.process.stdout.readline()
print(child.process.pid, flush=True)
time.sleep(600)
"""


def test_a_child_dies_with_the_process_of_its_run(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "import time\nprint('begun')\ntime.sleep(600)\n")
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=BOOT.parents[2]) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    while is_alive(pid):
        pass


def test_the_process_of_the_run_is_spared(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "import os\ndef train():\n    os.kill(os.getppid(), 9)\n")
    assert raised(folder).message.startswith("train.py, line 3: PermissionError")


def test_a_child_whose_parent_went_before_it_began_imports_nothing(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    folder = write_folder(tmp_path, "open('begun', 'w')\n")
    ours.sendall(encode_message(TrainConfig(model="Model", folder=f"{folder}/", root=f"{tmp_path}/")))
    ours.close()
    with theirs:
        command = [sys.executable, "-P", "-s", str(BOOT), str(theirs.fileno())]
        assert subprocess.run(command, pass_fds=[theirs.fileno()], timeout=WAIT_S).returncode == 0
    assert not (folder / "begun").exists()


def test_code_whose_parent_has_gone_is_asked_to_stop(tmp_path: Path) -> None:
    """Also where something that the code reported was still unread."""
    with starting(write_folder(tmp_path, STEPS)) as child:
        child.hear()
        child.control.recv(1, socket.MSG_PEEK)
        child.lines.close()
        child.control.close()
        assert child.wait() == 0
        assert os.listdir(child.output) == ["m"]


def test_a_child_that_hangs_shows_where(tmp_path: Path) -> None:
    with starting(write_folder(tmp_path, "import time\nprint('begun')\ntime.sleep(600)\n")) as child:
        assert child.process.stdout is not None
        assert child.process.stderr is not None
        assert child.process.stdout.readline() == b"begun\n"
        child.process.send_signal(signal.SIGUSR2)
        assert any(b'train.py", line' in line for line in child.process.stderr)


def test_an_environment_without_msgspec_is_told_so(tmp_path: Path) -> None:
    subprocess.run([find_uv_bin(), "venv", "-q", str(tmp_path / "env")], check=True)
    with starting(write_folder(tmp_path, STEPS), python=str(tmp_path / "env" / "bin" / "python")) as child:
        (message,) = child.hear_all()
    assert isinstance(message, Breach)
    assert message.message.startswith("Pawl's part of a worker needs msgspec 0.18.6 or newer, which can't be imported")
