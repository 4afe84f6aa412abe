"""A local folder has versions too: those that were seen."""

from __future__ import annotations

from pathlib import Path

from tests.serving import echo, serving


def test_an_older_version_goes_by_its_number_and_by_what_its_answers_call_its_commit(tmp_path: Path) -> None:
    etls = tmp_path / "models_serve/Echo/etls.py"
    etls.parent.mkdir(parents=True)
    etls.write_text(echo("first"))
    with serving(tmp_path / "data", cwd=tmp_path) as server:
        first = server.post("/Echo", {}).headers["x-pawl-commit"]
        assert first.startswith("local-")
        etls.write_text(echo("second"))
        server.wait_live("Echo", "v2")
        for name in ("v1", first, first[:13], first.removeprefix("local-")):
            answer = server.post(f"/Echo/{name}", {})
            assert (answer.status, answer.json["by"]) == (200, "first"), name
            assert (answer.headers["x-pawl-version"], answer.headers["x-pawl-commit"]) == ("v1", first)
        for name in ("v3", "local-0000000", "local-", "local-v1"):
            server.post(f"/Echo/{name}", {}).error(404, "version_not_found")
        etls.write_text(echo("first"))
        server.wait_live("Echo", "v3")
        assert server.post("/Echo", {}).headers["x-pawl-commit"] == first
