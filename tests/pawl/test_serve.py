from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.pawl.commands import environ, pawl, write


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
    assert process.wait(30) == 0


def test_a_wrong_setting_is_told_in_one_line(tmp_path: Path) -> None:
    done = pawl("serve", cwd=tmp_path, PORT="nonsense")
    assert done.returncode == 2
    assert done.stderr == "pawl: PORT is 'nonsense'; it takes a port number; 0 takes any free one\n"
