from __future__ import annotations

from pathlib import Path

from tests.worker.processes import serving

ECHO = """
    class Echo:
        def transform_predict(self, variables):
            return {"got": variables}
"""


def test_a_folder_is_served(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        assert worker.ask({"variables": {"x": 1}}) == (200, {"got": {"x": 1}})
