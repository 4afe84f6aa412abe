"""Moments and keys that nothing can have are refused, by the server and by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin_actions import act
from tests.pawl.commands import pawl
from tests.repos import Repo
from tests.serving import Server, echo, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("calendar")
    repo = Repo(home / "models").write("Echo/etls.py", echo("one"))
    repo.write("Trains/etls.py", echo("two")).write("Trains/train.py", "def train(output):\n    return 1.0\n").commit()
    with serving(home / "data", repo.path) as server:
        yield server


@pytest.mark.parametrize("name", ["run-abc", "run-ad98872a", f"run-{'0' * 13}"])
def test_what_is_no_runs_key_names_no_version(server: Server, name: str) -> None:
    for path in (f"versions/{name}", f"versions/{name}/traffic", f"versions/v1/diff?from={name}"):
        server.admin("GET", f"/-/api/models/Trains/{path}").error(404, "version_not_found")
    act(server, "PUT", "models/Trains/pin", {"version": name}).error(404, "version_not_found")
    server.post(f"/Trains/{name}").error(404, "version_not_found")
    assert server.admin("GET", f"/-/models/Trains/compare?to={name}").status == 404


def test_traffic_is_told_up_to_the_last_day_that_there_is(server: Server) -> None:
    for query in ("to=9999-12-31T23:59:59Z&step=1d", "from=9999-12-31T00:00:00Z&to=9999-12-31T23:59:59Z"):
        assert server.admin("GET", f"/-/api/traffic?{query}").status == 200
        assert server.admin("GET", f"/-/monitoring?{query}").status == 200


@pytest.mark.parametrize(
    "arguments",
    [("traffic", "Echo", "--from", "99999999d"), ("keys", "create", "x", "--scope", "view", "--expires", "99999999d")],
    ids=" ".join,
)
def test_a_span_longer_than_the_calendar_is_a_usage_error(
    server: Server, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = pawl(*arguments, "--server", server.base, "--token", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "than there are years" in done.stderr
