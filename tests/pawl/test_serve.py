from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.disks import fill, small_disk
from tests.pawl.commands import environ, pawl, write
from tests.serving import ROOT
from tests.waiting import wait_for


def test_a_field_that_the_answer_will_not_have_is_told_before_anything_is_done(tmp_path: Path) -> None:
    for command in (("serve", "--background"), ("stop",), ("login", "http://127.0.0.1:9")):
        done = pawl(*command, "--json", "nope", cwd=tmp_path, DATA_DIR="kept")
        assert (done.returncode, "pawl: there is no field 'nope'; there are: " in done.stderr) == (2, True)
    assert not (tmp_path / "kept").exists()
    none = pawl("stop", "--json", "stopped,pid", cwd=tmp_path, DATA_DIR="kept")
    assert json.loads(none.stdout) == {"stopped": False, "pid": None}


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    write(tmp_path / "models_serve" / "Adds")
    process = subprocess.Popen(
        [sys.executable, "-m", "pawl", "serve"],
        cwd=tmp_path,
        env=environ(tmp_path, {"PORT": "0"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        for line in stdout:
            if found := re.search(r"curl -d \S+ (http://\S+/Adds)", line):
                assert httpx.post(found[1], json={"variables": {"a": 1, "b": 2}}).json() == {"sum": 3}
                process.send_signal(signal.SIGTERM)
    assert process.wait(100) == 0


def test_a_wrong_setting_is_told_in_one_line(tmp_path: Path) -> None:
    done = pawl("serve", cwd=tmp_path, PORT="nonsense")
    assert done.returncode == 2
    assert done.stderr == "pawl: PORT is 'nonsense'; it takes a port number; 0 takes any free one\n"


def test_in_the_background_it_is_found_by_commands_beside_it_and_stopped(tmp_path: Path) -> None:
    write(tmp_path / "models_serve" / "Adds")
    here = {"PORT": "0", "DATA_DIR": str(tmp_path / "kept")}
    try:
        started = pawl("serve", "--background", cwd=tmp_path, **here)
        assert (started.returncode, started.stderr) == (0, "")
        found = re.search(r"listening on (http://[^\s,]+)", started.stdout)
        assert found is not None
        assert httpx.get(found[1].replace("/models_serve", "/healthz")).status_code == 200
        assert pawl("ls", cwd=tmp_path, **here).returncode == 0, "it is found without --server"
        told = re.search(r"It is process (\d+)", started.stdout)
        assert told is not None
        opened = re.search(r"flags:\s*(\d+)", Path(f"/proc/{told[1]}/fdinfo/2").read_text())
        assert opened is not None
        assert int(opened[1], 8) & os.O_APPEND, "what bounds the file shortens it"
        os.kill(int(told[1]), signal.SIGHUP)
        ready = found[1].replace("/models_serve", "/readyz")
        wait_for(lambda: httpx.get(ready).status_code == 200, "it to go on when the terminal is closed")
        os.truncate(tmp_path / "kept/log", 33 << 20)
        wait_for(lambda: (tmp_path / "kept/log").stat().st_size < 1000, "a log of 33 MB to be begun anew")
        assert (tmp_path / "kept/log.1").stat().st_size >= 33 << 20
        again = pawl("serve", "--background", "--json", cwd=tmp_path, **here)
        assert again.returncode == 5
        assert found[1] in again.stderr
    finally:
        stopped = pawl("stop", "--json", "stopped,url", cwd=tmp_path, **here)
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert json.loads(stopped.stdout) == {"stopped": True, "url": found[1]}
    with pytest.raises(httpx.ConnectError):
        httpx.get(found[1])
    assert pawl("stop", cwd=tmp_path, **here).returncode == 0, "where none runs there is nothing to do"


def test_a_server_that_is_still_starting_is_stopped_too(tmp_path: Path) -> None:
    takes = "from pathlib import Path; from server.process.data_dir import DataDir; held = DataDir(Path('data'))"
    holds = f"import signal; {takes}; held.tell_holder(); print('held', flush=True); signal.pause()"
    starting = subprocess.Popen(
        [sys.executable, "-c", holds], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    with starting:
        assert starting.stdout is not None
        assert starting.stdout.readline() == b"held\n"
        stopped = pawl("stop", cwd=tmp_path, DATA_DIR="data")
        assert (stopped.returncode, stopped.stderr) == (0, "")
        assert "was starting" in stopped.stdout
    assert starting.returncode == -signal.SIGTERM


def test_what_tells_stop_of_a_server_does_not_wait_for_the_server_s_code() -> None:
    code = "import sys, server.__main__; print({'server.assembly', 'starlette', 'uvloop', 'git'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_can_not_serve_in_the_background_says_why(tmp_path: Path) -> None:
    done = pawl("serve", "--background", cwd=tmp_path, PORT="0")
    assert done.returncode == 2
    assert "models_serve" in done.stderr
    assert pawl("serve", "--background", cwd=tmp_path, PORT="nonsense").returncode == 2


def test_on_a_full_disk_it_says_so_and_where_the_disk_fills_later_it_serves(tmp_path: Path) -> None:
    write(tmp_path / "models_serve" / "Adds")
    with small_disk(tmp_path / "disk") as disk:
        here = {"PORT": "0", "DATA_DIR": str(disk / "data")}
        filler = fill(disk)
        refused = pawl("serve", "--background", cwd=tmp_path, **here)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"{disk}/data/log can't be written: No space left on device" in refused.stderr
        assert pawl("serve", cwd=tmp_path, **here).returncode == 2
        filler.unlink()
        assert pawl("serve", "--background", cwd=tmp_path, **here).returncode == 0
        assert pawl("stop", cwd=tmp_path, **here).returncode == 0
        fill(disk)
        try:
            started = pawl("serve", "--background", cwd=tmp_path, **here)
            assert started.returncode == 0
            assert re.search(r"listening on http://\S+/models_serve$", started.stdout, re.MULTILINE)
            assert "No space left on device" in started.stderr
            assert pawl("ls", cwd=tmp_path, **here).stdout.startswith("Adds\t"), "it is found without --server"
        finally:
            assert pawl("stop", cwd=tmp_path, **here).returncode == 0
