from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.serving import ROOT

TELLS = """
from core.process.streams import open_closed_streams
open_closed_streams()
import os, sys
places = [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
print("printed")
print("printed", file=sys.stderr)
assert sys.stdin.read() == ""
assert all(map(os.get_inheritable, range(3)))
os.write(WRITTEN, repr([place == os.devnull for place in places]).encode())
"""


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_streams_that_are_closed_lead_nowhere(closed: tuple[int, ...]) -> None:
    reading, writing = os.pipe()
    numbers = " ".join(f"{number}>&-" for number in closed)
    code = TELLS.replace("WRITTEN", str(writing))
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {numbers}', sys.executable, code],
        pass_fds=[writing],
        cwd=ROOT,
        input=b"",
        capture_output=True,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == repr([number in closed for number in range(3)])
    assert done.returncode == 0
    assert (done.stdout, done.stderr) == tuple(b"" if number in closed else b"printed\n" for number in (1, 2))
