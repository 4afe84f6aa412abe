"""A server whose starter closed some of its standard streams, as scripts do that leave one running."""

from __future__ import annotations

from pathlib import Path

from tests.serving import echo, serving


def test_a_server_without_input_and_error_output_serves(tmp_path: Path) -> None:
    folder = tmp_path / "models_serve/Echo"
    folder.mkdir(parents=True)
    (folder / "etls.py").write_text(echo("it"))
    closing = ("sh", "-c", 'exec "$@" 0<&- 2>&-', "sh")
    with serving(tmp_path / "data", cwd=tmp_path, by=closing) as server:
        assert server.score("Echo")["by"] == "it"
        assert server.stop() == 0
