"""The versions of models out of real histories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import SourceError
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from loader.sources.past import CursorUnknown, PastVersion, Patch
from tests.loader.sources.git.test_source import followed
from tests.repos import Repo


def repo_of(tmp_path: Path, *contents: str) -> Repo:
    repo = Repo(tmp_path / "models")
    for content in contents:
        repo.commit_file("A/etls.py", content)
    return repo


def pages(source: GitSource, limit: int) -> list[PastVersion]:
    """All versions of A, page by page."""
    found: list[PastVersion] = []
    cursor = None
    while True:
        page = source.past("A", limit, cursor)
        assert 0 < len(page.versions) <= limit
        found += page.versions
        if page.next is None:
            return found
        cursor = page.next


def labels(found: list[PastVersion] | tuple[PastVersion, ...]) -> list[str]:
    return [one.candidate.version.label for one in found]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_content_that_comes_again_is_told_once_by_its_newest_version(tmp_path: Path, limit: int) -> None:
    repo = repo_of(tmp_path, "one", "two", "one", "three", "two")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        assert labels(pages(source, limit)) == ["v5", "v4", "v3"]


def test_a_page_after_a_push_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one", "two", "three")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        first = source.past("A", 1)
        repo.commit_file("A/etls.py", "four")
        source.look()
        assert labels(source.past("A", 5, first.next).versions) == ["v2", "v1"]
        repo.commit_file("A/etls.py", "one")
        source.look()
        assert labels(source.past("A", 5, first.next).versions) == ["v2"]


def test_rewritten_history_is_told_as_it_is_now(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one", "two", "three")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        first = source.past("A", 1)
        repo.reset("HEAD~2").commit_file("A/etls.py", "other")
        source.look()
        found = source.past("A", 5)
        assert labels(found.versions) == ["v2", "v1"]
        assert found.versions[0].candidate.version.commit == repo.head
        assert labels(source.past("A", 5, first.next).versions) == ["v2", "v1"]


def test_what_is_merged_counts_with_both_of_its_sides(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one")
    repo.branch("side").commit_file("A/side.txt", "side")
    repo.switch("main").commit_file("A/main.txt", "main")
    repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        head = source.look().models["A"]
        found = pages(source, 2)
    assert found[0].candidate.version == head.version
    assert found[0].candidate.revision == head.revision
    assert sorted(labels(found[1:])) == ["v1", "v2", "v2"]


def test_a_time_without_the_model_is_left_out(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one")
    repo.write("B/etls.py").remove("A").commit()
    repo.commit_file("A/etls.py", "two")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        assert labels(pages(source, 1)) == ["v3", "v1"]


def test_a_shared_folder_makes_versions_and_counts_for_the_size(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "12345")
    repo.write("A/model.yaml", "uses: [common]\n").write("common/a.py", "123").commit("use it")
    repo.commit_file("common/a.py", "1234567")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        found = pages(source, 10)
        patch = source.patch(found[1].candidate, found[0].candidate, 10_000)
    assert labels(found) == ["v3", "v2", "v1"]
    assert [one.size_bytes for one in found] == [5 + 15 + 7, 5 + 15 + 3, 5]
    assert patch is not None
    assert "+1234567" in patch.text
    assert "A/etls.py" not in patch.text


def test_a_folder_that_can_not_be_served_is_told_with_the_reason(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one")
    repo.commit_file("A/model.yaml", "odd: 1\n")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        newest = source.past("A", 1).versions[0]
    assert newest.candidate.revision is None
    assert "odd" in str(newest.candidate.failure)
    assert newest.message == "change"


def test_a_patch_is_cut_at_its_bound_and_shows_no_large_or_binary_file(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one")
    repo.write("A/large.txt", "line\n" * 200_000).write("A/binary", b"\0\1").write("A/text.txt", "line\n" * 1000)
    repo.write(".gitattributes", "*.py diff=evil\n").commit()
    repo.git("config", "diff.evil.command", f"touch {tmp_path / 'ran'}")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        after, before = source.past("A", 2).versions
        whole = source.patch(before.candidate, after.candidate, 1_000_000)
        cut = source.patch(before.candidate, after.candidate, 1000)
    assert whole is not None
    assert whole.text.count("Binary files") == 2
    assert not whole.is_cut
    assert cut is not None
    assert (len(cut.text), cut.is_cut) == (1000, True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "odd", ["", "1", "0-" + "a" * 40, "1-", "-1-" + "a" * 40, "1-" + "A" * 40, "1-" + "a" * 40 + "\n"]
)
def test_a_cursor_that_nobody_gave_is_refused(tmp_path: Path, odd: str) -> None:
    with followed(repo_of(tmp_path, "one"), tmp_path / "data") as source:
        source.look()
        with pytest.raises(CursorUnknown):
            source.past("A", 5, odd)


def test_what_takes_long_is_told_in_more_and_shorter_pages(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, *"abcdefgh")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        whole = pages(source, 100)
    with impatient(repo, tmp_path / "other") as source:
        source.look()
        middle = f"4-{whole[4].candidate.version.commit}"
        first = source.past("A", 2, middle)
        assert (first.versions, first.next) == ((), middle)
        found: list[PastVersion] = []
        cursor: str | None = middle
        asked = 0
        while cursor is not None:
            page = source.past("A", 2, cursor)
            found, cursor, asked = [*found, *page.versions], page.next, asked + 1
            assert asked < 50
    assert labels(found) == ["v3", "v2", "v1"]


@contextmanager
def impatient(repo: Repo, data: Path) -> Iterator[GitSource]:
    """A source that looks at one version, or at none, for a page."""
    source = GitSource(Remote(str(repo)), data, patience_s=0)
    try:
        yield source
    finally:
        source.close()


def test_a_page_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one", "two", "three")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        first = source.past("A", 2)
        (tmp_path / "data" / "mirror.git" / "objects").rename(tmp_path / "objects")
        assert source.past("A", 2) == first
        (tmp_path / "objects").rename(tmp_path / "data" / "mirror.git" / "objects")
        assert labels(source.past("A", 5, first.next).versions) == ["v1"]


def test_a_comparison_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one\n", "two\n")
    with followed(repo, tmp_path / "data") as source:
        source.look()

        def compared() -> tuple[PastVersion, Patch | None]:
            before, after = source.resolve("A", "v1"), source.resolve("A", repo.head)
            return source.tell(after), source.patch(before, after, 1000)

        first = compared()
        (tmp_path / "data" / "mirror.git" / "objects").rename(tmp_path / "objects")
        assert compared() == first
        (tmp_path / "objects").rename(tmp_path / "data" / "mirror.git" / "objects")
    assert first[1] is not None
    assert first[1].text.endswith("-one\n+two\n")


def test_a_long_comparison_is_read_anew_rather_than_kept(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "one\n", "line\n" * 20_000)
    with followed(repo, tmp_path / "data") as source:
        source.look()
        before, after = source.resolve("A", "v1"), source.resolve("A", "v2")
        assert source.patch(before, after, 1_000_000) is not None
        (tmp_path / "data" / "mirror.git" / "objects").rename(tmp_path / "objects")
        with pytest.raises(SourceError):
            source.patch(before, after, 1_000_000)
        (tmp_path / "objects").rename(tmp_path / "data" / "mirror.git" / "objects")
