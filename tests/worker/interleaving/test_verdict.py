from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.worker.interleaving.models import PREAMBLE, load, why_not, with_method
from worker.interleaving.verdict import why_not_interleave

HELD = {
    "a lock": ("self.lock = threading.Lock()", "self.lock is a lock"),
    "a reentrant lock": ("self.lock = threading.RLock()", "self.lock is a RLock"),
    "a semaphore": ("self.gate = threading.Semaphore()", "self.gate is a Semaphore"),
    "a condition": ("self.c = threading.Condition()", "self.c is a Condition"),
    "a thread-local": ("self.local = threading.local()", "self.local is a thread-local"),
    "a generator": ("self.ids = (i for i in range(3))", "self.ids is an iterator"),
    "an iterator": ("self.ids = iter([])", "self.ids is an iterator"),
    "a method of a list": ("self.add = self.columns.append", "self.add is the append of a list"),
    "a partial": ("self.add = functools.partial(setattr, self)", "self.add is a partial of setattr"),
    "a lock in a dict": ("self.locks = {'a': [threading.Lock()]}", "self.locks['a'][0] is a lock"),
}


@pytest.mark.parametrize(("init", "expected"), HELD.values(), ids=HELD)
def test_holding_a_lock_or_an_iterator_is_unsafe(tmp_path: Path, init: str, expected: str) -> None:
    assert why_not(tmp_path, with_method("return {}", init)) == expected


def test_a_global_lock_is_unsafe(tmp_path: Path) -> None:
    source = with_method("return {}", extra="GATE = threading.Lock()")
    assert why_not(tmp_path, source) == "author_etls.GATE is a lock"


def test_a_lock_in_a_helper_is_unsafe(tmp_path: Path) -> None:
    helper = "class Helper:\n    __slots__ = ('gate',)\n    def __init__(self):\n        self.gate = threading.Lock()"
    why = why_not(tmp_path, with_method("return {}", "self.helper = Helper()", helper))
    assert why == "self.helper.gate is a lock"


def test_an_open_file_is_unsafe(tmp_path: Path) -> None:
    module = load(tmp_path, with_method("return {}"))
    model = module.Model()
    with open("/dev/null") as model.file:
        assert why_not_interleave(model, module, str(tmp_path)) == "self.file is an open file"


def test_what_runs_at_construction_only_may_assign(tmp_path: Path) -> None:
    source = PREAMBLE + textwrap.dedent(
        """
        def load_table():
            global TABLE
            TABLE = {"a": 1}
        TABLE = None
        load_table()

        class Model:
            def __init__(self):
                self._load()
            def _load(self):
                self.table = {}
                self._fill("x")
            def _fill(self, key):
                self.table[key] = 1
            def transform_predict(self, variables):
                return self.table.get("x")
        """
    )
    assert why_not(tmp_path, source) is None


@pytest.mark.parametrize(
    "use",
    ["self._load()", "getattr(self, '_load')()", "f = self._load", "list(map(self._load, []))"],
)
def test_what_a_request_may_call_too_may_not_assign(tmp_path: Path, use: str) -> None:
    source = PREAMBLE + textwrap.dedent(
        f"""
        class Model:
            def __init__(self):
                self._load()
            def _load(self):
                self.table = {{}}
            def transform_predict(self, variables):
                {use}
        """
    )
    assert why_not(tmp_path, source) == "Model._load assigns to self.table (author_etls.py, line 15)"


def test_a_method_kept_by_the_constructor_may_not_assign(tmp_path: Path) -> None:
    init = "self._steps = [self._step]"
    source = (
        with_method("return [step() for step in self._steps]", init) + "\n    def _step(self):\n        self.x = 1\n"
    )
    assert "Model._step assigns to self.x" in str(why_not(tmp_path, source))


def test_a_method_that_libraries_call_by_name_may_not_assign(tmp_path: Path) -> None:
    helper = "class Step:\n    def transform(self, x):\n        self.last = x\n        return x"
    source = with_method("return self.steps.predict(variables)", "step = Step(); step.transform(1)", helper)
    assert "Step.transform assigns to self.last" in str(why_not(tmp_path, source))


def test_a_function_made_by_the_constructor_may_not_change_what_it_closes_over(tmp_path: Path) -> None:
    init = """
        known = {}
        def look_up(key):
            known[key] = 1
        self.look_up = look_up
        """
    assert "known[key]" in str(why_not(tmp_path, with_method("return self.look_up(1)", init)))


def test_a_comprehensions_name_does_not_hide_a_global(tmp_path: Path) -> None:
    body = "[CACHE for CACHE in range(3)]; CACHE['x'] = 1"
    assert "CACHE['x']" in str(why_not(tmp_path, with_method(body)))


def test_other_modules_of_the_release_are_read_too(tmp_path: Path) -> None:
    load(tmp_path, "SEEN = []\ndef note(x):\n    SEEN.append(x)\n", "author_common")
    source = with_method("author_common.note(1)", extra="import author_common")
    assert why_not(tmp_path, source) == ("note calls SEEN.append, which changes it (author_common.py, line 3)")


def test_modules_from_elsewhere_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    load(tmp_path, "SEEN = []\ndef note(x):\n    SEEN.append(x)\n", "author_library")
    source = with_method("author_library.note(1)", extra="import author_library")
    assert why_not(tmp_path / "release", source) is None


def test_a_module_that_only_a_request_imports_is_unsafe(tmp_path: Path) -> None:
    (tmp_path / "author_late.py").write_text("SEEN = []\ndef note(x):\n    SEEN.append(x)\n")
    why = why_not(tmp_path, with_method("from author_late import note\nnote(1)"))
    assert why == "author_late is imported only when needed (author_etls.py, line 27): do it at the top"


def test_methods_found_by_a_computed_name_may_not_assign(tmp_path: Path) -> None:
    source = PREAMBLE + textwrap.dedent(
        """
        class Model:
            def __init__(self):
                self._load_a()
            def _load_a(self):
                self.table = {}
            def transform_predict(self, variables):
                return getattr(self, "_load_" + variables["kind"])()
        """
    )
    assert "Model._load_a assigns to self.table" in str(why_not(tmp_path, source))


def test_bases_within_the_release_are_read(tmp_path: Path) -> None:
    load(tmp_path, "class Base:\n    def step(self):\n        self.x = 1\n", "author_base")
    source = PREAMBLE + textwrap.dedent(
        """
        from author_base import Base
        class Model(Base):
            def transform_predict(self, variables):
                return self.step()
        """
    )
    assert why_not(tmp_path, source) == "Base.step assigns to self.x (author_base.py, line 3)"


def test_without_a_source_it_is_unsafe(tmp_path: Path) -> None:
    module = load(tmp_path, with_method("return {}"))
    (tmp_path / "author_etls.py").unlink()
    assert "can't be read" in str(why_not_interleave(module.Model(), module, str(tmp_path)))


def test_a_method_made_at_run_time_is_unsafe(tmp_path: Path) -> None:
    source = with_method("return {}", extra="made = {}") + "\nexec('def f(self, v): self.x = v', made)\n"
    why = why_not(tmp_path, source + "Model.transform_predict = made['f']\n")
    assert why == "the source of transform_predict can't be found"
