"""From one folder of the repository to what it holds: a revision, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256

import yaml

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.manifest.plain_yaml import MOST_BYTES, NotPlain, read_yaml
from core.names import why_not_a_model_name
from core.release import Revision
from loader.files.code_key import TRAIN, CodeIds, code_key
from loader.files.git_objects import FOLDER, SUBMODULE, Entry, Objects
from loader.files.manifests import Manifests
from loader.files.train_script import is_script, may_be_script
from loader.files.tree import DEFAULT_BOUNDS

MANIFEST = "model.yaml"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Folder:
    """What a look at a folder tells."""

    is_model: bool
    has_requirements: bool
    has_training: bool
    """Whether there is a train.py that a run can call."""
    manifest: Entry | None
    misnamed: str | None = None
    """Why it is no model, though it nearly looks like one."""
    files: Mapping[str, str] | None = None
    """The id of each file's content by its path; None where nobody has asked yet."""


class Folders:
    """The entries of the folder that holds the model folders, at one commit."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        default_requirements: str | None,
        objects: Objects,
        seen: dict[str, Folder],
        manifests: Manifests,
    ) -> None:
        self._entries = entries
        self._default_requirements = default_requirements
        self._objects = objects
        self._seen = seen
        self._manifests = manifests

    def models(self) -> tuple[list[str], dict[str, str]]:
        """The names of the models, and the folders that look like models but are left out, with the reason."""
        reasons = {name: reason for name in sorted(self._entries) if (reason := self._why_left_out(name))}
        models = [name for name in sorted(self._entries) if name not in reasons and self.is_model(name)]
        return models, {printable(name): reason for name, reason in reasons.items()}

    def is_model(self, name: str) -> bool:
        entry = self._entries.get(name)
        return entry is not None and entry.mode == FOLDER and self._look(entry.id).is_model

    def revision(self, model: str) -> Revision:
        """The revision of a model that is there. Raises ReleaseFailed."""
        folder = self._look(self._entries[model].id)
        manifest = Manifest() if folder.manifest is None else self._manifests.read(folder.manifest, self._objects)
        names = [model, *check_uses(model, manifest, self._is_folder)]
        requirements = None if folder.has_requirements else self._default_requirements
        folders = {name: self._entries[name].id for name in names}
        trains = folder.has_training or manifest.train is not None
        code = CodeIds(self._files(folders[model]), folders, requirements) if trains else None
        return make_revision(model, manifest, folders, requirements, code)

    def _why_left_out(self, name: str) -> str | None:
        entry = self._entries[name]
        if entry.mode == SUBMODULE:
            return "a submodule, which is not followed; commit the files themselves"
        if entry.mode != FOLDER:
            return None
        folder = self._look(entry.id)
        return why_left_out(name) if folder.is_model else folder.misnamed

    def _is_folder(self, name: str) -> bool:
        return name in self._entries and self._entries[name].mode == FOLDER

    def _files(self, tree: str) -> Mapping[str, str]:
        folder = self._look(tree)
        if folder.files is None:
            self._seen[tree] = folder = replace(folder, files=dict(_list(tree, self._objects)))
        assert folder.files is not None
        return folder.files

    def _look(self, tree: str) -> Folder:
        if tree not in self._seen:
            if len(self._seen) > _MOST_SEEN:
                self._seen.clear()
            self._seen[tree] = _look(tree, self._objects)
        return self._seen[tree]


def why_left_out(name: str) -> str | None:
    if name == REQUIREMENTS:
        return "the name stands for the requirements of all models; rename the folder"
    return why_not_a_model_name(name)


def printable(name: str) -> str:
    """The name as it can be logged and sent: folders' names need not be UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def looks_like_model(files: set[str]) -> bool:
    """Whether a folder with those files in it is meant to be a model."""
    return bool({"etls.py", MANIFEST, TRAIN} & files) or any(name.endswith(".onnx") for name in files)


def misnamed(files: Iterable[str]) -> str | None:
    """What to tell of a folder that is no model only because of how a file in it is called."""
    for name in sorted(files):
        plain = name.lower()
        right = _MISNAMED.get(plain) or (name[: -len(".onnx")] + ".onnx" if plain.endswith(".onnx") else None)
        if right not in (None, name):
            return f"{printable(name)} is not read; rename it to {printable(right)}"
    return None


_MISNAMED = {"etls.py": "etls.py", TRAIN: TRAIN, "model.yml": MANIFEST, MANIFEST: MANIFEST}


def check_uses(model: str, manifest: Manifest, is_folder: Callable[[str], bool]) -> list[str]:
    """The folders that the model shares, in the order named. Raises ReleaseFailed, naming those that are none."""
    wrong = [name for name in manifest.uses if not can_be_used(name) or not is_folder(name)]
    if wrong:
        raise ReleaseFailed(
            f"model.yaml: uses names {', '.join(map(repr, wrong))}, which is not a folder beside {model}; "
            "add the folder or take the name out",
            stage="manifest",
        )
    return list(dict.fromkeys(name for name in manifest.uses if name != model))


def can_be_used(name: str) -> bool:
    """Whether `name` can be a folder beside a model, in the repository and in a release."""
    return bool(name) and not name.startswith(".") and "/" not in name and name != REQUIREMENTS


def uses_named(manifest: bytes) -> frozenset[str]:
    """What a manifest names in `uses`, read leniently: one that is wrong today was counted when it was right."""
    if b"uses" not in manifest:
        return frozenset()
    with suppress(yaml.YAMLError, NotPlain):
        content = read_yaml(manifest).content
        uses = content.get("uses") if isinstance(content, dict) else None
        return frozenset(name for name in uses if isinstance(name, str)) if isinstance(uses, list) else frozenset()
    return frozenset()


def make_revision(
    model: str,
    manifest: Manifest,
    folders: Mapping[str, str],
    requirements: str | None,
    code: CodeIds | None = None,
) -> Revision:
    """The revision made of those folders' contents. `code`: what it trains from; None where it doesn't train."""
    parts = [f"{name}\0{folders[name]}\n" for name in (model, *sorted(folders.keys() - {model}))]
    digest = sha256("".join([*parts, f"{requirements or ''}\n"]).encode("utf-8", "surrogateescape"))
    key = None if code is None else code_key(model, code, manifest.train)
    return Revision(model, digest.hexdigest()[:20], manifest, dict(folders), requirements, key)


def no_model(where: str, left_out: Mapping[str, str], otherwise: str) -> str:
    """What to tell whoever emptied the place that models come from; `otherwise` is what to do where that was meant."""
    what = "; ".join(f"{name}: {reason}" for name, reason in sorted(left_out.items())[:5])
    return (
        f"{where} holds no model, which is probably a mistake; a model is a folder with an etls.py, a train.py, a "
        f"model.yaml or an .onnx file: add one, or {otherwise}" + (f" (left out: {what})" if what else "")
    )


def _look(tree: str, objects: Objects) -> Folder:
    entries = {entry.name.decode("utf-8", "replace"): entry for entry in objects.tree(tree)}
    files = {name: entry for name, entry in entries.items() if entry.mode != FOLDER}
    has_training = _has_training(files.get(TRAIN), entries.keys(), objects)
    is_model = looks_like_model(set(files))
    fault = None if is_model else misnamed(files)
    return Folder(is_model, REQUIREMENTS in files, has_training, files.get(MANIFEST), fault)


def _has_training(train: Entry | None, names: Set[str], objects: Objects) -> bool:
    if train is None or not train.is_file or not may_be_script(names, objects.size(train.id)):
        return train is not None
    return not is_script(objects.blob(train.id), names)


def _list(tree: str, objects: Objects, under: str = "", depth: int = DEFAULT_BOUNDS.depth) -> Iterator[tuple[str, str]]:
    """One that is deeper than a release may be is not served anyway."""
    for entry in objects.tree(tree):
        path = under + entry.name.decode("utf-8", "surrogateescape")
        if entry.mode != FOLDER:
            yield path, entry.id
        elif depth > 1:
            yield from _list(entry.id, objects, f"{path}/", depth - 1)


MOST_MANIFEST_BYTES = MOST_BYTES
_MOST_SEEN = 10_000
