"""A local folder of models, and the source that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.release import Release, Snapshot
from loader.files.tree import DEFAULT_BOUNDS, Bounds
from loader.releases.store import ReleaseStore
from loader.sources.local.source import LocalSource


@contextmanager
def following(
    folder: Path, seen: dict[str, list[str]] | None = None, bounds: Bounds = DEFAULT_BOUNDS
) -> Iterator[LocalSource]:
    source = LocalSource(folder, seen or {}, bounds)
    try:
        yield source
    finally:
        source.close()


def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models_serve"
    write(folder / "Iris/etls.py", "1")
    write(folder / "Churn/etls.py", "import common")
    write(folder / "Churn/model.yaml", "uses: [common]")
    write(folder / "common/x.py", "1")
    return folder


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def release(desired: Snapshot, model: str = "Iris") -> Release:
    found = desired.models[model]
    assert found.revision is not None, found.failure
    return Release(found.revision)


def failure(desired: Snapshot, model: str = "Iris") -> str:
    found = desired.models[model]
    assert found.revision is None
    return str(found.failure)


def checked_out(source: LocalSource, model: str, release_store: Path) -> dict[str, str]:
    """Path → content of what the model's release holds on disk: plain files, none of them a link."""
    path = ReleaseStore(release_store).put(release(source.look(), model), source)
    files = [file for file in path.rglob("*") if not file.is_dir() and file.name != ".files.json"]
    assert not any(file.is_symlink() for file in files)
    return {str(file.relative_to(path)): file.read_text() for file in files}
