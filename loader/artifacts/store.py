"""Artifacts: immutable folders of files, named by what they hold, each whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path

from core.errors import ArtifactDamaged, ArtifactGone, StoreUnavailable
from loader.artifacts.files.files import Files, Stored, Tree
from loader.artifacts.folder import Bounds, scan
from loader.artifacts.manifest import ID, ArtifactManifest, Entry, decode, encode

MANIFEST = "manifest.json"


class ArtifactStore:
    """`artifacts/<id>/` in a store: a manifest, written last, and the files under `files/`.

    Every method raises StoreUnavailable when the store does not do its part. `shares`: whether fetched files may be
    links to the store's own, which are read-only; root could write to them all the same, so for root they are copies.
    `root`: another folder than `artifacts`.
    """

    def __init__(
        self, files: Files, bounds: Bounds | None = None, shares: bool | None = None, root: str = "artifacts"
    ) -> None:
        self._files = files
        self._root = root
        self._bounds = bounds or Bounds()
        self._shares = os.geteuid() != 0 if shares is None else shares

    def put(self, folder: Path) -> str:
        """Store what is in `folder`; returns the artifact's id, which is the same for the same content.

        What is there already is stored again only where it is damaged. Raises ArtifactRefused for what can't be kept.
        """
        manifest = scan(folder, self._bounds)
        if not self._is_whole(manifest) or not self._touched(manifest):
            with suppress(FileNotFoundError):
                self._files.remove(self._at(manifest.id), MANIFEST)
            self._files.put(Tree(folder, self._at(manifest.id), manifest.files, (MANIFEST, encode(manifest))))
        return manifest.id

    def fetch(self, id: str, into: Path, beside: Iterable[Path] = ()) -> ArtifactManifest:
        """Lay the artifact's files into `into`, which is absent or empty, all or none, each read and compared.

        `beside`: folders that may hold files of it already, as earlier fetches left them; what is still as it was is
        linked. Raises ArtifactGone, ArtifactDamaged.
        """
        manifest = self.manifest(id)
        with _aside(into) as aside:
            for entry in manifest.files:
                target = aside / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                if not _linked_to_a_copy(entry, target, beside):
                    self._get(id, entry, target)
            aside.rename(into)
        return manifest

    def manifest(self, id: str) -> ArtifactManifest:
        """Raises ArtifactGone, ArtifactDamaged."""
        if not ID.match(id):
            raise ArtifactGone(f"{id[:100]!r} is not an artifact's name")
        try:
            return decode(self._files.read(f"{self._at(id)}/{MANIFEST}"), id)
        except FileNotFoundError:
            raise ArtifactGone(f"the store holds no artifact {id}; train the model again") from None

    def has(self, id: str) -> bool:
        """Whether it is there, however damaged."""
        return bool(ID.match(id) and self._files.find([f"{self._at(id)}/{MANIFEST}"]))

    def size(self, id: str) -> int:
        """Bytes of its files. Raises ArtifactGone, ArtifactDamaged."""
        return self.manifest(id).size

    def list(self) -> list[Stored]:
        """All artifacts by id, with when each was stored; the sizes are their manifests'."""
        ids = [name for name in self._files.folders(self._root) if ID.match(name)]
        found = self._files.find([f"{self._at(id)}/{MANIFEST}" for id in ids])
        return [Stored(file.name.split("/")[-2], file.size, file.changed) for file in found]

    def delete(self, id: str) -> None:
        """Does nothing where there is none."""
        if ID.match(id):
            with suppress(FileNotFoundError):
                self._files.remove(self._at(id), MANIFEST)

    def tidy(self) -> None:
        """Remove what uploads left that nobody will finish."""
        self._files.tidy()

    def _is_whole(self, manifest: ArtifactManifest) -> bool:
        """As far as names and sizes tell."""
        try:
            self.manifest(manifest.id)
        except (ArtifactGone, ArtifactDamaged):
            return False
        found = {file.name: file.size for file in self._files.files(f"{self._at(manifest.id)}/files")}
        return found == {entry.name: entry.size for entry in manifest.files}

    def _touched(self, manifest: ArtifactManifest) -> bool:
        """As new, so that nobody prunes it now; whether it is still whole then."""
        with suppress(FileNotFoundError):
            self._files.touch(f"{self._at(manifest.id)}/{MANIFEST}")
        return self._is_whole(manifest)

    def _get(self, id: str, entry: Entry, target: Path) -> None:
        name = f"{self._at(id)}/files/{entry.name}"
        try:
            is_linked = self._linked(name, target)
            if not is_linked:
                self._files.get(Stored(name, entry.size, 0.0), target)
        except FileNotFoundError:
            self.manifest(id)  # raises ArtifactGone if all of it is gone by now
            raise ArtifactDamaged(f"{entry.name} of artifact {id} is missing; train the model again") from None
        if not holds(target, entry):
            raise ArtifactDamaged(f"{entry.name} of artifact {id} is not what was stored; train the model again")
        if not is_linked:
            _settle(target)

    def _linked(self, name: str, target: Path) -> bool:
        path = self._files.local(name)
        return path is not None and self._shares and _link(path, target)

    def _at(self, id: str) -> str:
        return f"{self._root}/{id}"


def holds(path: Path, entry: Entry) -> bool:
    """Whether the file is a plain one with that content."""
    with suppress(FileNotFoundError):
        if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.size:
            return False
        with open(path, "rb") as file:
            return file_digest(file, "sha256").hexdigest() == entry.sha256
    return False


def _linked_to_a_copy(entry: Entry, target: Path, beside: Iterable[Path]) -> bool:
    return any(holds(folder / entry.name, entry) and _link(folder / entry.name, target) for folder in beside)


def _settle(path: Path) -> None:
    with open(path, "rb") as file:
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())


def _link(path: Path, target: Path) -> bool:
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:
        return False  # another file system, or one without links
    return True


@contextmanager
def _aside(into: Path) -> Iterator[Path]:
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".tmp-{into.name}-", dir=into.parent))
        os.chmod(aside, 0o755)
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StoreUnavailable(
            f"an artifact could not be laid into {into}: {error.strerror or error}; see to the disk that holds it"
        ) from error
