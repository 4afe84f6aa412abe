"""Many pushes, fast pushes, slow imports and gaps: the newest goes live, and nothing is left of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_dead
from tests.repos import Repo
from tests.risky import Held, write_risky
from tests.serving import Server, echo, serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("swaps") / "models")
    repo.write("Echo/etls.py", echo("1")).write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, START_TIMEOUT_S="5") as server:
        yield server


def push(server: Server, repo: Repo, **files: str) -> str:
    """Commit files (`__` for a slash, `_` for a dot) of the folder Echo; the version they give it."""
    for name, content in files.items():
        repo.write(f"Echo/{name.replace('_', '.')}", content)
    repo.commit()
    server.look()
    return f"v{repo.count('Echo')}"


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def zombies_of(pid: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == pid:
            found.append(folder.name)
    return found


def resident_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


def wait_settled(server: Server) -> None:
    server.wait(lambda: len(server.workers()) == 2, "the end of old workers")


def test_twenty_swaps_leave_no_process_no_descriptor_no_socket_and_few_files(server: Server, repo: Repo) -> None:
    data = server.settings.data
    for number in range(3):
        server.wait_live("Echo", push(server, repo, etls_py=echo(f"warm {number}")))
    wait_settled(server)
    files, memory = open_files(server.process.pid), resident_mb(server.process.pid)
    for number in range(20):
        version = push(server, repo, etls_py=echo(f"swap {number}"))
        server.wait_live("Echo", version)
        assert server.score("Echo")["by"] == f"swap {number}"
    wait_settled(server)
    assert server.wait(lambda: not zombies_of(server.process.pid), "no zombies")
    server.wait(lambda: open_files(server.process.pid) <= files + 3, f"{files} descriptors")
    assert resident_mb(server.process.pid) < memory + 30
    server.wait(lambda: len(list((data / "run").glob("w*"))) == 2, "no sockets of old workers")
    server.wait(lambda: len(list((data / "releases/Echo").iterdir())) <= 4, "no old releases")


def test_pushes_within_a_second_end_on_the_newest(server: Server, repo: Repo) -> None:
    for number in range(10):
        repo.write("Echo/etls.py", echo(f"fast {number}")).commit()
        server.admin("POST", "/-/sync")
    server.sync()
    server.wait_live("Echo", f"v{repo.count('Echo')}")
    assert server.score("Echo")["by"] == "fast 9"
    wait_settled(server)


def test_an_import_that_never_returns_fails_with_where_it_was_and_holds_up_nobody(server: Server, repo: Repo) -> None:
    before = server.score("Echo")
    repo.write("Other/etls.py", echo("another"))
    version = push(server, repo, etls_py="import time\ntime.sleep(1000)\n")
    server.wait_live("Other", f"v{repo.count('Other')}")
    assert server.state("Echo")["failure"] is None
    failure = server.wait_failed("Echo", version)
    assert "not loaded after 5 s" in failure["message"]
    assert 'etls.py", line 2' in failure["detail"]
    assert server.score("Echo") == before
    server.wait_live("Echo", push(server, repo, etls_py=echo("quick")))


def test_what_may_heal_is_tried_again_by_itself_and_at_once_when_asked(
    server: Server, repo: Repo, tmp_path: Path
) -> None:
    tries, cure = tmp_path / "tries", tmp_path / "cure"
    head = f"import os\nopen({str(tries)!r}, 'a').write('x')\n"
    picky = head + f"class A:\n    def __init__(self):\n        os.stat({str(cure)!r})\n"
    version = push(server, repo, etls_py=picky + "    def transform_predict(self):\n        return {}\n")
    server.wait_failed("Echo", version)
    server.wait(lambda: server.state("Echo")["failure"]["tries"] == 2, "the end of a second try")
    assert len(tries.read_text()) == 2
    cure.touch()
    assert server.admin("POST", "/-/api/models/Echo/retry").status == 200
    server.wait_live("Echo", version)


def test_a_release_that_replaces_accepts_a_gap_and_comes_back_when_its_successor_fails(
    server: Server, repo: Repo, tmp_path: Path
) -> None:
    write_risky(repo, "Echo", 1, swap="replace")
    server.wait_live("Echo", push(server, repo))
    held = Held(tmp_path, server, "Echo")
    first = server.workers()
    write_risky(repo, "Echo", 2, swap="replace")
    version = push(server, repo)
    server.wait(lambda: server.state("Echo")["live"] is None, "the gap")
    assert "replaced" in server.post("/Echo").error(503, "not_live")["message"]
    assert held.let_go().json["edition"] == 1
    server.wait_live("Echo", version)
    assert server.score("Echo")["edition"] == 2
    assert set(server.workers()) != set(first)

    failed = push(server, repo, etls_py="1 / 0\n")
    assert "division" in server.wait_failed("Echo", failed)["message"]
    assert server.state("Echo")["live"]["version"] == version
    assert server.score("Echo")["edition"] == 2


def test_a_model_that_was_removed_leaves_no_files(server: Server, repo: Repo) -> None:
    workers, other = set(server.workers()), server.score("Other")
    repo.remove("Echo").commit()
    server.sync()
    server.wait(lambda: server.post("/Echo").status == 404, "its end")
    server.wait(lambda: not (server.settings.data / "releases/Echo").exists(), "the end of its files")
    wait_dead(workers - set(server.workers()), "its worker")
    assert server.score("Other") == other
