"""How a model's versions are counted, by way of real repositories."""

from __future__ import annotations

from pathlib import Path

from tests.loader.sources.git.following import followed, models, version
from tests.repos import Repo


def test_only_a_commit_that_changes_the_model_makes_a_new_release(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        before = source.look()
        first = repo.head
        repo.commit_file("README.md", "more")
        unchanged = source.look()
        repo.commit_file("Iris/etls.py", "changed")
        after = source.look()
    assert unchanged.head != before.head
    assert unchanged.models == before.models
    assert version(after, "Iris") == (2, repo.head)
    assert version(after, "Churn") == (1, first)
    assert after.models["Iris"].revision != before.models["Iris"].revision
    assert after.models["Churn"].revision == before.models["Churn"].revision


def test_a_shared_folder_is_part_of_the_release_and_of_the_version(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models["Churn"]
        repo.commit_file("common/x.py", "1")
        after = source.look().models["Churn"]
    assert after.revision is not None
    assert after.revision != before.revision
    assert set(after.revision.folders) == {"Churn", "common"}
    assert after.version.number == 2 == repo.count("Churn", "common")


def test_dropping_a_shared_folder_never_takes_a_version_back(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for content in "abc":
        repo.commit_file("common/x.py", content)
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models["Churn"].version.number
        repo.commit_file("Churn/model.yaml", "description: alone\n")
        after = source.look().models["Churn"].version
        assert source.resolve("Churn", "v5").version == after
        assert source.resolve("Churn", "v4").version.number == before
    assert (before, after.number) == (4, 5)
    assert repo.count("Churn") == 2


def test_a_revert_is_a_new_version_of_an_old_release(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        first = source.look().models["Iris"]
        repo.commit_file("Iris/etls.py", "worse")
        repo.revert()
        again = source.look().models["Iris"]
    assert again.revision == first.revision
    assert again.version.number == 3
    assert again.version.commit == repo.head


def test_the_default_requirements_belong_to_the_releases_and_versions_that_they_apply_to(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Iris/requirements.txt", "own").write("requirements.txt", "default").commit()
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models
        repo.commit_file("requirements.txt", "other")
        after = source.look().models
    assert after["Iris"].revision == before["Iris"].revision
    assert after["Churn"].revision != before["Churn"].revision
    assert after["Iris"].version.number == before["Iris"].version.number + 1, "it was without its own at first"
    assert after["Churn"].version.number == before["Churn"].version.number + 1
    assert after["Churn"].version.commit == repo.head


def test_a_model_that_always_had_requirements_of_its_own_has_no_version_by_those_of_the_repository(
    tmp_path: Path,
) -> None:
    repo = models(tmp_path)
    repo.write("Own/etls.py").write("Own/requirements.txt", "own").commit()
    repo.commit_file("requirements.txt", "default")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Own")[0] == 1


def test_from_the_commit_on_that_takes_a_models_requirements_away_those_of_the_repository_count(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Own/etls.py").write("Own/requirements.txt", "own").write("requirements.txt", "default").commit()
    repo.commit_file("requirements.txt", "other")
    own = repo.head
    repo.remove("Own/requirements.txt").commit()
    repo.commit_file("Own/requirements.txt", "own again")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Own") == (4, repo.head), (
            "its own three, and the one that changed those of the repository"
        )
        assert source.resolve("Own", own).version.number == 1
    assert repo.count("Own", "requirements.txt") == 4


def test_requirements_in_the_models_folder_win_over_those_at_the_root(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("live/models/Iris/etls.py").write("requirements.txt", "root").commit()
    with followed(repo, tmp_path / "data", folder="live/models/") as source:
        root = source.look().models["Iris"].revision
        repo.commit_file("live/models/requirements.txt", "nearer")
        nearer = source.look().models["Iris"].revision
    assert root is not None
    assert nearer is not None
    assert root.default_requirements == repo.git("rev-parse", "HEAD:requirements.txt")
    assert nearer.default_requirements == repo.git("rev-parse", "HEAD:live/models/requirements.txt")


def test_the_newest_commit_gives_the_version_whatever_its_clock_says(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.turn_clock(10_000).commit_file("Iris/etls.py", "ahead")
    repo.turn_clock(-10_000).commit_file("Iris/etls.py", "behind")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Iris") == (3, repo.head)
        assert source.resolve("Iris", "v3").version.commit == repo.head


def test_a_merge_is_counted_for_what_differs_from_any_of_its_parents(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.branch("side").commit_file("Iris/etls.py", "side")
    repo.switch("main").commit_file("README.md", "main")
    repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert version(desired, "Iris") == (3, repo.head)
    assert repo.count("Iris") == 3
    assert desired.models["Churn"].version.number == 1


def test_a_merge_that_adds_nothing_is_no_version(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first = repo.head
    repo.branch("side").commit_file("README.md", "side")
    repo.switch("main").commit_file("Churn/etls.py", "main")
    merge = repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Iris") == (1, first)
        assert source.resolve("Iris", "v1").version.commit == first
        assert source.resolve("Iris", merge).version.commit == first
