"""What a new user sees first: the models in `models_serve`, and the README's words about them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial

import pytest

from tests.serving import ROOT, Server, serving

pytestmark = pytest.mark.timeout(700)
_ENVIRONMENTS_S = 300.0
"""For those of two models, with packages of a hundred megabytes."""

MODELS = sorted(path.name for path in (ROOT / "models_serve").iterdir() if path.is_dir() and path.name[0] not in "._")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(ROOT / "models_serve", home / "models_serve")
    with serving(home / "data", ready=False, cwd=home) as running:
        for model in MODELS:
            is_live = partial(_is_live, running, model)
            running.wait(is_live, f"{model} to be live", _ENVIRONMENTS_S)
        yield running.wait_ready()


def _is_live(server: Server, model: str) -> bool:
    return bool((server.state(model) or {}).get("live"))


def test_every_example_model_is_live(server: Server) -> None:
    served = server.get("/").json["models"]
    assert {name for name, model in served.items() if model["live"]} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_example_is_answered_alone_and_in_a_list(server: Server, model: str) -> None:
    examples = json.loads((ROOT / "models_serve" / model / "examples.json").read_text())
    answers = [server.score(model, **example["variables"]) for example in examples]
    listed = server.post(f"/{model}", {"variables": [example["variables"] for example in examples]}).json
    for answer, same in zip(answers, listed, strict=True):
        assert answer.keys() == same.keys()


def test_the_curl_of_the_banner_works(server: Server) -> None:
    server.wait(lambda: any(line.startswith("  curl ") for line in server.lines), "the banner")
    [command] = [line for line in server.lines if line.startswith("  curl ")]
    printed = subprocess.run(shlex.split(command), capture_output=True, check=True, timeout=60).stdout
    assert "error" not in json.loads(printed)


def test_the_curl_of_the_readme_answers_what_the_readme_says(server: Server) -> None:
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"\$ (curl -d .* http://127\.0\.0\.1:8000/models_serve/Daylight)\n(\{.*\})\n", readme)
    assert found is not None
    command = found[1].replace("http://127.0.0.1:8000", server.url)
    printed = subprocess.run(shlex.split(command), capture_output=True, check=True, timeout=60).stdout
    assert json.loads(printed) == json.loads(found[2])


def test_a_saved_change_goes_live_and_a_broken_one_does_not(server: Server) -> None:
    etls = server.cwd / "models_serve/Daylight/etls.py"
    original = etls.read_text()
    change = "latitude: float = 52.5"
    assert f"`{change}` to the equator, `0.0`" in (ROOT / "README.md").read_text()
    etls.write_text(original.replace(change, "latitude: float = 0.0"))
    server.wait_live("Daylight", "v2")
    assert server.get("/Daylight").json["hours"] == 12.0
    etls.write_text("def (")
    assert "etls.py, line 1" in server.wait_failed("Daylight", "v3")["message"]
    etls.write_text(original.replace('"hours"', '"duration"'))
    assert "expected" in server.wait_failed("Daylight", "v4")["message"]
    assert server.post("/Daylight").headers["x-pawl-version"] == "v2"
    etls.write_text(original)
    server.wait_live("Daylight", "v5")
