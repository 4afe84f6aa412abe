"""What training code and its surroundings do wrong, as a whole attempt meets it: a state, a reason, and what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from core.runs.states import Reason, RunState
from tests.disks import small_disk
from tests.processes import is_alive
from tests.trainer.attempts import KEY, Shop, until
from trainer.attempt.progress import read_reached

FITS = "def train(output):\n    open(output + 'm', 'w').close()\n    return 1"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_processes_that_the_code_leaves_running_end_with_the_run_that_succeeds(shop: Shop, tmp_path: Path) -> None:
    code = f"""
    import os, signal, time
    def train(output):
        for stray in ("child", "daemon"):
            reading, writing = os.pipe()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if stray == "daemon":
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                with open({str(tmp_path)!r} + "/" + stray, "w") as file:
                    file.write(str(os.getpid()))
                os.write(writing, b"x")
                time.sleep(600)
            os.read(reading, 1)
        open(output + "m", "w").close()
        return 1
    """
    assert shop.train(code).state is RunState.SUCCEEDED
    assert not any(is_alive(int((tmp_path / stray).read_text())) for stray in ("child", "daemon"))


def test_a_run_that_fills_the_disk_says_so_and_takes_no_room_from_its_own_record(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        result = Shop(disk).train(
            """
            def train(output):
                with open(output + "huge", "wb", buffering=0) as file:
                    while True:
                        file.write(b"x" * 100_000)
            """
        )
    assert (result.state, result.reason) == (RunState.FAILED, Reason.RAISED)
    assert "No space left on device" in result.message


def test_more_than_an_artifact_may_hold_is_refused(shop: Shop) -> None:
    code = "def train(output):\n    with open(output + 'm', 'wb') as file:\n        file.truncate(10**10)\n    return 1"
    spec = msgspec.structs.replace(shop.spec(code), max_artifact_bytes=1_000_000)
    shop.local.begin(spec)
    shop.await_end(spec)
    result = shop.result()
    assert result is not None
    assert (result.state, result.reason, result.artifact) == (RunState.FAILED, Reason.BAD_CONTRACT, "")
    assert "(at m); leave less, or raise MAX_ARTIFACT_GB" in result.message


def test_what_is_written_outside_of_output_is_no_part_of_the_artifact(shop: Shop, tmp_path: Path) -> None:
    code = FITS.replace("return", f"open({str(tmp_path / 'elsewhere')!r}, 'w').close()\n    return")
    result = shop.train(code)
    assert result.state is RunState.SUCCEEDED
    assert [file.name for file in shop.store.manifest(result.artifact).files] == ["m"]


def test_a_link_out_of_output_is_refused(shop: Shop) -> None:
    code = "import os\ndef train(output):\n    os.symlink('/etc/hostname', output + 'm')\n    return 1"
    result = shop.train(code)
    assert (result.state, result.reason) == (RunState.FAILED, Reason.BAD_CONTRACT)
    assert "m is a link to '/etc/hostname', outside of the output folder" in result.message


@pytest.mark.parametrize("trouble", ["gone", "read-only"])
def test_a_store_that_takes_nothing_is_waited_for(trouble: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shop = Shop(tmp_path / "data", f"file://{disk}/store")
        if trouble == "gone":
            (disk / "store").rename(disk / "away")
            (disk / "store").write_text("")
        else:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        spec = shop.spec(FITS)
        shop.local.begin(spec)
        until(lambda: (reached := read_reached(shop.local.folder(KEY, 1))) and f"{disk}/store" in reached.what)
        assert shop.local.running()
        if trouble == "gone":
            (disk / "store").unlink()
            (disk / "away").rename(disk / "store")
        else:
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        shop.await_end(spec)
        result = shop.result()
    assert result is not None
    assert (result.state, bool(result.artifact)) == (RunState.SUCCEEDED, True)
