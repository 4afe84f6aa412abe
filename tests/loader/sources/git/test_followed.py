"""What gitPath and gitBranch may name, on machines as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SourceError
from core.release import Release
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import git_server, pointer
from tests.repos import Repo, isolated


def look(url: object, data: Path, **settings: object) -> str:
    """The head that is followed."""
    source = GitSource(Remote(str(url), **settings), data)  # type: ignore[arg-type]
    try:
        return source.look().head
    finally:
        source.close()


def models(path: Path) -> Repo:
    repo = Repo(path)
    repo.commit_file("Iris/etls.py", "1")
    repo.commit_file("Iris/etls.py", "2")
    return repo


def test_a_tag_is_followed_annotated_or_not_and_when_it_moves(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    first = repo.git("rev-parse", "HEAD^")
    repo.git("tag", "plain", first)
    repo.git("tag", "--annotate", "--message=x", "annotated", first)
    repo.git("tag", "--annotate", "--message=x", "of-a-tag", "annotated")
    for name in ("plain", "annotated", "of-a-tag", "refs/tags/annotated"):
        assert look(repo, tmp_path / name, branch=name) == first
    repo.git("tag", "--force", "--annotate", "--message=x", "annotated", "HEAD")
    assert look(repo, tmp_path / "annotated", branch="annotated") == repo.head


def test_a_branch_wins_over_a_tag_of_the_same_name(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    repo.git("tag", "live", "HEAD^")
    repo.git("branch", "live", "HEAD")
    assert look(repo, tmp_path / "data", branch="live") == repo.head


@pytest.mark.parametrize("over_http", [True, False])
def test_a_commit_is_followed_by_its_full_hash(tmp_path: Path, over_http: bool) -> None:
    repo = models(tmp_path / "work")
    bare = repo.bare(tmp_path / "served/models.git")
    first = repo.git("rev-parse", "HEAD^")
    with git_server(tmp_path / "served") as server:
        url = server.url("models.git") if over_http else bare
        for _ in range(2):
            assert look(url, tmp_path / "data", branch=first) == first
        assert look(url, tmp_path / "other", branch=first.upper()) == first
        with pytest.raises(SourceError, match=r"no commit '1111.*gitBranch"):
            look(url, tmp_path / "data", branch="1" * 40)


@pytest.mark.parametrize("ref", ["refs/pull/1/head", "refs/heads/next", "refs/tags/v1", "refs/merge-requests/2/head"])
def test_a_ref_is_followed_by_its_full_name(tmp_path: Path, ref: str) -> None:
    repo = models(tmp_path / "work")
    first = repo.git("rev-parse", "HEAD^")
    repo.git("update-ref", ref, first)
    assert look(repo, tmp_path / "data", branch=ref) == first


@pytest.mark.parametrize(
    "name", ["feature/#1", "a'b", 'a"b', "größe", "a&b;c|d", "$HOME", "100%", "a@b", "(x)", "ü\u0308"]
)
def test_a_branch_with_odd_characters_is_followed(tmp_path: Path, name: str) -> None:
    repo = models(tmp_path / "work")
    first = repo.git("rev-parse", "HEAD^")
    repo.git("branch", name, first)
    assert look(repo, tmp_path / "data", branch=name) == first


def test_a_branch_that_is_not_there_is_said_together_with_those_that_are(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    repo.git("branch", "next")
    with pytest.raises(SourceError, match=r"no branch 'live', and no tag of that name; its branches are main, next; "):
        look(repo, tmp_path / "data", branch="live")
    with pytest.raises(SourceError, match=r"no 'refs/pull/7/head'; its branches are main, next; check gitBranch"):
        look(repo, tmp_path / "data", branch="refs/pull/7/head")
    with pytest.raises(SourceError, match=r"no branch '1a2b3c4'.*; of a commit it takes the full hash"):
        look(repo, tmp_path / "data", branch="1a2b3c4")


def test_head_is_the_default_branch(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    assert look(repo, tmp_path / "data", branch="HEAD") == repo.head


def test_a_tag_of_no_commit_is_said_to_be_one(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    repo.git("tag", "file", "HEAD:Iris/etls.py")
    with pytest.raises(SourceError, match=r"'file' is not a commit but a blob; check gitBranch"):
        look(repo, tmp_path / "data", branch="file")


def test_a_default_branch_that_changes_its_name_is_followed(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    bare = repo.bare(tmp_path / "models.git")
    source = GitSource(Remote(str(bare)), tmp_path / "data")
    source.look()
    git = ["git", "--git-dir", str(bare)]
    subprocess.run([*git, "branch", "-m", "main", "trunk"], check=True)
    repo.commit_file("Iris/etls.py", "3")
    repo.push(bare, branch="trunk")
    assert source.look().head == repo.head
    source.close()


def shallow_clone(repo: Repo, path: Path, depth: int) -> Repo:
    subprocess.run(
        ["git", "clone", "--quiet", f"--depth={depth}", f"file://{repo.path}", str(path)],
        env=isolated(path),
        check=True,
        capture_output=True,
    )
    return Repo(path)


@pytest.mark.parametrize("over_http", [True, False])
def test_a_shallow_clone_is_followed_and_its_versions_are_counted_from_what_it_holds(
    tmp_path: Path, over_http: bool, caplog: pytest.LogCaptureFixture
) -> None:
    repo = models(tmp_path / "work")
    (tmp_path / "served").mkdir()
    shallow = shallow_clone(repo, tmp_path / "served/models", 1)
    with git_server(tmp_path / "served") as server:
        url = server.url("models/.git") if over_http else str(shallow)
        source = GitSource(Remote(url), tmp_path / "data")
        assert source.look().models["Iris"].version.number == 1
        assert caplog.text.count("is a shallow clone: versions are counted from the commits that it holds") == 1
        shallow.commit_file("Iris/etls.py", "3")
        assert source.look().models["Iris"].version.number == 2
        shallow.git("fetch", "--quiet", "--unshallow", "origin")
        shallow.commit_file("Iris/etls.py", "4")
        desired = source.look()
        assert (desired.head, desired.models["Iris"].version.number) == (shallow.head, 4)
        source.close()
    assert caplog.text.count("is a shallow clone") == 1


def test_a_shallow_clone_that_moves_on_and_forgets_is_followed_without_a_word_of_rewritten_history(
    tmp_path: Path,
) -> None:
    """As git-sync does with a depth of one."""
    repo = models(tmp_path / "work")
    shallow = shallow_clone(repo, tmp_path / "shallow", 1)
    source = GitSource(Remote(str(shallow)), tmp_path / "data")
    source.look()
    for content in "345":
        repo.commit_file("Iris/etls.py", content)
        shallow.git("fetch", "--quiet", "--depth=1", "origin", "main")
        shallow.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        desired = source.look()
        assert (desired.head, desired.left_behind) == (repo.head, "")
        assert desired.models["Iris"].version.number == 1
    source.close()


def test_a_worktree_is_followed_by_way_of_a_link_as_git_sync_lays_it_out(tmp_path: Path) -> None:
    repo = models(tmp_path / "work")
    first = repo.git("rev-parse", "HEAD^")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "trees/one"), first)
    (tmp_path / "current").symlink_to("trees/one")
    assert look(tmp_path / "current", tmp_path / "data") == first
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "trees/two"), "HEAD")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("trees/two")
    assert look(tmp_path / "current", tmp_path / "data") == repo.head


@pytest.mark.parametrize(
    "name", ["a b", "100%", "a%20b", "what?", "a#b", "größe", "a:b", "-x", "a'b", 'a"b', "[x]", "~"]
)
def test_a_path_with_odd_characters_is_followed(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = models(tmp_path / name)
    assert look(repo.path, tmp_path / "1") == repo.head
    monkeypatch.chdir(tmp_path)
    assert look(f"./{name}", tmp_path / "2") == repo.head
    assert look(repo.path.as_uri(), tmp_path / "3") == repo.head


def test_a_path_is_followed_with_a_slash_at_its_end_from_home_and_without_its_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = models(tmp_path / "work")
    bare = repo.bare(tmp_path / "models.git")
    monkeypatch.setenv("HOME", str(tmp_path))
    places = (
        f"{bare}/",
        f"{repo}/",
        f"{repo}/.git",
        f"{repo}/.git/",
        str(tmp_path / "models"),
        "~/work",
        f"file://{bare}/",
    )
    for number, place in enumerate(places):
        assert look(place, tmp_path / str(number)) == repo.head, place


def test_large_files_are_found_where_a_file_address_is_percent_encoded(tmp_path: Path) -> None:
    repo = models(tmp_path / "a b")
    repo.commit_file("Iris/big.onnx", pointer(b"big"))
    oid = pointer(b"big").partition("sha256:")[2].split()[0]
    place = repo.path / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    place.write_bytes(b"big")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), "HEAD")
    for number, url in enumerate((repo.path.as_uri(), str(tmp_path / "tree"), f"{repo}/.git")):
        source = GitSource(Remote(url), tmp_path / f"data{number}")
        revision = source.look().models["Iris"].revision
        assert revision is not None
        path = ReleaseStore(tmp_path / f"releases{number}").put(Release(revision), source)
        assert (path / "Iris/big.onnx").read_bytes() == b"big"
        source.close()


as_root = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="NOT TESTED: another user, which takes root and setpriv"
)


@as_root
@pytest.mark.parametrize(
    ("form", "home"), [("{}", "HOME=/proc"), ("file://{}", "HOME=/nowhere"), ("{}/", ""), ("{}/.git", "HOME=")]
)
def test_a_repository_of_another_user_is_followed_by_a_user_without_a_name_or_a_home(
    tmp_path: Path, form: str, home: str
) -> None:
    repo = models(tmp_path / "work")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 12345, 0)
    program = (
        "import sys\nfrom pathlib import Path\nfrom loader.sources.git.remote import Remote\n"
        "from loader.sources.git.source import GitSource\n"
        "print(GitSource(Remote(sys.argv[1]), Path(sys.argv[2])).look().head)"
    )
    command = ["setpriv", "--reuid=12345", "--regid=0", "--clear-groups", "--", sys.executable, "-c", program]
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run(
        ["env", *([home] if home else []), *command, form.format(repo.path), str(data)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == repo.head, done.stderr
