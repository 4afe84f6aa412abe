"""A folder that trains and has no artifact yet."""

from __future__ import annotations

from pathlib import Path

from tests.admin_actions import act
from tests.repos import Repo
from tests.serving import echo, serving


def test_a_model_that_was_never_trained_is_told_apart_and_holds_up_nothing(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    waits = (
        f"import os, time\ndef train():\n    while not os.path.exists({str(tmp_path / 'gate')!r}): time.sleep(0.05)\n"
    )
    repo.write("Echo/etls.py", echo("one")).write("Trained/train.py", waits).commit()
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post("/Trained").error(503, "not_trained")["run"] in ("queued", "pending", "running")
        assert server.post("/Trained/v1").error(503, "not_trained")["run"] in ("queued", "pending", "running")
        server.post("/Trained/run-0123456789ab").error(404, "version_not_found")
        tried = act(server, "POST", "models/Trained/retry?wait=20")
        waits_for = "; v1 has no artifact yet, and goes live once its run is accepted"
        assert (tried.status, tried.json.get("message")) == (200, f"nothing of Trained is to be served{waits_for}")
        answer = server.post("/Echo")
        assert answer.json["by"] == "one"
        assert "x-pawl-run" not in answer.headers
        repo.write("Echo/train.py", waits).commit()
        found = server.admin("POST", "/-/sync?wait=30").json
        assert (found["models"]["Echo"]["state"], found["models"]["Trained"]["state"]) == ("training", "training")
        assert server.post("/Echo").headers["x-pawl-version"] == "v1"
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200
        lifted = act(server, "DELETE", "models/Echo/pin").json["message"]
        assert lifted == "no longer pinned at v1; v1 is live; v2" + waits_for.removeprefix("; v1")
        (tmp_path / "gate").touch()
