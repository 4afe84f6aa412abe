"""What an author is told when his class can't be served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.worker.processes import serving, starting, write_model
from worker.wire.messages import Failed


def failed(root: Path, etls: str | None, **files: str | bytes) -> Failed:
    with starting(write_model(root, etls, **files)) as worker:
        return worker.failed()


FAILURES = {
    "a syntax error": ("x = 1\ndef f(:\n", "etls.py, line 2: SyntaxError"),
    "a missing module": (
        "\nimport nowhere_to_be_found\n",
        "etls.py, line 2: .*'nowhere_to_be_found'.*requirements.txt",
    ),
    "a missing name": ("from json import nothing_such\n", "etls.py, line 1: ImportError: .*nothing_such"),
    "a relative import": ("from .helper import x\n", "etls.py, line 1: .*; .*without the dot: 'from helper import x'"),
    "an undefined name": ("x = undefined\n", "etls.py, line 1: NameError: .*undefined"),
    "no class": ("def transform(): pass\n", "etls.py: no class .*transform_predict; it defines no class"),
    "no such method": ("\nclass A:\n    pass\n", r"no class .*; there are: A \(etls.py, line 2\)"),
    "several classes": (
        "class A:\n    def transform_predict(self): ...\nclass B(A): ...\n",
        r"several classes .*A \(etls.py, line 1\), B \(etls.py, line 3\); name the one to serve 'transform_predict'",
    ),
    "a function of that name": (
        "def transform_predict(x): ...\n",
        "transform_predict is a function; it must be a class",
    ),
    "a class of that name without the method": ("class transform_predict: ...\n", "line 1: .* has no method"),
    "a coroutine": (
        "class A:\n    async def transform_predict(self, v): ...\n",
        "etls.py, line 2: .*coroutine, which is not supported yet",
    ),
    "two arguments": (
        "class A:\n    def transform_predict(self, a, b): ...\n",
        "etls.py, line 2: A.transform_predict takes a, b; it can take nothing, or one argument",
    ),
    "an argument by keyword": (
        "class A:\n    def transform_predict(self, *, a): ...\n",
        "takes a; it can take nothing",
    ),
    "a type that is none of variables": (
        "class A:\n    def transform_predict(self, a: float): ...\n",
        "etls.py, line 2: transform_predict takes float; it can take a dict, ",
    ),
    "an unknown argument of the constructor": (
        "class A:\n    def __init__(self, model): ...\n    def transform_predict(self): ...\n",
        "etls.py, line 1: the constructor of A needs 'model'; it can be given path, onnx, metadata",
    ),
}


@pytest.mark.parametrize(("etls", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_what_does_not_heal_says_where_and_what_to_do(tmp_path: Path, etls: str, message: str) -> None:
    failure = failed(tmp_path, etls)
    assert re.search(message, failure.message), failure.message
    assert not failure.heals


def test_a_syntax_error_in_another_file_names_that_file(tmp_path: Path) -> None:
    failure = failed(tmp_path, "import helper\n", helper__py="def f(:\n")
    assert failure.message.startswith("helper.py, line 1: SyntaxError")


def test_a_syntax_error_shows_none_of_our_lines(tmp_path: Path) -> None:
    failure = failed(tmp_path, "x = = 3\n")
    assert "x = = 3" in failure.traceback
    assert "author.py" not in failure.traceback


CONSTRUCTOR = "class A:\n    def __init__(self):\n        raise RAISE\n    def transform_predict(self): ..."


@pytest.mark.parametrize(
    ("etls", "place"),
    [
        ("import os\nraise OSError('no network')\n", "etls.py, line 2"),
        (CONSTRUCTOR.replace("RAISE", "OSError('no network')"), "etls.py, line 3"),
        (CONSTRUCTOR.replace("RAISE", "SystemExit('no network')"), "etls.py, line 3"),
    ],
)
def test_what_raises_while_it_starts_may_heal(tmp_path: Path, etls: str, place: str) -> None:
    failure = failed(tmp_path, etls)
    assert failure.heals
    assert failure.message.startswith(place)
    assert "no network" in failure.message
    assert failure.traceback.startswith("Traceback")
    assert f'{tmp_path}/Model/etls.py", line' in failure.traceback
    assert "_pawl" not in failure.traceback
    assert "worker/" not in failure.traceback


def test_a_folder_with_nothing_to_serve_says_so(tmp_path: Path) -> None:
    assert "neither an etls.py, nor an .onnx" in failed(tmp_path, None).message


def test_several_onnx_files_need_an_etls(tmp_path: Path) -> None:
    assert "several .onnx (a.onnx, b.onnx)" in failed(tmp_path, None, a__onnx=b"", b__onnx=b"").message


def test_an_onnx_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    etls = """
        class A:
            def __init__(self, onnx):
                self.session = onnx["iris"]
            def transform_predict(self): ...
    """
    assert "there is no iris.onnx in the model's folder; there is none at all" in failed(tmp_path, etls).message


def test_the_class_of_the_methods_name_is_served_before_others(tmp_path: Path) -> None:
    etls = """
        class Other:
            def transform_predict(self): return {"from": "Other"}
        class transform_predict:
            def transform_predict(self): return {"from": "transform_predict"}
    """
    with serving(tmp_path, etls) as worker:
        assert worker.ask() == (200, {"from": "transform_predict"})


def test_a_class_defined_here_is_served_before_one_imported(tmp_path: Path) -> None:
    write_model(tmp_path, helper__py="class Base:\n    def transform_predict(self): return {}\n")
    etls = """
        from helper import Base
        class Mine(Base):
            def transform_predict(self): return {"from": "Mine"}
        Alias = Mine
    """
    with serving(tmp_path, etls) as worker:
        assert worker.ask() == (200, {"from": "Mine"})


def test_a_class_imported_from_a_shared_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "common.py").write_text("class Shared:\n    def transform_predict(self): return {'from': 'Shared'}\n")
    with serving(tmp_path, "from common import Shared\n") as worker:
        assert worker.ask() == (200, {"from": "Shared"})


def test_an_abstract_class_is_no_candidate(tmp_path: Path) -> None:
    etls = """
        import abc
        class Base(abc.ABC):
            @abc.abstractmethod
            def transform_predict(self): ...
        class Mine(Base):
            def transform_predict(self): return {}
    """
    with serving(tmp_path, etls) as worker:
        assert worker.ask() == (200, {})


def test_a_class_that_cannot_be_hashed_is_a_class(tmp_path: Path) -> None:
    etls = """
        class Meta(type):
            __hash__ = None
        class Mine(metaclass=Meta):
            def transform_predict(self): return {}
        Alias = Mine
    """
    with serving(tmp_path, etls) as worker:
        assert worker.ask() == (200, {})


def test_the_constructor_gets_what_it_names(tmp_path: Path) -> None:
    etls = """
        class A:
            def __init__(self, path, /, more=3, *rest, metadata, **others):
                self.seen = {"path": path, "metadata": metadata, "others": others, "more": more}
            def transform_predict(self):
                return self.seen
    """
    with serving(tmp_path, etls, metadata={"a": 1}) as worker:
        expected = {"path": f"{tmp_path}/Model/", "metadata": {"a": 1}, "others": {}, "more": 3}
        assert worker.ask() == (200, expected)


def test_nothing_is_written_into_the_release(tmp_path: Path) -> None:
    write_model(tmp_path, helper__py="")
    with serving(tmp_path, "import helper\nclass A:\n    def transform_predict(self): return {}\n"):
        assert sorted(path.name for path in (tmp_path / "Model").iterdir()) == ["etls.py", "helper.py"]


def test_the_authors_modules_come_before_all_others(tmp_path: Path) -> None:
    write_model(tmp_path, protocol__py="mine = True", errors__py="mine = True", json__py="mine = True")
    etls = """
        import os, sys, protocol, errors
        class A:
            def transform_predict(self):
                ours = [name for name in sys.modules if "worker" in name or name in ("loop", "boot", "model")]
                return {
                    "mine": protocol.mine and errors.mine,
                    "ours": ours,
                    "first": sys.path[:2],
                    "worker": [path for path in sys.path if path.endswith("worker")],
                    "cwd": os.getcwd(),
                    "arguments": sys.argv[1:],
                }
    """
    with serving(tmp_path, etls) as worker:
        status, seen = worker.ask()
        assert status == 200
        assert seen == {
            "mine": True,
            "ours": [],
            "first": [f"{tmp_path}/Model/", f"{tmp_path}/"],
            "worker": [],
            "cwd": f"{tmp_path}/Model",
            "arguments": [],
        }
