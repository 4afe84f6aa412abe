from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.training.trained import BASE, Trained
from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import Server


@pytest.fixture
def trained(server: Server, repo: Repo) -> Iterator[Trained]:
    """A model of the test's own, trained once and live as v1."""
    with own_model(server, repo) as name:
        trained = Trained(server, repo, name)
        trained.push(BASE)
        trained.wait_live("v1")
        yield trained
