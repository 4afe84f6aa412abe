"""Servers on one PostgreSQL behind one nginx, replaced one by one as a Deployment replaces pods."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.deploy.balancer import NGINX, Balancer, Load, balancing
from tests.postgres import Postgres
from tests.processes import command_line, descendants
from tests.repos import Repo
from tests.serving import Server, echo, serving
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="NO nginx HERE: apt-get install nginx-light"),
    pytest.mark.timeout(300),  # up to four servers start, one after the other
]

TRAIN = """
from pathlib import Path
import os, time

def train(output, folder):
    Path(folder, f"began-{os.getpid()}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    Path(output, "by.txt").write_text("the run")
    return {"quality": 1.0}
"""

TRAINED = """
class Trained:
    def __init__(self, path):
        self.by = open(path + "by.txt").read()

    def transform_predict(self, variables):
        return {"by": self.by}
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


class Deployment:
    """Servers that share the database and the artifacts, each with data of its own."""

    def __init__(self, folder: Path, repo: Repo, postgres: Postgres, stack: ExitStack, balancer: Balancer) -> None:
        self.servers: list[Server] = []
        self.balancer = balancer
        self._folder = folder
        self._repo = repo
        self._postgres = postgres
        self._stack = stack
        self._made = 0

    def add(self, count: int = 1) -> None:
        """So many more servers; they get requests once they are ready."""
        made = [self._start() for _ in range(count)]
        self.servers += [server.wait_ready() for server in made]
        self.balancer.point_at(self.servers)

    def remove(self, server: Server) -> None:
        """It gets no requests any more, and then SIGTERM. As in a pod, its end is that of its runs."""
        self._leave_out(server)
        assert server.stop() == 0
        self._kill(runs_of(server))

    def lose(self, server: Server) -> None:
        """With all that runs there, as a node that goes away."""
        self._kill(server.pids() | set(runs_of(server)))
        self._leave_out(server)

    def trainer(self) -> Server:
        """The one that has the run."""
        return wait_for(lambda: next(filter(runs_of, self.servers), None), "the run", str) or self.servers[0]

    def _start(self) -> Server:
        self._made += 1
        shared = {"DATABASE_URL": self._postgres.url, "ARTIFACTS": f"file://{self._folder}/artifacts"}
        data = self._folder / f"data-{self._made}"
        server = serving(data, self._repo.path, ready=False, SYNC_SECONDS="0.5", **shared)
        return self._stack.enter_context(server)

    def _leave_out(self, server: Server) -> None:
        self.servers.remove(server)
        self.balancer.point_at(self.servers)

    def _kill(self, pids: Iterable[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def runs_of(server: Server) -> set[int]:
    """Processes of the runs of that server, which outlive it where its pod doesn't end."""
    home = f"{server.settings.data}/runs/"
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        if "trainer.run" in (line := command_line(int(folder.name))) and home in line:
            found |= descendants(int(folder.name))
    return found


def began(folder: Path) -> int:
    """How many attempts have begun the author's code."""
    return len(list(folder.glob("began-*")))


@pytest.fixture
def deployment(tmp_path: Path, repo: Repo, postgres: Postgres) -> Iterator[Deployment]:
    with balancing(tmp_path / "nginx") as balancer, ExitStack() as stack:
        deployment = Deployment(tmp_path, repo, postgres, stack, balancer)
        deployment.add(2)
        try:
            yield deployment
        finally:
            (tmp_path / "runs" / "go").parent.mkdir(exist_ok=True)
            (tmp_path / "runs" / "go").touch()  # a run outlives its server, and would wait for ever


def test_a_rolling_update_during_a_push_drops_no_request(repo: Repo, deployment: Deployment) -> None:
    old = list(deployment.servers)
    with Load(deployment.balancer, "/models_serve/Echo") as load:
        load.wait_for_more()
        repo.commit_file("Echo/etls.py", echo("two"))
        for server in old:
            deployment.add()
            load.wait_for_more()
            deployment.remove(server)
        for server in deployment.servers:
            server.wait_live("Echo", "v2")
        load.wait_for_more()
    assert load.wrong == []
    assert load.answers.keys() == {"one", "two"}
    assert [server.score("Echo")["by"] for server in deployment.servers] == ["two", "two"]


@pytest.mark.parametrize("how", ["remove", "lose"])
def test_the_run_of_a_server_that_goes_is_another_s(
    tmp_path: Path, repo: Repo, deployment: Deployment, how: str
) -> None:
    """Within 15 s where it is lost (tests/trainer/test_lease.py); no request is dropped where it leaves."""
    runs = tmp_path / "runs"
    runs.mkdir()
    repo.write("Trained/train.py", TRAIN).write("Trained/etls.py", TRAINED)
    repo.write("Trained/model.yaml", f"train: {{params: {{folder: {runs}}}}}\n").commit()
    first = deployment.trainer()
    wait_for(lambda: began(runs), "the first attempt")
    with Load(deployment.balancer, "/models_serve/Echo") as load:
        load.wait_for_more()
        getattr(deployment, how)(first)
        wait_for(
            lambda: deployment.trainer() is not first and began(runs) > 1,
            "another attempt",
            lambda: "\n".join(server.log for server in (first, *deployment.servers)),
        )
        (runs / "go").touch()
        deployment.add()
        for server in deployment.servers:
            server.wait(lambda server=server: server.post("/Trained").status == 200, "what the run left")  # type: ignore[misc]
    if how == "remove":
        assert load.wrong == []
    assert {server.score("Trained")["by"] for server in deployment.servers} == {"the run"}
    results = [path.name for path in (tmp_path / "artifacts" / "runs").rglob("result.json")]
    assert len(results) == 1
