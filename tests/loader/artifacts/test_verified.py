from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ArtifactDamaged
from loader.artifacts.folder import Bounds, scan
from loader.artifacts.verified import verify


def made(root: Path) -> Path:
    (root / "sub").mkdir(parents=True)
    (root / "a").write_bytes(b"a")
    (root / "sub" / "b").write_bytes(b"b")
    return root


def swap_for_a_link(root: Path) -> None:
    (root / "a").rename(root.parent / "elsewhere")
    (root / "a").symlink_to(root.parent / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda root: (root / "a").unlink(), "a"),
        (lambda root: (root / "a").write_bytes(b"x"), "a"),
        (lambda root: (root / "a").write_bytes(b"aa"), "a"),
        (lambda root: (root / "sub" / "c").write_bytes(b""), "sub/c"),
        (lambda root: (root / "link").symlink_to("sub"), "link"),
        (swap_for_a_link, "a"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, spoil: Callable[[Path], object], named: str) -> None:
    root = made(tmp_path / "root")
    manifest = scan(root, Bounds())
    verify(root, manifest)
    spoil(root)
    with pytest.raises(ArtifactDamaged, match=f"{root}/{named} is not"):
        verify(root, manifest)


def test_the_folder_s_own_files_may_be_there_too(tmp_path: Path) -> None:
    root = made(tmp_path / "root")
    manifest = scan(root, Bounds())
    (root / "etls.py").write_text("")
    verify(root, manifest, but={"etls.py"})
    with pytest.raises(ArtifactDamaged):
        verify(root, manifest)
