"""A model whose folder trains, and what tests do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.repos import Repo
from tests.serving import Answer, Server

TRAIN = """
from pathlib import Path

def train(output, weight=1, score=0.5):
    Path(output, "weight.txt").write_text(str(weight))
    return {"quality": score}
"""

ETLS = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"], "by": "one"}
"""


def manifest(**params: Any) -> str:
    return f"train: {{params: {params}, target: {{min: 0.5}}}}\n".replace("'", "")


BASE = {"train.py": TRAIN, "etls.py": ETLS, "model.yaml": manifest(weight=2)}


class Trained:
    """A model whose folder trains."""

    def __init__(self, server: Server, repo: Repo, name: str = "Scale") -> None:
        self.server = server
        self.repo = repo
        self.name = name

    def push(self, files: Mapping[str, str]) -> None:
        write(self.repo, self.name, files)
        self.repo.commit()
        self.server.sync()

    def ask(self, version: str = "") -> Answer:
        return self.server.post(f"/{self.name}/{version}".rstrip("/"), {"variables": {"x": 10}})

    def wait_live(self, version: str) -> Answer:
        """Its answer."""
        self.server.wait_live(self.name, version)
        return self.ask()

    def events(self, kind: str) -> list[Any]:
        """The newest first."""
        return [event for event in self.server.events(kind) if event["model"] == self.name]


def write(repo: Repo, model: str, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        repo.write(f"{model}/{name}", content)
