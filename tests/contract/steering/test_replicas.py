"""Two daemons with one PostgreSQL: what is decided at one holds at both, and the ledger has it once."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.admin_actions import act, deployments, live
from tests.postgres import Postgres
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

SAME_SITE = {"sec-fetch-site": "same-origin"}


def wait_live(server: Server, version: str) -> None:
    server.wait(lambda: live(server, "Echo") == version, f"Echo {version}")


def test_daemons_with_one_database_tell_each_other_s_events_and_end_each_other_s_sessions(
    tmp_path: Path, postgres: Postgres
) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    with (
        serving(tmp_path / "a", repo.path, DATABASE_URL=postgres.url) as first,
        serving(tmp_path / "b", repo.path, DATABASE_URL=postgres.url) as second,
    ):
        address, headers = f"{second.base}/-/api/events/stream?kind=pinned", {"authorization": f"Bearer {TOKEN}"}
        with httpx.stream("GET", address, headers=headers, timeout=60, trust_env=False) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            assert act(first, "PUT", "models/Echo/pin", {"version": "v1", "reason": "it works"}).status == 200
            assert '"reason":"it works"' in next(line for line in lines if line.startswith("data: "))
        assert [one["reason"] for one in second.events("pinned")] == ["it works"]
        with httpx.Client(trust_env=False) as browser:
            browser.post(f"{first.base}/-/api/session", json={"key": TOKEN}, headers=SAME_SITE).raise_for_status()
            cookie = {"cookie": f"pawl_session={browser.cookies['pawl_session']}"}
            assert second.get("/-/api/events", cookie).status == 200
            browser.delete(f"{first.base}/-/api/session", headers=SAME_SITE).raise_for_status()
        second.wait(lambda: second.get("/-/api/events", cookie).status == 401, "the session to have ended there too")


def test_daemons_with_one_database_agree_and_make_one_entry_of_each_change(tmp_path: Path, postgres: Postgres) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    with (
        serving(tmp_path / "a", repo.path, DATABASE_URL=postgres.url) as first,
        serving(tmp_path / "b", repo.path, DATABASE_URL=postgres.url) as second,
    ):
        repo.commit_file("Echo/etls.py", echo("two"))
        first.sync()
        second.sync()
        assert act(first, "PUT", "models/Echo/pin", {"version": "v1", "reason": "it works"}).status == 200
        wait_live(second, "v1")
        act(second, "POST", "models/Echo/rollback").error(409, "pinned")
        assert act(second, "DELETE", "models/Echo/pin").status == 200
        wait_live(first, "v2")
        assert act(first, "POST", "models/Echo/rollback", {"reason": "slow"}).status == 200
        wait_live(second, "v1")
        assert act(second, "POST", "models/Echo/versions/v2/accept").status == 200
        wait_live(first, "v2")
        found = first.wait(
            lambda: found if len(found := deployments(first, "Echo", postgres.url)) >= 6 else [], "the ledger"
        )
        postgres.stop()
        try:
            assert (live(first, "Echo"), live(second, "Echo")) == ("v2", "v2")
            act(first, "PUT", "models/Echo/pin", {"version": "v1"}).error(503, "registry_unavailable")
            assert live(first, "Echo") == "v2"
        finally:
            postgres.start()
        first.wait(
            lambda: act(first, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200, "the registry to be back"
        )
        wait_live(second, "v1")
    told = [(one.version, one.cause, one.reason) for one in reversed(found)]
    assert told == [
        ("v1", "push", ""),
        ("v2", "push", ""),
        ("v1", "pin", "it works"),
        ("v2", "unpin", ""),
        ("v1", "rollback", "slow"),
        ("v2", "push", ""),
    ]
    assert all(one.actor is not None and one.actor.kind == "key" for one in found[:4])
