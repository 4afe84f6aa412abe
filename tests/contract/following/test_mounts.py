"""Models in a folder that Kubernetes mounts: an update of a ConfigMap goes live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving import echo, serving
from tests.volumes import Volume


@pytest.mark.parametrize("whole", [False, True])
def test_an_update_of_a_mounted_config_map_goes_live_by_itself(tmp_path: Path, whole: bool) -> None:
    folder = tmp_path / "models_serve"
    name = "Echo/etls.py" if whole else "etls.py"
    volume = Volume(folder if whole else folder / "Echo", {name: echo("first")})
    with serving(tmp_path / "data", cwd=tmp_path) as server:
        assert server.score("Echo")["by"] == "first"
        volume.update({name: echo("second")})
        server.wait_live("Echo", "v2")
        assert server.score("Echo")["by"] == "second"
