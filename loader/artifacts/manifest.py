"""What an artifact holds: names, sizes and SHA-256; the artifact's id is a hash of them."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from core.errors import ArtifactDamaged

ID = re.compile(r"[0-9a-f]{32}\Z")


class Entry(msgspec.Struct, frozen=True):
    """One file."""

    name: str
    """From the artifact's folder, with "/" between folders."""
    size: int
    sha256: str


class ArtifactManifest(msgspec.Struct, frozen=True):
    """All files, sorted by name."""

    files: tuple[Entry, ...]

    @property
    def id(self) -> str:
        lines = "".join(f"{file.sha256} {file.size} {file.name}\n" for file in self.files)
        return sha256(lines.encode()).hexdigest()[:32]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)


def encode(manifest: ArtifactManifest) -> bytes:
    return msgspec.json.encode(manifest)


def decode(content: bytes, id: str) -> ArtifactManifest:
    """The manifest of the artifact `id`. Raises ArtifactDamaged when it isn't."""
    try:
        manifest = _DECODER.decode(content)
    except msgspec.DecodeError as error:
        raise ArtifactDamaged(f"the manifest of artifact {id} can't be read: {error}; train the model again") from error
    if manifest.id != id or not all(is_plain(file.name) for file in manifest.files):
        raise ArtifactDamaged(f"the manifest of artifact {id} is not the one that was written; train the model again")
    return manifest


def is_plain(name: str) -> bool:
    """Whether a file can have that name, on a disk and in every store."""
    parts = name.split("/")
    encoded = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
    return (
        "\\" not in name
        and not any(part in ("", ".", "..") for part in parts)
        and max(encoded) <= _LONGEST_PART
        and sum(encoded) + len(parts) <= _LONGEST
        and name.isprintable()
    )


_LONGEST_PART = 255
_LONGEST = 800
"""Bytes; object stores take 1,024 for all of a name, the prefix included."""
_DECODER = msgspec.json.Decoder(ArtifactManifest)
