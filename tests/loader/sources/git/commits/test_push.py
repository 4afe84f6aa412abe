from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.errors import SourceError
from loader.sources.git.commits.push import Push
from loader.sources.git.mirror.conversation import Conversation
from loader.sources.git.mirror.transport import Transport
from loader.sources.git.remote import Remote
from tests.loader.sources.git.mirror.served import served


def test_a_push_that_takes_too_long_is_called_so(tmp_path: Path) -> None:
    with served(tmp_path) as (repo, server):
        server.hold = threading.Event()
        remote = Remote(server.url("models.git"), branch="main", fetch_timeout_s=0.5)
        run = tmp_path / "run"
        run.mkdir()
        push = Push(remote, Conversation(remote, Transport(remote, run, {}), "the push"))
        head = repo.git("rev-parse", "HEAD")
        with pytest.raises(SourceError, match=r"models.git: the push timed out after 0.5 s.*FETCH_TIMEOUT_S"):
            push.run(repo.path / ".git", head, head)
