"""`pawl check` as its users run it: a process of its own, real workers below it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pawl.commands import ADDS, environ, in_terminal, pawl, write
from tests.processes import wait_dead


def verdict(folder: Path, **settings: str) -> dict[str, Any]:
    """What `--json` says, after seeing that the exit code says the same."""
    done = pawl("check", folder, "--json", cwd=folder.parent, **settings)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stderr
    return found


def working_directories() -> list[str]:
    """Those of all processes that we may look at."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(path))
    return found


def test_a_folder_that_can_be_served_is_told_with_all_that_its_author_wants_to_know(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", examples__json=[{"variables": {"a": 1, "b": 2}, "expect": {"sum": 3}}])
    done = pawl("check", folder, cwd=tmp_path)
    assert done.returncode == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [name for name, _ in rows] == [
        *("model", "verdict", "took", "about", "route", "route", "environment"),
        *("variables", "loaded", "interleaved", "example 0"),
    ]
    told = dict(rows)
    assert (told["model"], told["verdict"], told["about"]) == ("Adds", "can be served", "Adds up.")
    assert ["route", "POST /models_serve/Adds/{version}"] in rows
    assert told["variables"] == "a dict, as sent"
    assert told["example 0"].startswith("passed (")


def test_a_terminal_is_shown_a_table(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", examples__json=[{"variables": {"a": 1, "b": 2}, "expect": {"sum": 3}}])
    shown = in_terminal("check", folder, cwd=tmp_path)
    for words in ("can be served", "Adds up.", "POST /models_serve/Adds", "no ONNX session", "Examples"):
        assert words in shown


def test_every_example_is_tried_and_told_whatever_becomes_of_the_others(tmp_path: Path) -> None:
    examples = [
        {"variables": {"a": 1, "b": 1}, "expect": {"sum": 2}},
        {"variables": {"a": 1, "b": 1}, "expect": {"sum": 3}},
        {"variables": {"a": 1}},
        {"variables": {"a": 2, "b": 2}, "expect": {"sum": 4}},
    ]
    found = verdict(write(tmp_path / "Adds", examples__json=examples))
    assert [trial["ok"] for trial in found["trials"]] == [True, False, False, True]
    assert found["trials"][1]["fault"] == "the answer.sum is 2, expected 3"
    assert "KeyError" in found["trials"][2]["fault"]
    assert f'{tmp_path}/Adds/etls.py", line 6' in found["trials"][2]["traceback"]
    assert found["trials"][0]["milliseconds"] > 0
    assert (found["ok"], found["failure"]["stage"]) == (False, "examples")
    assert found["failure"]["message"] == "example 1 of examples.json: the answer.sum is 2, expected 3"


def test_an_example_that_ends_the_worker_is_told_and_the_next_is_tried(tmp_path: Path) -> None:
    etls = """
        import os
        class Dies:
            def transform_predict(self, variables: dict):
                os._exit(7) if variables else None
                return {}
        """
    found = verdict(write(tmp_path / "Dies", etls, examples__json=[{"variables": {"x": 1}}, {}]))
    assert [trial["ok"] for trial in found["trials"]] == [False, True]
    assert "exited with code 7" in found["trials"][0]["fault"]


def test_an_example_that_never_ends_is_told_with_the_place(tmp_path: Path) -> None:
    etls = """
        class Hangs:
            def transform_predict(self, variables: dict):
                while True:
                    pass
        """
    folder = write(tmp_path / "Hangs", etls, examples__json=[{}], model__yaml="serve: {timeout_s: 0.5}")
    (trial,) = verdict(folder)["trials"]
    assert "serve.timeout_s" in trial["fault"]
    assert "etls.py" in trial["traceback"]


def test_an_example_that_takes_too_much_memory_is_told(tmp_path: Path) -> None:
    etls = """
        import time

        class Grows:
            def transform_predict(self, variables: dict):
                kept = bytearray(400 * 2**20)
                time.sleep(20)
                return {"bytes": len(kept)}
        """
    folder = write(tmp_path / "Grows", etls, examples__json=[{}], model__yaml="serve: {memory_mb: 200}")
    (trial,) = verdict(folder)["trials"]
    assert "serve.memory_mb (200)" in trial["fault"]


def test_a_class_that_does_not_load_is_told_with_file_and_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", "import nonsuch\n" + ADDS)
    found = verdict(folder)
    assert found["failure"]["stage"] == "load"
    assert "etls.py, line 1" in found["failure"]["message"]
    assert f"{folder}/etls.py" in found["failure"]["detail"]
    done = pawl("check", folder, cwd=tmp_path)
    assert "failed at load\tetls.py, line 1" in done.stdout
    assert "detail\t  File " in done.stdout


@pytest.mark.parametrize(
    ("name", "files", "stage", "words"),
    [
        ("My Model", {}, "manifest", "is not a model name"),
        ("docs", {}, "manifest", "taken by a route"),
        ("Adds", {"model__yaml": "serve: {replica: 2}"}, "manifest", "replica"),
        ("Adds", {"model__yaml": "uses: [common]"}, "manifest", "common"),
        ("Adds", {"examples__json": "{"}, "examples", "examples.json"),
        ("Adds", {"requirements__txt": "./there"}, "environment", "requirements.txt: `./there`"),
        ("Adds", {"etls": None}, "manifest", "no etls.py"),
        ("Adds", {"etls": None, "model__yml": ""}, "manifest", "rename it to model.yaml"),
    ],
)
def test_what_the_server_would_refuse_is_refused_with_its_words(
    tmp_path: Path, name: str, files: dict[str, Any], stage: str, words: str
) -> None:
    found = verdict(write(tmp_path / name, **files))
    assert found["failure"]["stage"] == stage
    assert words in found["failure"]["message"]


def test_examples_that_cant_be_read_are_not_said_to_be_missing(tmp_path: Path) -> None:
    done = pawl("check", write(tmp_path / "Adds", examples__json="[\n{},\n]"), cwd=tmp_path)
    assert "failed at examples\texamples.json, line 3: " in done.stdout
    assert "there are none" not in done.stdout


def test_folders_that_it_uses_are_taken_from_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "common", None, x__py="ONE = 1")
    etls = """
        from common.x import ONE
        class Uses:
            def transform_predict(self):
                return {"one": ONE}
        """
    found = verdict(
        write(tmp_path / "Uses", etls, model__yaml="uses: [common]", examples__json=[{"expect": {"one": 1}}])
    )
    assert found["ok"]
    assert found["uses"] == ["common"]


def test_other_folders_beside_it_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "Broken", "class (", model__yaml="nonsense: [")
    assert verdict(write(tmp_path / "Adds"))["ok"]


def test_the_requirements_of_all_models_apply_unless_the_folder_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("./of-all")
    found = verdict(write(tmp_path / "Adds"))
    assert "./of-all" in found["failure"]["message"]
    assert found["requirements"] == f"{tmp_path}/requirements.txt"
    found = verdict(write(tmp_path / "Adds", requirements__txt="./its-own"))
    assert "./its-own" in found["failure"]["message"]
    assert found["requirements"] == f"{tmp_path}/Adds/requirements.txt"


def test_environments_of_the_data_dir_are_used_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    folder = write(tmp_path / "Adds", requirements__txt="# nothing of its own")
    first = pawl("check", folder, cwd=tmp_path, DATA_DIR=str(data))
    assert "building the environment" in first.stderr
    second = pawl("check", folder, cwd=tmp_path, DATA_DIR=str(data))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "building the environment" not in second.stderr


def test_the_settings_of_the_server_hold(tmp_path: Path) -> None:
    assert verdict(write(tmp_path / "Adds"), baseUrl="ml/team")["routes"][0] == "/ml/team/Adds"


def test_what_the_author_wrote_is_not_taken_for_markup(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", model__yaml="description: '[bold]A[/bold] [/nonsense]'")
    assert "[bold]A[/bold] [/nonsense]" in pawl("check", folder, cwd=tmp_path).stdout


def test_what_the_model_prints_is_shown_and_kept_from_the_json(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", "print('hello from here')\n" + ADDS)
    done = pawl("check", folder, "--json", cwd=tmp_path)
    assert "hello from here" in done.stderr
    assert json.loads(done.stdout)["log"] == ["Adds: hello from here"]


def test_a_folder_that_is_not_there_and_a_wrong_setting_are_wrong_usage(tmp_path: Path) -> None:
    assert pawl("check", tmp_path / "none", cwd=tmp_path).returncode == 2
    assert pawl("check", cwd=tmp_path).returncode == 2
    done = pawl("check", write(tmp_path / "Adds"), cwd=tmp_path, VARIABLES="nonsense")
    assert done.returncode == 2
    assert done.stderr == "pawl: VARIABLES is 'nonsense'; it takes dict or dataframe\n"


def test_a_field_that_a_verdict_does_not_have_is_told_before_the_folder_is_tried(tmp_path: Path) -> None:
    folder = write(tmp_path / "Adds", "print('hello from here')\n" + ADDS)
    done = pawl("check", folder, "--json", "model,nope", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pawl: there is no field 'nope'; there are: ")
    assert "hello" not in done.stderr


def test_it_leaves_nothing_behind_and_changes_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "models" / "Adds")
    temporary = tmp_path / "t"
    temporary.mkdir()
    assert verdict(folder, TMPDIR=str(temporary))["ok"]
    assert list(temporary.iterdir()) == []
    assert [path.name for path in folder.iterdir()] == ["etls.py"]
    assert [path.name for path in folder.parent.iterdir()] == ["Adds"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_ends_it_and_what_it_started(tmp_path: Path, number: int) -> None:
    folder = write(tmp_path / "Adds", "import time\nprint('sleeping', flush=True)\ntime.sleep(600)")
    temporary = tmp_path / "t"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "pawl", "check", str(folder)],
        cwd=tmp_path,
        env=environ(tmp_path, {"TMPDIR": str(temporary)}),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        said = [line for line in iter(stderr.readline, "Adds: sleeping\n") if line]
        process.send_signal(number)
        said.append(stderr.read())
    assert process.wait(100) == 130
    assert said[-1].endswith("pawl: interrupted\n")
    assert "Traceback" not in said[-1]
    assert list(temporary.iterdir()) == []
    assert not [cwd for cwd in working_directories() if cwd.startswith(str(temporary))]


def test_help_teaches_by_examples_without_loading_what_is_slow(tmp_path: Path) -> None:
    done = pawl("--help", cwd=tmp_path)
    assert "pawl check models_serve/Iris" in done.stdout
    assert "pawl check . --json" in pawl("check", "--help", cwd=tmp_path).stdout
    code = "import sys, pawl.__main__; print({'starlette', 'uvicorn', 'msgspec', 'git', 'asyncio'} & set(sys.modules))"
    env = environ(tmp_path, {})
    loaded = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert loaded.stdout == "set()\n", loaded.stderr


def test_what_a_model_starts_ends_with_the_check(tmp_path: Path) -> None:
    etls = """
    import subprocess

    class Starts:
        def transform_predict(self):
            return {"pid": subprocess.Popen(["sleep", "1000"], env={}, start_new_session=True).pid}
    """
    checked = verdict(write(tmp_path / "Model", etls, examples__json=[{}]))
    wait_dead([checked["trials"][0]["answer"]["pid"]], "what it started")
