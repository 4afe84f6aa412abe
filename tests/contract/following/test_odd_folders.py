"""One model's folder doesn't hurt another: whatever it holds, the other is live, reachable and can be pushed.

`ODD_FOLDERS_EXAMPLES=1000` looks for longer, and elsewhere each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from prometheus_client.parser import text_string_to_metric_families

from tests.odd.classes import etls
from tests.odd.pushes import PLAIN, Push, manifest, pushes, training
from tests.repos import Repo
from tests.serving import Answer, Server, echo, serving

ASKED = os.environ.get("ODD_FOLDERS_EXAMPLES")

some = settings(
    max_examples=int(ASKED or "4"),
    derandomize=ASKED is None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.target] + ([Phase.shrink] if ASKED else []),
    deadline=None,
)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("odd") / "models")
    repo.write("Good/etls.py", echo("0")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


numbered = count(1)


@pytest.mark.timeout(0 if ASKED else 300)
@some
@given(push=pushes())
@example(push=manifest("serve: {timeout_s: .inf}"))
@example(push=manifest(r'description: "\ud83d\ude00"'))
@example(push=manifest(r'description: "\ud800"'))
@example(push=manifest("{yes: 1}"))
@example(push=manifest("metadata: {yes: 1, ~: 2, .nan: .nan}"))
@example(push=Push({"etls.py": etls("", "Odd", r"'\ud800'", "Tree", "Odd_", "variables")}))
@example(push=training("return {'\\ud800': float('nan')}"))
@example(push=training("import os; os.kill(os.getppid(), 9)", "{timeout_s: 1e-9, retries: 100}"))
@example(push=training("return {'auc': 1}", "{search: {params: {a: {low: .inf, high: -.inf}}}}"))
@example(push=Push({"etls.py/x": b"", "model.yaml/x": b"", "x.onnx": b""}, ("all", "good", "\n"), together=True))
def test_an_odd_folder_does_not_hurt_another_model(repo: Repo, server: Server, push: Push) -> None:
    number = str(next(numbered))
    _write(repo, push)
    if not push.together:
        repo.commit()
        server.look()
    repo.write("Good/etls.py", echo(number)).commit()
    server.sync()
    assert server.score("Good", say=number) == {"said": number, "by": number}
    _ask_the_odd(server)
    assert_whole(server)


def test_a_folder_of_odd_types_is_served(repo: Repo, server: Server) -> None:
    _write(repo, Push({"etls.py": etls("", "Odd", "'plain'", "Tree", "Odd_", "{'label': variables.label[:0]}")}))
    repo.commit()
    server.sync()
    assert server.state("Odd")["failure"] is None
    assert server.score("Odd") == {"label": ""}
    assert_whole(server)


def test_after_odd_folders_a_restart_serves_the_others_at_once(repo: Repo, server: Server) -> None:
    number = str(next(numbered))
    _write(repo, Push({**PLAIN, "model.yaml": b"serve: {timeout_s: .inf}", "etls.py": b"\0"}, ("all", "\n", "0")))
    repo.write("Good/etls.py", echo(number)).commit()
    server.sync()
    server.stop()
    with serving(repo.path.parent / "data", repo.path) as again:
        assert again.score("Good", say="again") == {"said": "again", "by": number}
        again.sync()
        assert_whole(again)


def assert_whole(server: Server) -> None:
    """All that tells of the models can be read, and nothing but a model was lost."""
    assert server.request("GET", f"{server.url}/readyz").status == 200
    assert "Good" in strict(server.get("/"))["models"]
    assert f"{server.settings.base}/Good" in strict(server.get("/openapi.json"))["paths"]
    for path in ("/-/api/models", "/-/api/models/Good", "/-/api/events?limit=1000", "/-/api/runs"):
        assert strict(server.admin("GET", path)), path
    models = server.models()
    for name in models:
        strict(server.admin("GET", f"/-/api/models/{name}"))
    for path in ("/", "/docs"):
        page = server.get(path, {"accept": "text/html"})
        assert page.status == 200, (path, page)
        assert page.body.decode()
    metrics = server.request("GET", f"{server.url}/metrics")
    assert metrics.status == 200, metrics
    assert list(text_string_to_metric_families(metrics.body.decode()))
    assert not server.events("gateway_lost")
    assert "Task exception was never retrieved" not in server.log


def strict(answer: Answer) -> dict[str, object]:
    """The JSON of a good answer, as a reader takes it who knows neither NaN nor half characters."""
    assert answer.status == 200, answer
    content = msgspec.json.decode(answer.body)
    assert isinstance(content, dict)
    return content


def _write(repo: Repo, push: Push) -> None:
    """Leave that and the good model in the working tree."""
    repo.git("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", ".")
    for path in list(repo.path.iterdir()):
        if path.name not in (".git", "Good"):
            _remove(path)
    for folder in ("Odd", *push.folders):
        for name, content in push.files.items():
            repo.write(f"{folder}/{name}", content)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for each in path.iterdir():
            _remove(each)
        path.rmdir()
    else:
        path.unlink()


def _ask_the_odd(server: Server) -> None:
    """Its answers, whatever they are, are answers."""
    for body in (b"{}", b'{"variables": {"say": "\\ud83d\\ude00"}}', b'{"variables": [{"label": 1}, {}]}'):
        answer = server.post("/Odd", raw=body)
        assert answer.status >= 200, answer
        msgspec.json.decode(answer.body)
