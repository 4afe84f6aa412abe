from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.processes import serving, starting, write_model

DOUBLER = """
class Doubler:
    class Inner:
        pass
    def transform(self, x):
        return 2 * x
"""
WRITES = """
import pickle
with open("model.pkl", "wb") as file:
    pickle.dump(Doubler(), file, protocol={protocol})
"""
GUARDED = DOUBLER + '\nif __name__ == "__main__":\n' + "".join(f"    {line}\n" for line in WRITES.strip().splitlines())
READS = """
import pickle
{imports}

class Served:
    def __init__(self):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)

    def transform_predict(self, variables):
        return {{"y": self.model.transform(variables["x"]), "of": type(self.model).__module__}}
"""


def trained(root: Path, train: str, imports: str = "", protocol: int = pickle.DEFAULT_PROTOCOL) -> Path:
    """A folder with the pickle that its train.py has written as a script."""
    folder = write_model(root, READS.format(imports=imports), train__py=train.format(protocol=protocol))
    subprocess.run([sys.executable, "train.py"], cwd=folder, check=True)
    assert b"__main__" in (folder / "model.pkl").read_bytes()
    return folder


@pytest.mark.parametrize(
    "train", [GUARDED, "import warnings\nwarnings.simplefilter('ignore')\n" + GUARDED], ids=["definitions", "a guard"]
)
def test_a_module_that_may_be_imported_is(tmp_path: Path, train: str) -> None:
    trained(tmp_path, train)
    with starting(tmp_path / "Model") as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 4}}) == (200, {"y": 8, "of": "train"})


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("imports", ["from train import Doubler", "", "import train"])
def test_a_class_in_a_module_beside_is_found(tmp_path: Path, imports: str, protocol: int) -> None:
    trained(tmp_path, GUARDED, imports, protocol)
    with starting(tmp_path / "Model") as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 4}}) == (200, {"y": 8, "of": "train"})


def test_a_class_in_etls_itself_is_found_even_while_that_is_imported(tmp_path: Path) -> None:
    folder = trained(tmp_path, GUARDED)
    (folder / "train.py").unlink()
    etls = DOUBLER + "import pickle\nmodel = pickle.load(open('model.pkl', 'rb'))\n"
    etls += "class Served:\n    def transform_predict(self, variables):\n        return {'y': model.transform(4)}\n"
    with serving(tmp_path, etls) as worker:
        assert worker.ask({}) == (200, {"y": 8})


def test_a_script_is_not_run_for_it_and_the_failure_says_what_to_do(tmp_path: Path) -> None:
    folder = trained(tmp_path, DOUBLER + WRITES)
    before = (folder / "model.pkl").stat().st_mtime_ns
    with starting(folder) as worker:
        failed = worker.failed()
    assert "etls.py, line 8: constructing Served raised AttributeError" in failed.message
    assert "names __main__.Doubler" in failed.message
    assert failed.message.endswith("import it in etls.py with 'from train import Doubler'")
    assert not failed.heals
    assert (folder / "model.pkl").stat().st_mtime_ns == before


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_a_class_that_is_nowhere_is_named_with_what_to_do(tmp_path: Path, protocol: int) -> None:
    folder = trained(tmp_path, GUARDED, protocol=protocol)
    (folder / "train.py").unlink()
    with starting(folder) as worker:
        failed = worker.failed()
    assert "the pickle names __main__.Doubler, as the script that wrote it defined Doubler itself" in failed.message
    assert "put it in a module beside etls.py" in failed.message
    assert not failed.heals


def test_of_two_modules_neither_is_taken(tmp_path: Path) -> None:
    folder = trained(tmp_path, GUARDED)
    (folder / "other.py").write_text(DOUBLER)
    with starting(folder) as worker:
        assert "other.py and train.py define it: import the right one in etls.py" in worker.failed().message


def test_a_pickle_of_a_package_that_is_missing_says_what_to_do(tmp_path: Path) -> None:
    folder = write_model(tmp_path, READS.format(imports=""), model__pkl=b"cno_such_package\nThing\n.")
    with starting(folder) as worker:
        failed = worker.failed()
    assert "constructing Served raised ModuleNotFoundError: No module named 'no_such_package'" in failed.message
    assert "list what provides it in the folder's requirements.txt" in failed.message
    assert not failed.heals
