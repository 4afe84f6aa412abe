from __future__ import annotations

import pytest

from core.errors import SettingError
from core.settings.settings import Settings
from trainer.kubernetes.reach import check_reach, pod_address

GIT = "https://git.example/models.git"


@pytest.mark.parametrize(
    "artifacts", ["s3://bucket/x", "gs://bucket", "abfs://a@b.dfs.core.windows.net/x", "pvc://claim/x"]
)
def test_what_pods_reach_is_taken(artifacts: str) -> None:
    check_reach(Settings(artifacts=artifacts, git_path=GIT), "pawl")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(git_path=GIT), "which is in DATA_DIR: set ARTIFACTS to s3://"),
        (Settings(git_path=GIT, artifacts="file:///data/x"), "which is file:///data/x: set ARTIFACTS to s3://"),
        (Settings(git_path=GIT, artifacts="s3://key:hidden@bucket/x"), "TRAIN_STORE_SECRET"),
        (Settings(git_path=GIT, artifacts="abfs://models:hidden@a.dfs.core.windows.net/x"), "TRAIN_STORE_SECRET"),
        (Settings(git_path=GIT, artifacts="pvc://claim", train_namespace="other"), "the claim of ARTIFACTS is in pawl"),
        (Settings(artifacts="s3://bucket"), "pods can't fetch from a local folder"),
        (Settings(artifacts="s3://bucket", git_path="file:///repo"), "pods can't fetch from file:///repo"),
    ],
)
def test_what_they_can_t_reach_stops_the_start(settings: Settings, message: str) -> None:
    with pytest.raises(SettingError) as refused:
        check_reach(settings, "pawl")
    assert message in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_claim_is_a_folder_in_pods() -> None:
    assert pod_address("pvc://claim/a/b/") == "file:///artifacts/a/b"
    assert pod_address("s3://bucket/x") == "s3://bucket/x"
