"""What a model folder may hold, and how its class is found, built and given its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, echo, serving

ONE = "class {name}:\n    def transform_predict(self{argument}):\n        return {{'by': {by!r}}}\n"

GIVEN = """
import inspect, os

class Given:
    def __init__(self, {arguments}):
        self.given = dict(locals())
        del self.given["self"]

    def transform_predict(self):
        return {{"given": {{name: str(type(value).__name__) for name, value in self.given.items()}}}}
"""

EMBEDS_PATH = """
class Reads:
    def __init__(self, path, metadata):
        self.path = path
        with open(path + "words.txt") as file:
            self.words = file.read()
        with open("words.txt") as file:
            assert file.read() == self.words, "the folder is the working directory"
        self.metadata = metadata

    def transform_predict(self):
        return {"words": self.words, "ends": self.path.endswith("/Reads/"), "metadata": self.metadata}
"""

COUNTS_ITSELF = """
built = 0

class Once:
    def __init__(self):
        global built
        built += 1

    def transform_predict(self):
        return {"built": built}
"""

NAMED_ONE = """
class Helper:
    def transform_predict(self):
        return {"by": "the helper"}

class transform_predict(Helper):
    def transform_predict(self):
        return {"by": "the named one"}
"""

ONLY_OF_ITS_OWN = """
from base import Base

class Own(Base):
    def transform_predict(self):
        return {"by": "own", "base": super().transform_predict()["by"]}
"""

SHADOWS = """
import worker, server, core, loader, registry, pawl, protocol, main, model
from _thing import thing

class Shadows:
    def transform_predict(self):
        names = (worker, server, core, loader, registry, pawl, protocol, main, model)
        return {"mine": [module.mine for module in names], "thing": thing}
"""

USES = """
import common.words
from common import number
from common.deep.er import deeper
import sibling

class Uses:
    def transform_predict(self):
        return {"number": number, "words": common.words.words, "deeper": deeper, "sibling": sibling.name}
"""

PRINTS = """
import sys
from importlib.util import find_spec

class Prints:
    def __init__(self, path):
        self.path = path

    def transform_predict(self, variables):
        print("to the log:", variables["print"])
        print("an error:", variables["print"], file=sys.stderr)
        ours = [name for name in ("batcher", "boot", "core", "loader", "scorer", "server", "worker") if find_spec(name)]
        return {"first": sys.path[0] == self.path, "argv": sys.argv[1:], "ours": ours}
"""

STATIC = """
class Static:
    @staticmethod
    def transform_predict(variables):
        return {"got": variables}
"""

SLEEPS = """
import os, time

class Sleeps:
    def transform_predict(self, variables):
        time.sleep(variables["s"])
        return {"pid": os.getpid()}
"""

PICKLED = """
import pickle

class Pickled:
    def __init__(self):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)

    def transform_predict(self, variables):
        return {"doubled": self.model.double(variables["x"])}
"""

SCRIPT = """
import pickle

class Doubler:
    def double(self, x):
        return 2 * x

if __name__ == "__main__":
    with open("model.pkl", "wb") as file:
        pickle.dump(Doubler(), file, protocol=2)
"""

FOLDERS: dict[str, dict[str, str | bytes]] = {
    "Plain": {"etls.py": ONE.format(name="Anything", argument="", by="plain")},
    "NoFile": {"model.yaml": "description: nothing here\n"},
    "Named": {"etls.py": NAMED_ONE},
    "Imported": {"etls.py": "from base import Base\n", "base.py": ONE.format(name="Base", argument="", by="base")},
    "Own": {"etls.py": ONLY_OF_ITS_OWN, "base.py": ONE.format(name="Base", argument="", by="base")},
    "Nothing": {"etls.py": GIVEN.format(arguments="*, mine=3")},
    "PathOnly": {"etls.py": GIVEN.format(arguments="path")},
    "Three": {"etls.py": GIVEN.format(arguments="metadata, /, onnx, *, path, other=None")},
    "Reads": {
        "etls.py": EMBEDS_PATH,
        "words.txt": "found it",
        "model.yaml": "metadata: {threshold: 0.5, names: [a, b], deep: {er: true}}\n",
    },
    "Once": {"etls.py": COUNTS_ITSELF},
    "Shadows": {
        "etls.py": SHADOWS,
        "_thing.py": "thing = 1\n",
        **{
            f"{name}.py": f"mine = {name!r}\n"
            for name in (
                *("worker", "server", "core", "loader", "registry", "pawl"),
                *("protocol", "main", "model"),
            )
        },
    },
    "Uses": {"etls.py": USES, "sibling.py": "name = 'sibling'\n", "model.yaml": "uses: [common]\n"},
    "common": {
        "__init__.py": "number = 7\n",
        "words.py": "words = 'shared'\n",
        "deep/er.py": "deeper = 'deep'\n",
    },
    "Prints": {"etls.py": PRINTS},
    "Static": {"etls.py": STATIC},
    "Pickled": {
        "etls.py": PICKLED,
        "train.py": SCRIPT,
        "model.pkl": b"\x80\x02c__main__\nDoubler\nq\x00)\x81q\x01.",
    },
    "NotAModel": {"notes.txt": "words"},
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("folders") / "models")
    for folder, files in FOLDERS.items():
        for name, content in files.items():
            repo.write(f"{folder}/{name}", content)
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def test_only_folders_that_look_like_models_are_followed(server: Server) -> None:
    assert set(server.models()) == set(FOLDERS) - {"common", "NotAModel"}
    server.post("/common").error(404, "model_not_found")


def test_a_folder_with_a_manifest_alone_fails_saying_what_is_missing(server: Server) -> None:
    message = server.state("NoFile")["failure"]["message"]
    assert "etls.py" in message
    assert ".onnx" in message


def test_the_only_class_with_the_method_is_served_whatever_its_name(server: Server) -> None:
    assert server.score("Plain") == {"by": "plain"}


def test_the_class_named_transform_predict_wins(server: Server) -> None:
    assert server.score("Named") == {"by": "the named one"}


def test_a_class_that_is_imported_serves_where_the_file_defines_none(server: Server) -> None:
    assert server.score("Imported") == {"by": "base"}


def test_a_class_of_the_file_is_served_before_those_it_imports(server: Server) -> None:
    assert server.score("Own") == {"by": "own", "base": "base"}


def test_a_static_method_is_served(server: Server) -> None:
    assert server.score("Static", a=1) == {"got": {"a": 1}}


def test_what_a_script_that_trains_by_hand_has_pickled_is_served(server: Server) -> None:
    assert server.score("Pickled", x=21) == {"doubled": 42}
    assert not server.events("run_queued")


def test_the_constructor_is_given_what_it_names_and_no_more(server: Server) -> None:
    assert server.score("Nothing") == {"given": {"mine": "int"}}
    assert server.score("PathOnly") == {"given": {"path": "str"}}
    given = server.score("Three")["given"]
    assert set(given) == {"metadata", "onnx", "path", "other"}
    assert (given["metadata"], given["path"], given["other"]) == ("dict", "str", "NoneType")


def test_path_and_metadata_are_the_folders(server: Server) -> None:
    assert server.score("Reads") == {
        "words": "found it",
        "ends": True,
        "metadata": {"threshold": 0.5, "names": ["a", "b"], "deep": {"er": True}},
    }


def test_the_class_is_built_once(server: Server) -> None:
    assert [server.score("Once")["built"] for _ in range(3)] == [1, 1, 1]


def test_modules_called_as_ours_are_the_authors(server: Server) -> None:
    answer = server.score("Shadows")
    assert answer["mine"] == [
        *("worker", "server", "core", "loader", "registry", "pawl"),
        *("protocol", "main", "model"),
    ]


def test_shared_folders_and_siblings_are_imported(server: Server) -> None:
    assert server.score("Uses") == {"number": 7, "words": "shared", "deeper": "deep", "sibling": "sibling"}


def test_nothing_of_ours_can_be_imported(server: Server) -> None:
    assert server.score("Prints", print="") == {"first": True, "argv": [], "ours": []}


def test_what_a_model_prints_goes_to_the_log(server: Server) -> None:
    server.score("Prints", print="a line for the log")
    server.wait(lambda: "to the log: a line for the log" in server.log, "the line in the log")
    server.wait(lambda: "an error: a line for the log" in server.log, "the line in the log")


def test_a_release_on_disk_is_as_it_was_committed(server: Server) -> None:
    server.score("Shadows")
    (release,) = (server.settings.data / "releases" / "Shadows").iterdir()
    files = [file for file in (release / "Shadows").rglob("*") if file.is_file()]
    assert {file.name: file.read_text() for file in files} == FOLDERS["Shadows"]
    assert not any(file.stat().st_mode & 0o222 for file in files)


def test_a_change_of_a_shared_folder_is_a_new_version_of_those_that_use_it(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("common/__init__.py", "number = 1\n").write("Alone/etls.py", echo("alone"))
    uses = "from common import number\nclass A:\n    def transform_predict(self):\n        return {'number': number}\n"
    repo.write("Uses/etls.py", uses).write("Uses/model.yaml", "uses: [common]\n").commit()
    with serving(tmp_path / "data", repo.path) as server:
        repo.commit_file("common/__init__.py", "number = 2\n")
        server.sync()
        server.wait_live("Uses", "v2")
        assert server.score("Uses") == {"number": 2}
        assert server.post("/Uses/v1").json == {"number": 1}
        assert server.post("/Alone").headers["x-pawl-version"] == "v1"


def test_replicas_and_serve_options_are_as_the_manifest_says(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Two/etls.py", SLEEPS).write("Two/model.yaml", "serve: {replicas: 2}\n")
    repo.write("Hangs/etls.py", SLEEPS).write("Hangs/model.yaml", "serve: {timeout_s: 2}\n").commit()
    with serving(tmp_path / "data", repo.path) as server:
        assert server.state("Two")["live"]["workers"] == 2
        assert len(server.workers()) == 3
        before = server.score("Hangs", s=0)["pid"]
        refused = server.post("/Hangs", {"variables": {"s": 30}})
        refused.error(*((504, "deadline_exceeded") if refused.status == 504 else (502, "worker_lost")))
        server.wait(lambda: server.post("/Hangs", {"variables": {"s": 0}}).status == 200, "a new worker")
        assert server.score("Hangs", s=0)["pid"] != before
        assert "serve.timeout_s" in server.events("worker_lost")[-1]["message"]
