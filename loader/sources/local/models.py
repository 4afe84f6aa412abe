"""Models in a local folder: which there are, and what their revisions are made of."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Revision
from loader.files.code_key import TRAIN, CodeIds
from loader.files.model_folders import (
    MOST_MANIFEST_BYTES,
    REQUIREMENTS,
    can_be_used,
    check_uses,
    looks_like_model,
    make_revision,
    misnamed,
    uses_named,
    why_left_out,
)
from loader.files.train_script import is_script, may_be_script
from loader.files.tree import Bounds, File
from loader.sources.local.contents import Contents, StillChanging, folder_id
from loader.sources.local.git_trees import tree_id
from loader.sources.local.ignored import is_ignored
from loader.sources.local.links import follow, refused
from loader.sources.local.plain_files import open_plain
from loader.sources.local.tree import Scan, scan


class LocalModels:
    """The folders under `folder`."""

    def __init__(self, folder: Path, bounds: Bounds, parse: Callable[[bytes], Manifest]) -> None:
        self._folder = folder
        self._bounds = bounds
        self._parse = parse

    def is_model(self, name: str) -> bool:
        """Whether it is one, or may be one that can't be looked into."""
        try:
            return looks_like_model({file for file in os.listdir(self._folder / name) if not is_ignored(file)})
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def why_left_out(self, name: str) -> str | None:
        """Why something that looks like a model can't be one, or None."""
        try:
            os.listdir(self._folder / name)
        except OSError as error:
            return f"it can't be read: {error.strerror}"
        return why_left_out(name) or self._why_not_followed(name)

    def misnamed(self, name: str) -> str | None:
        """Of something that does not look like a model: how a file would have to be called."""
        try:
            return misnamed(file for file in os.listdir(self._folder / name) if not is_ignored(file))
        except OSError:
            return None

    def _why_not_followed(self, name: str) -> str | None:
        if not os.path.islink(self._folder / name):
            return None
        try:
            if follow(self._folder, name, name).through:
                return None
            raise refused(self._folder, name, name, "which is served by its own name; copy the folder")
        except (OSError, ReleaseFailed) as error:
            return str(error)

    def parts(self, models: Iterable[str]) -> set[str]:
        """What the models are made of, as far as it is there."""
        parts = {REQUIREMENTS, *models}
        for model in models:
            parts |= self._uses(model)
        return {part for part in parts if os.path.lexists(self._folder / part)}

    def revision(self, model: str, scans: Mapping[str, Scan], contents: Contents) -> Revision:
        """The revision of a model as scanned. Raises ReleaseFailed, or StillChanging where a part was not stable."""
        files = self._part(model, scans, contents)
        manifest = self._manifest(model, files, contents)
        folders, used = {model: folder_id(files)}, {}
        for name in check_uses(model, manifest, lambda name: os.path.isdir(self._folder / name)):
            used[name] = self._part(name, scans, contents)
            folders[name] = folder_id(used[name])
        default = None
        if f"{model}/{REQUIREMENTS}" not in {file.path for file in files} and os.path.isfile(
            self._folder / REQUIREMENTS
        ):
            default = self._part(REQUIREMENTS, scans, contents)[0].id
        if manifest.train is None and not self._has_training(model, files, contents):
            return make_revision(model, manifest, folders, default)
        own = {file.path.removeprefix(f"{model}/"): contents.git_id(file.id) for file in files}
        uses = {name: tree_id(name, part, contents.git_id) for name, part in used.items()}
        requirements = None if default is None else contents.git_id(default)
        return make_revision(model, manifest, folders, default, CodeIds(own, uses, requirements))

    def failed_id(self, model: str, scans: Mapping[str, Scan], contents: Contents, failure: ReleaseFailed) -> str:
        """What stands for a revision that can't be: another when the folder changes, or what is wrong with it."""
        try:
            content = folder_id(self._part(model, scans, contents))
        except (ReleaseFailed, StillChanging):
            content = ""
        return sha256(f"{content} {failure}".encode(errors="backslashreplace")).hexdigest()[:20]

    def files(self, revision: Revision, contents: Contents) -> list[File]:
        """The revision's files as they are now. Raises StillChanging when they are not those of the revision."""
        files: list[File] = []
        for name, id in revision.folders.items():
            here = _hashed(scan(self._folder, name, self._bounds), contents)
            if folder_id(here) != id:
                raise StillChanging(f"{name} has changed")
            files += here
        if revision.default_requirements:
            here = _hashed(scan(self._folder, REQUIREMENTS, self._bounds), contents)
            if [file.id for file in here] != [revision.default_requirements]:
                raise StillChanging(f"{REQUIREMENTS} has changed")
            files += here
        return files

    def _uses(self, model: str) -> frozenset[str]:
        try:
            with open_plain(self._real(f"{model}/model.yaml")) as file:
                return frozenset(filter(can_be_used, uses_named(file.read(MOST_MANIFEST_BYTES))))
        except OSError:
            return frozenset()

    def _real(self, path: str) -> Path:
        """Where the path leads. Raises OSError for one that leads out of the folder."""
        real = Path(os.path.realpath(self._folder / path))
        if not real.is_relative_to(os.path.realpath(self._folder)):
            raise OSError(errno.EXDEV, "it is outside of the models' folder", path)
        return real

    def _manifest(self, model: str, files: Iterable[File], contents: Contents) -> Manifest:
        file = next((file for file in files if file.path == f"{model}/model.yaml"), None)
        if file is None:
            return Manifest()
        if file.is_link or file.size > MOST_MANIFEST_BYTES:
            raise ReleaseFailed("model.yaml: takes a plain file of less than a megabyte", stage="manifest")
        return self._parse(contents.blob(file.id))

    def _has_training(self, model: str, files: Iterable[File], contents: Contents) -> bool:
        """Whether there is a train.py that a run can call."""
        own = {file.path.removeprefix(f"{model}/"): file for file in files}
        train, names = own.get(TRAIN), {path.partition("/")[0] for path in own}
        if train is None or train.is_link or not may_be_script(names, train.size):
            return train is not None
        return not is_script(contents.blob(train.id), names)

    def _part(self, name: str, scans: Mapping[str, Scan], contents: Contents) -> list[File]:
        if name not in scans:
            raise StillChanging(f"{name} is being written to")
        return _hashed(scans[name], contents)


def _hashed(found: Scan, contents: Contents) -> list[File]:
    if found.problem:
        raise ReleaseFailed(found.problem, stage="checkout")
    if found.is_moving:
        raise StillChanging("a file was there a moment ago")
    return contents.files(found.seen)
