"""Commits of odd folders beside a good model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.odd.classes import odd_etls
from tests.odd.examples import examples
from tests.odd.manifests import manifests, train_sections
from tests.odd.names import file_names, folder_names
from tests.odd.requirements import requirements
from tests.odd.training import code, odd_train
from tests.serving import echo

Files = Mapping[str, bytes]

PLAIN: Files = {"etls.py": echo("odd").encode()}


@dataclass(frozen=True)
class Push:
    """What is pushed beside the good model."""

    files: Files
    """Of the folder `Odd`."""
    folders: tuple[str, ...] = ()
    """More of them, with the same in them."""
    together: bool = False
    """Whether the good model changes in the same commit, not in the next one."""


@st.composite
def pushes(draw: st.DrawFn) -> Push:
    files = dict(PLAIN)
    for name, content in (("model.yaml", manifests), ("examples.json", examples), ("etls.py", odd_etls)):
        if draw(st.integers(0, 2)) == 0:
            files[name] = draw(content)
    if draw(st.integers(0, 2)) == 0:
        files["train.py"] = draw(odd_train)
    if draw(st.integers(0, 2)) == 0:
        files["model.yaml"] = draw(train_sections)
    if draw(st.integers(0, 5)) == 0:
        files["requirements.txt"] = draw(requirements)
    for name in draw(st.lists(file_names, max_size=2)):
        clashes = {each for each in files if each == name.split("/")[0] or each.split("/")[0] == name}
        files = {each: content for each, content in files.items() if each not in clashes}
        files[name] = draw(st.sampled_from((b"", b"x", b"raise Exception", b"* filter=lfs text eol=crlf ident\n")))
    return Push(files, tuple(draw(st.lists(folder_names, max_size=1))), draw(st.booleans()))


def training(body: str, section: str = "{}") -> Push:
    return Push({**PLAIN, "train.py": code("", "output", body), "model.yaml": f"train: {section}".encode()})


def manifest(text: str) -> Push:
    return Push({**PLAIN, "model.yaml": text.encode()})
