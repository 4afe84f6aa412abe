"""Models from a git repository, by way of real repositories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import SettingError, SourceError, VersionNotFound
from core.manifest.manifest import Manifest, parse_manifest
from loader.files.model_folders import MOST_MANIFEST_BYTES
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.loader.sources.git.following import followed, models
from tests.repos import Repo


def test_the_folders_with_a_class_a_manifest_or_an_onnx_file_are_models(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Net/net.onnx", "").write("Trained/model.yaml", "description: soon").write("data/rows.csv", "").commit()
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert set(desired.models) == {"Iris", "Churn", "Net", "Trained"}
    assert desired.left_out == {}
    assert desired.head == repo.head


def test_a_model_with_a_name_that_can_not_be_served_is_left_out_with_the_reason(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for name in ("all", "a b", "requirements.txt"):
        repo.write(f"{name}/etls.py", "")
    repo.commit()
    with followed(repo, tmp_path / "data") as source:
        left_out = source.look().left_out
    assert set(left_out) == {"all", "a b", "requirements.txt"}
    assert "rename the folder" in left_out["all"]


def test_what_nobody_thought_of_fails_the_model_that_it_came_up_with_alone(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Odd/etls.py", "").write("Odd/model.yaml", "description: odd").commit()
    source = GitSource(Remote(str(repo.path)), tmp_path / "data", parse=breaks_on_odd)
    desired = source.look()
    found = source.resolve("Odd", "v1")
    source.close()
    for odd in (desired.models["Odd"], found):
        assert odd.revision is None
        assert "Pawl itself failed: RecursionError" in str(odd.failure)
    assert desired.models["Iris"].revision is not None
    assert desired.models["Churn"].revision is not None


def breaks_on_odd(manifest: bytes) -> Manifest:
    if b"odd" in manifest:
        raise RecursionError
    return parse_manifest(manifest)


def test_a_manifest_that_is_longer_than_is_read_is_not_to_be_edited(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Iris/model.yaml", "description: it\n".ljust(MOST_MANIFEST_BYTES + 1, "#")).commit()
    with followed(repo, tmp_path / "data") as source:
        source.look()
        assert source.manifest_text("Churn").text == b"uses: [common]\n"
        with pytest.raises(SourceError, match="too many to be edited"):
            source.manifest_text("Iris")


def test_a_submodule_is_reported_and_not_followed(tmp_path: Path) -> None:
    repo = models(tmp_path)
    iris = repo.git("rev-parse", "HEAD:Iris")
    repo.commit_entries(("40000", iris, "Iris"), ("160000", "1" * 40, "vendored"))
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert set(desired.models) == {"Iris"}
    assert "submodule" in desired.left_out["vendored"]


@pytest.mark.parametrize("uses", ["[missing]", "[README.md]", "['..']", "['Iris/etls.py']", "['']", "['.git']"])
def test_a_shared_folder_that_is_none_fails_the_release_by_name(tmp_path: Path, uses: str) -> None:
    repo = models(tmp_path)
    repo.commit_file("Churn/model.yaml", f"uses: {uses}\n")
    with followed(repo, tmp_path / "data") as source:
        churn = source.look().models["Churn"]
    assert churn.revision is None
    assert churn.failure is not None
    assert churn.failure.stage == "manifest"
    assert uses.strip("[]'") in str(churn.failure)


def test_a_manifest_that_is_wrong_fails_its_own_model_alone(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.commit_file("Churn/model.yaml", "servee: {}\n")
    with followed(repo, tmp_path / "data") as source:
        found = source.look().models
    assert "servee" in str(found["Churn"].failure)
    assert found["Churn"].version.number == 2
    assert found["Iris"].revision is not None


def test_the_named_branch_is_followed(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.branch("next").commit_file("Iris/etls.py", "next")
    ahead = repo.head
    repo.switch("main")
    with followed(repo, tmp_path / "data", branch="next") as source:
        assert source.look().head == ahead


def test_following_something_else_in_the_same_data_folder_works(tmp_path: Path) -> None:
    repo = models(tmp_path)
    other = Repo(tmp_path / "other")
    other.commit_file("Other/etls.py")
    data = tmp_path / "data"
    with followed(repo, data) as source:
        source.look()
    with followed(other, data) as source:
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", "v1")
        assert set(source.look().models) == {"Other"}


def test_nothing_is_kept_of_what_was_followed_before(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        source.look()
    repo.git("branch", "live")
    with followed(repo, tmp_path / "data", branch="live") as source:
        source.look()
        source.look()
    mirror = tmp_path / "data/mirror.git"
    refs = repo.git("--git-dir", str(mirror), "for-each-ref", "--format=%(objectname)")
    assert refs == repo.head


def test_a_folder_called_model_yaml_names_nothing(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.commit_file("Iris/model.yaml/notes", "uses: [common]\n")
    repo.commit_file("common/more.py")
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models["Iris"].version.number == 2


def test_where_says_what_is_followed(tmp_path: Path) -> None:
    remote = Remote("https://ada:secret@example.org/models.git", branch="live", folder="a/b")
    source = GitSource(remote, tmp_path / "data")
    assert source.where == "https://example.org/models.git at live in a/b"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_repository_that_another_user_owns_is_read(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for path in [repo.path, *repo.path.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models


@pytest.mark.parametrize("folder", ["..", "a/../b", "a//b", "./a", ".git", "a/.GIT"])
def test_a_folder_that_leads_elsewhere_is_refused_at_the_start(folder: str) -> None:
    with pytest.raises(SettingError, match="gitFolder"):
        Remote("/models", folder=folder)


def test_after_its_end_nothing_is_counted_any_more(tmp_path: Path) -> None:
    repo, data = models(tmp_path), tmp_path / "data"
    with followed(repo, data) as source:
        source.look()
    (data / "history").unlink()
    with followed(repo, data) as source:
        source.close()
        with pytest.raises(SourceError, match="not followed any more"):
            source.resolve("Iris", "v1")


def test_a_folder_that_trains_has_a_code_key_and_a_train_py_alone_makes_a_model(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/train.py", "1").write("Iris/data/x.csv", "1").write("Churn/etls.py")
    repo.write("Both/etls.py").write("Both/model.yaml", "train: {params: {depth: 6}}").commit()
    first = code_keys(repo, tmp_path / "data")
    assert first.keys() == {"Both", "Churn", "Iris"}
    assert first["Churn"] is None
    assert first["Both"] != first["Iris"] is not None
    repo.write("Iris/README.md").write("Iris/etls.py", "new").write("Churn/etls.py", "new").commit()
    assert code_keys(repo, tmp_path / "data") == first
    repo.commit_file("Iris/data/x.csv", "2")
    assert code_keys(repo, tmp_path / "data")["Iris"] != first["Iris"]


def code_keys(repo: Repo, data: Path) -> dict[str, str | None]:
    source = GitSource(Remote(str(repo)), data)
    try:
        revisions = [one.revision for one in source.look().models.values()]
        return {one.model: one.code_key for one in revisions if one is not None}
    finally:
        source.close()
