from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from core.manifest.train import Search, Train
from server.uploads.error_codes import upload_code_of
from server.uploads.errors import NotExamined
from server.uploads.training_contract import Bounds, check_training


def check(folder: Path, code: str, entry: str | None = None, file: str = "train.py") -> None:
    (folder / file).write_text(code)
    check_training(folder, Train(entry=entry))


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("def train(output): ...", None),
        ("class Iris:\n    def train(self): ...", None),
        ("from common import train", None),
        ("from common import *", None),
        ("train = make()", None),
        ("try:\n    import x\nexcept ImportError:\n    def train(output): ...", None),
        ("if True:\n    class Iris(Base): ...", None),
        ("def fit(output): ...", "fit"),
    ],
)
def test_what_a_run_could_begin_with_passes(tmp_path: Path, code: str, entry: str | None) -> None:
    check(tmp_path, code, entry)


@pytest.mark.parametrize(
    ("code", "entry", "says"),
    [
        ("def broken(:", None, "train.py, line 1"),
        ("def fit(output): ...", None, "neither a function train"),
        ("def train(output): ...", "fit", "'fit'"),
        ("class Iris: ...", "fit", "'fit'"),
        ("\0", None, "train.py"),
    ],
)
def test_what_none_could_begin_with_is_refused(tmp_path: Path, code: str, entry: str | None, says: str) -> None:
    with pytest.raises(ReleaseFailed, match=says):
        check(tmp_path, code, entry)


@pytest.mark.parametrize(
    "code",
    [
        "def train(output, depth): ...",
        "def train(output, *, depth): ...",
        "def train(depth, /, output): ...",
    ],
)
def test_an_argument_that_nobody_gives_is_refused(tmp_path: Path, code: str) -> None:
    says = r"train\.py, line 1: train needs the argument 'depth'; .* add 'depth' to train\.params"
    with pytest.raises(ReleaseFailed, match=says):
        check(tmp_path, code)
    check_training(tmp_path, Train(params={"depth": 6}))
    check_training(tmp_path, Train(search=Search(params={"depth": [1, 2]})))


@pytest.mark.parametrize(
    "code",
    [
        "def train(dataset, validation, output, checkpoint, report, model_params, depth=6, *more, **others): ...",
        "@given\ndef train(depth): ...",
        "def train(depth): ...\ntrain = partial(train, 6)",
        "if x:\n    def train(depth): ...\nelse:\n    def train(output): ...",
        "from common import *\ndef train(depth): ...\nfrom more import *",
    ],
)
def test_an_argument_that_may_be_given_passes(tmp_path: Path, code: str) -> None:
    check(tmp_path, code)


def test_a_class_of_both_halves_is_looked_for_where_there_is_no_train_file(tmp_path: Path) -> None:
    check(tmp_path, "class Iris:\n    def train(self): ...", file="etls.py")
    with pytest.raises(ReleaseFailed):
        check(tmp_path, "", file="train.py")


def test_a_folder_with_no_code_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailed, match=r"neither a train\.py nor an etls\.py"):
        check_training(tmp_path, Train())


@pytest.mark.parametrize("bounds", [Bounds(cpu_s=1), Bounds(memory_bytes=60 * 2**20)])
def test_code_that_takes_too_much_to_be_parsed_is_refused(tmp_path: Path, bounds: Bounds) -> None:
    (tmp_path / "train.py").write_text("x=1\n" * 250_000)
    with pytest.raises(ReleaseFailed, match=r"can't be read as Python: .*\(train\.py\)"):
        check_training(tmp_path, Train(), bounds)


def test_what_can_not_be_parsed_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailed, match=r"SyntaxError: .* \(train\.py, line 2\)"):
        check(tmp_path, "x = 1\ndef (:")


def test_a_machine_that_has_no_time_to_look_is_not_told_as_a_fault_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(output): ...")
    with pytest.raises(NotExamined, match=r"no processor was free .* says nothing of the code; try again") as told:
        check_training(tmp_path, Train(), Bounds(patience_s=0.0))
    assert upload_code_of(told.value) == "overloaded"


def test_a_machine_that_can_start_no_process_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("def train(output): ...")
    monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))
    with pytest.raises(NotExamined, match=r"/gone: No such file or directory; that says nothing of the code"):
        check_training(tmp_path, Train())
