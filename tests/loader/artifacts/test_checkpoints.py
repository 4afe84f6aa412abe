from __future__ import annotations

from pathlib import Path

from loader.artifacts.checkpoints import StoredCheckpoints
from loader.artifacts.files.files import Files
from loader.artifacts.store import ArtifactStore

DAY_S = 86_400.0


def test_a_checkpoint_waits_a_day_for_another_try(files: Files, tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    (tmp_path / "left/weights").write_text("1")
    for run in ("aa", "bb"):
        ArtifactStore(files, root=f"checkpoints/{run}").put(tmp_path / "left")
    checkpoints = StoredCheckpoints(files)
    assert checkpoints.prune({"aa": 1000.0}, 1000.0 + DAY_S) == []
    assert checkpoints.prune({"aa": 1000.0}, 1001.0 + DAY_S) == ["aa"]
    assert files.folders("checkpoints") == ["bb"]
