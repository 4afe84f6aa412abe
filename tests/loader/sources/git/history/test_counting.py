"""What was counted of a history: kept, gone on with, and never believed when it is not as it was written."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from loader.files.git_objects import MirrorDamaged
from loader.sources.git.history import history_file as kept
from loader.sources.git.history.counting import Counting
from loader.sources.git.history.history import Touches
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from tests.repos import Repo


def count(repo: Repo, file: Path, folder: tuple[str, ...] = ()) -> Counting:
    """What is counted at the repository's head."""
    counting = Counting(file, folder)
    objects = MirrorObjects(repo.path / ".git")
    counting.follow(repo.head, objects)
    objects.close()
    return counting


def number(counting: Counting, model: str = "Iris") -> int:
    return counting.history.version(model).number


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/requirements.txt")
    for edition in ("one", "two", "three"):
        repo.commit_file("Iris/etls.py", edition)
    return repo


def lose_first_tree(repo: Repo) -> None:
    """Remove what nobody needs who counts only what is new."""
    tree = repo.git("rev-parse", "HEAD~2^{tree}")
    (repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()


def test_a_start_counts_only_what_came_after_what_was_kept(repo: Repo, tmp_path: Path) -> None:
    count(repo, tmp_path / "history")
    lose_first_tree(repo)
    repo.commit_file("Iris/etls.py", "four")
    assert number(count(repo, tmp_path / "history")) == 4
    (tmp_path / "history").unlink()
    with pytest.raises(MirrorDamaged):
        count(repo, tmp_path / "history")


def test_a_rewritten_history_counts_only_what_is_new_in_it(repo: Repo, tmp_path: Path) -> None:
    count(repo, tmp_path / "history")
    lose_first_tree(repo)
    repo.git("reset", "--quiet", "--soft", "HEAD~1")
    repo.commit_file("Iris/etls.py", "instead")
    repo.commit_file("Iris/etls.py", "more")
    rewritten = count(repo, tmp_path / "history")
    assert number(rewritten) == 4
    assert rewritten.history.version("Iris").commit == repo.head


def forged(change: Callable[[kept.History], kept.History]) -> Callable[[Path], None]:
    """Writes a file that is sound but for what it says."""

    def write(path: Path) -> None:
        raw = path.read_bytes()
        followed = kept.msgspec.msgpack.decode(raw[32:])[1]
        history = kept.load(path, followed)
        assert history is not None
        kept.save(path, change(history), followed)

    return write


def of_commits(**fields: object) -> Callable[[Path], None]:
    return forged(lambda history: replace(history, commits=replace(history.commits, **fields)))  # type: ignore[arg-type]


def touches(at: list[int], newest: int) -> Callable[[Path], None]:
    return forged(lambda history: replace(history, touching={"Iris": Touches(array("I", at), newest)}))


def change_byte(at: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)

    return change


def change_name(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Iris", b"Iriz"))


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_zeros(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "something else": lambda path: path.write_bytes(os.urandom(1000)),
    "a byte of the checksum": change_byte(3),
    "a byte in the middle": change_byte(150),
    "the last byte": change_byte(-1),
    "a name": change_name,
    "a pipe": make_pipe,
    "a link": link_to_zeros,
    "a parent that comes later": of_commits(parents=array("I", [0, 2])),
    "a parent that is nowhere": of_commits(parents=array("I", [0, 77])),
    "ends beyond": of_commits(ends=array("I", [0, 1, 9])),
    "too few ends": of_commits(ends=array("I", [0, 2])),
    "ids that are none": of_commits(ids=b"\n" + b"x" * 122),
    "a touch that is nowhere": touches([0, 1, 7], 2),
    "touches in no order": touches([2, 1], 2),
    "a newest that is nowhere": touches([0, 1, 2], 3),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_damaged_is_counted_and_written_anew(repo: Repo, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "history"
    count(repo, path)
    DAMAGES[damage](path)
    assert number(count(repo, path)) == 3
    assert path.is_file()
    assert not path.is_symlink()
    lose_first_tree(repo)
    assert number(count(repo, path)) == 3, "it was written"


def test_a_file_of_another_format_is_counted_anew(repo: Repo, tmp_path: Path) -> None:
    count(repo, tmp_path / "history")
    lose_first_tree(repo)
    assert number(count(repo, tmp_path / "history")) == 3
    content = (tmp_path / "history").read_bytes()[32:]
    assert content[1] == kept.FORMAT  # behind the length of the list
    newer = content[:1] + bytes([kept.FORMAT + 1]) + content[2:]
    (tmp_path / "history").write_bytes(blake2b(newer, digest_size=32).digest() + newer)
    with pytest.raises(MirrorDamaged):
        count(repo, tmp_path / "history")


def test_what_was_counted_in_one_folder_is_not_taken_for_another(repo: Repo, tmp_path: Path) -> None:
    repo.write("live/Iris/etls.py", "moved").commit()
    assert number(count(repo, tmp_path / "history")) == 3
    assert number(count(repo, tmp_path / "history", ("live",))) == 1
    assert number(count(repo, tmp_path / "history")) == 3


def test_what_is_kept_is_for_us_alone(repo: Repo, tmp_path: Path) -> None:
    count(repo, tmp_path / "history")
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o600


def test_a_file_that_can_not_be_written_is_counted_each_time(
    repo: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "history/in/the/way").mkdir(parents=True)
    assert number(count(repo, tmp_path / "history")) == 3
    assert "can't be written" in caplog.text


def test_a_shallow_repository_is_counted_from_what_is_there_and_anew_when_more_comes(
    repo: Repo, tmp_path: Path
) -> None:
    shallow = Repo(tmp_path / "shallow")
    shallow.git("fetch", "--quiet", "--depth=2", f"file://{repo.path}", "main")
    shallow.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    counting = Counting(tmp_path / "history", ())
    objects = MirrorObjects(shallow.path / ".git")
    counting.follow(shallow.head, objects)
    assert number(counting) == shallow.count("Iris") == 2
    shallow.git("fetch", "--quiet", "--unshallow", f"file://{repo.path}", "main")
    counting.follow(shallow.head, objects)
    objects.close()
    assert number(counting) == number(count(shallow, tmp_path / "history")) == 3


def test_replacements_change_no_number(repo: Repo, tmp_path: Path) -> None:
    repo.git("replace", repo.head, repo.git("rev-parse", "HEAD~2"))
    assert number(count(repo, tmp_path / "history")) == 3


def test_a_parent_of_all_sides_and_sides_that_cross_are_counted_once(repo: Repo, tmp_path: Path) -> None:
    base = repo.head
    for side in ("a", "b", "c"):
        repo.git("switch", "--quiet", "--create", side, base)
        repo.commit_file(f"Iris/{side}", side)
    repo.switch("main").git("merge", "--quiet", "--no-edit", "a", "b", "c")
    repo.git("switch", "--quiet", "--create", "left", "main")
    repo.commit_file("Iris/left", "")
    repo.git("switch", "--quiet", "--create", "right", "main")
    repo.commit_file("Iris/right", "")
    repo.git("merge", "--quiet", "--no-edit", "left~0")
    repo.git("switch", "--quiet", "left")
    repo.git("merge", "--quiet", "--no-edit", "right~1")
    repo.git("merge", "--quiet", "--no-edit", "right")
    assert number(count(repo, tmp_path / "history")) == repo.count("Iris")


def test_folders_that_hold_each_other_many_times_over_are_counted(repo: Repo, tmp_path: Path) -> None:
    tree = repo.raw_tree(("100644", b"etls.py", repo.blob("one")))
    for _ in range(12):
        tree = repo.raw_tree(*(("40000", b"%02d" % number, tree) for number in range(12)))
    model = repo.raw_tree(("40000", b"bomb", tree), ("100644", b"model.yaml", repo.blob("uses: [Iris]")))
    repo.commit_tree(
        repo.raw_tree(("40000", b"Endless", model), ("40000", b"Iris", repo.git("rev-parse", "HEAD:Iris")))
    )
    counting = count(repo, tmp_path / "history")
    assert number(counting) == 3
    assert number(counting, "Endless") == 4
