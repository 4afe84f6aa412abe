"""One server with hostile models, and one browser, for a file of tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsers import browsing
from tests.repos import Repo
from tests.serving import Server, echo, serving

EVIL = "<img src=x onerror=window.pwned=1><script>window.pwned=2</script>'\"{{7*7}}"
"""Markup that must stay text."""
LONG = "price-elasticity-weekly-by-region-and-product-category-eu-west"

_TYPED = '''
from typing import Literal

import msgspec


class Device(msgspec.Struct):
    kind: Literal["phone", "desktop"]
    trusted: bool = False


class Payment(msgspec.Struct):
    amount: float
    currency: Literal["EUR", "GBP"]
    history: list[float]
    device: Device


class Model:
    """Scores payments. EVIL"""

    def transform_predict(self, variables: Payment) -> dict:
        return {"chance": variables.amount / 1000, "said": """EVIL"""}
'''.replace("EVIL", EVIL.replace('"', "&quot;"))
_EXAMPLE = {"amount": 980, "currency": "EUR", "history": [1.5], "device": {"kind": "phone", "trusted": True}}
_BROKEN = f"""
class Broken:
    def transform_predict(self, variables):
        raise ValueError({EVIL!r})
"""


@dataclass(frozen=True)
class Site:
    server: Server
    repo: Repo

    def url(self, path: str = "/") -> str:
        return f"{self.server.base}/-{path}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its models: one that asks for typed variables, one with a long name, one that never was live, one whose newest
    push failed, some plain ones."""
    folder: Path = tmp_path_factory.mktemp("site")
    repo = Repo(folder / "repo")
    repo.git("config", "user.name", EVIL)
    repo.git("config", "receive.denyCurrentBranch", "ignore")
    repo.write("typed/etls.py", _TYPED).write("typed/examples.json", json.dumps([{"variables": _EXAMPLE}]))
    repo.write("typed/model.yaml", json.dumps({"metadata": {"owner": EVIL}}))
    repo.write("broken/etls.py", _BROKEN).write("broken/examples.json", json.dumps([{"variables": {"say": EVIL}}]))
    repo.write(f"{LONG}/etls.py", echo("long")).write(f"{LONG}/model.yaml", json.dumps({"description": EVIL}))
    repo.write("fraud/etls.py", echo("one"))
    for number in range(3):
        repo.write(f"plain-{number}/etls.py", echo(str(number)))
    repo.write("steered/etls.py", echo("v1")).write("steered/examples.json", "[{}]")
    repo.write("a <b>folder</b>/etls.py", echo("none"))
    repo.commit(f"Add models {EVIL}")
    with serving(folder / "data", repo.path) as server:
        server.sync()
        repo.write("steered/etls.py", echo("v2")).commit(f"Steer on {EVIL}")
        server.sync()
        repo.write("fraud/etls.py", f"raise ValueError({EVIL!r})").commit(f"Break it {EVIL}")
        server.sync()
        yield Site(server, repo)
