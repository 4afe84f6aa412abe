"""What git would call a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha1

from loader.files.tree import File

_FOLDER = "40000"


def tree_id(folder: str, files: Iterable[File], git_id: Callable[[str], str]) -> str:
    """The id of the tree of the files in `folder`, by their paths. `git_id`: that of a blob, by the file's own id."""
    return _id({file.path.removeprefix(f"{folder}/"): (file.mode, git_id(file.id)) for file in files})


def _id(files: Mapping[str, tuple[str, str]]) -> str:
    below: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    entries: dict[bytes, tuple[str, str]] = {}
    for path, entry in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below[name][rest] = entry
        else:
            entries[_encoded(name)] = entry
    folders = {_encoded(name): (_FOLDER, _id(inside)) for name, inside in below.items()}
    # git sorts folders as if their names ended in "/"
    named = sorted({**entries, **folders}.items(), key=lambda one: one[0] + (b"/" if one[0] in folders else b""))
    content = b"".join(b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(id)) for name, (mode, id) in named)
    return sha1(b"tree %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
