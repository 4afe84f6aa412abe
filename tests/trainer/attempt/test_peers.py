from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trainer.attempt.peers import taken_by_peers

MB = 1 << 20

CODE = """
import subprocess, sys
from pathlib import Path
from trainer.attempt.identity import claim
claim(Path(sys.argv[1]), None)
child = "held = bytearray(int(__import__('sys').argv[1])); print('held', flush=True); input()"
subprocess.run([sys.executable, "-c", child, sys.argv[2]])
"""


def test_what_the_children_of_each_other_attempt_take_is_told_while_it_lives(tmp_path: Path) -> None:
    ours, peer = tmp_path / "k1/a1", tmp_path / "k2/a3"
    for folder in (ours, peer):
        folder.mkdir(parents=True)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, str(folder), str(64 * MB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for folder in (ours, peer)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
    (taken,) = taken_by_peers(ours)
    assert 64 * MB < taken < 128 * MB
    for process in processes:
        process.communicate(b"\n")
    assert list(taken_by_peers(ours)) == []
