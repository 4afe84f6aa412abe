"""What is installed, as its metadata says."""

from __future__ import annotations

import sys
from pathlib import Path

import importlib_metadata

from loader.environments.packages import installed


def write(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / ("METADATA" if folder.suffix == ".dist-info" else "PKG-INFO")).write_text(content)


def test_names_and_versions_are_those_of_the_metadata(tmp_path: Path) -> None:
    head = "Metadata-Version: 2.1\nName: Oat_Milk\nVersion: 1.0+local\n"
    write(tmp_path / "milk-1.0.dist-info", f"{head}Summary: sour\n\nName: other\nVersion: 9\n")
    write(tmp_path / "cream-2.dist-info", "Metadata-Version: 2.1\r\nName: cream\r\nVersion: 2\r\n")
    write(tmp_path / "old-0.3.egg-info", "Metadata-Version: 1.0\nName: old\nVersion: 0.3\n")
    assert installed([str(tmp_path)]) == {"cream": "2", "oat-milk": "1.0+local", "old": "0.3"}


def test_they_are_what_the_packages_own_reader_says() -> None:
    said = {found.name.lower().replace("_", "-").replace(".", "-"): found.version for found in _distributions()}
    assert installed(sys.path) == dict(sorted(said.items()))


def _distributions() -> list[importlib_metadata.IDistribution]:
    """The last one of a name first: earlier folders win."""
    return list(importlib_metadata.distributions(path=list(sys.path)))[::-1]
