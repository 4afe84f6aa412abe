"""Processes of this machine, which tests look at."""

from __future__ import annotations

from pathlib import Path

from tests.serving import wait_for


def is_alive(pid: int) -> bool:
    """Whether the process runs: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_dead(pids: set[int] | list[int], what: str) -> None:
    wait_for(lambda: not any(map(is_alive, pids)), f"the end of {what} {[pid for pid in pids if is_alive(pid)]}")
