from __future__ import annotations

import pytest

from loader.files.train_script import is_script, may_be_script

FILES = {"train.py", "etls.py", "fast.py", "lib"}
GUARD = 'if __name__ == "__main__":\n    train, test = split()\n'


@pytest.mark.parametrize(
    "source",
    [
        GUARD,
        "if '__main__' == __name__: main()",
        f"import pickle\nclass Doubler:\n    def transform(self, x): ...\ndef main():\n    train = 1\n{GUARD}",
        f"try:\n    import faster\nexcept ImportError:\n    faster = None\n{GUARD}",
        f"from sklearn.model_selection import train_test_split\nimport train_tools\n{GUARD}",
        f"class Empty():\n    def training(self): ...\n{GUARD}",
        "if (__name__=='__main__'):\r\n    main()\r\n",
        f"def (\n{'(' * 100_000}\n{GUARD}",
    ],
)
def test_what_is_run_by_hand_and_has_nothing_that_trains_is_a_script(source: str) -> None:
    assert is_script(source.encode(), FILES)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "fit()",
        "def fit(): ...",
        f"def train(output): ...\n{GUARD}",
        f"async def train(output): ...\n{GUARD}",
        f"if True:\n    def train(output): ...\n{GUARD}",
        f"class Model:\n    def train(self, dataset_path): ...\n{GUARD}",
        f"class Model(Base): ...\n{GUARD}",
        f"from fitting import train\n{GUARD}",
        f"from fitting import fit as train\n{GUARD}",
        f"from fitting import *\n{GUARD}",
        f"train = fit\n{GUARD}",
        "if __name__ != '__main__':\n    pass",
        "if __name__ == 'train':\n    pass",
        f"from fitting import (\n    fit,\n    train,\n)\n{GUARD}",
        f"class Model(\n    Base\n): ...\n{GUARD}",
        f"class Model[T](Base): ...\n{GUARD}",
        f"from fitting import (\r\n    fit,\r\n    train,\r\n)\r\n{GUARD}",
        f"from fitting import (\n    fit, train,  # both\n)\n{GUARD}",
        f"from fitting import fit, \\\n    train\n{GUARD}",
        f"from etls import Price\n{GUARD}",
        f"from lib.models import Price\n{GUARD}",
        f"from .models import Price\n{GUARD}",
        f"try:\n    from fast import Price\nexcept ImportError: ...\n{GUARD}",
        f"train, rest = fit()\n{GUARD}",
        "    " + GUARD,
    ],
)
def test_what_may_train_is_none(source: str) -> None:
    assert not is_script(source.encode(), FILES)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "odd",
    [
        "    train" + " " * 400 + "x\n",
        "    train" + " ," * 400 + "x\n",
        " " * 500 + "\n",
        "class a(" + "\n" * 400 + ")",
        "import ",
        "train ",
        "def ",
        "if(",
        "from a import (\n",
        "class a[",
        "import a\n",
    ],
)
def test_a_long_one_takes_no_longer_than_its_length(odd: str) -> None:
    source = (GUARD + odd * (900_000 // len(odd))).encode()
    assert is_script(source, FILES) in (True, False)


def test_only_beside_something_that_is_served_and_not_too_long() -> None:
    assert may_be_script({"train.py", "etls.py"}, 100)
    assert may_be_script({"train.py", "model.onnx"}, 100)
    assert not may_be_script({"train.py"}, 100), "a run is all that it can be for"
    assert not may_be_script({"etls.py"}, 100)
    assert not may_be_script({"train.py", "etls.py"}, 2_000_000)
