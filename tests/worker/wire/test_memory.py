"""Memory that is freed and asked for again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.serving import ROOT

_BODIES = """
import os, resource
from worker.wire.memory import give_back, keep_what_is_freed, private_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def used_mb():
    return private_memory(os.getpid()) >> 20

def receive(times, megabytes):
    for _ in range(times):
        bodies = [b""] * megabytes  # one that grows would leave small pieces among the large ones
        for index in range(megabytes):
            bodies[index] = b"x" * (1 << 20)
        bodies.clear()

def receive_among_small_pieces(megabytes):
    bodies = [(b"x" * (1 << 20), b"x" * 8000) for _ in range(megabytes)]
    return [small for _, small in bodies]
"""


def _run(code: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", _BODIES + code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")


def test_bodies_that_come_and_go_take_the_memory_of_those_before() -> None:
    keeping, otherwise = (
        _run(f"{call}; receive(5, 8); before = faults(); receive(20, 8); print(faults() - before)")[0]
        for call in ("keep_what_is_freed()", "pass")
    )
    assert keeping < 100
    assert otherwise > 20 * 8 * 100  # else there would be nothing to spare


def test_more_than_that_goes_back_to_the_system() -> None:
    before, after = _run("keep_what_is_freed(); print(used_mb()); receive(3, 200); print(used_mb())")
    assert after - before <= 20


def test_what_is_left_goes_back_when_it_is_told_to() -> None:
    code = "keep_what_is_freed(); receive(3, 12); print(used_mb()); give_back(); print(used_mb())"
    before, after = _run(code)
    assert before - after >= 10


def test_what_is_left_among_small_pieces_goes_back_too() -> None:
    code = "kept = receive_among_small_pieces(100); print(used_mb()); give_back(); print(used_mb())"
    before, after = _run("keep_what_is_freed(); " + code)
    assert before - after >= 80
