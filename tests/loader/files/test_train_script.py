from __future__ import annotations

import pytest

from loader.files.train_script import is_script, may_be_script

GUARD = 'if __name__ == "__main__":\n    train, test = split()\n'


@pytest.mark.parametrize(
    "source",
    [
        GUARD,
        "if '__main__' == __name__: main()",
        f"import pickle\nclass Doubler:\n    def transform(self, x): ...\ndef main():\n    train = 1\n{GUARD}",
        f"try:\n    import fast\nexcept ImportError:\n    fast = None\n{GUARD}",
    ],
)
def test_what_is_run_by_hand_and_has_nothing_that_trains_is_a_script(source: str) -> None:
    assert is_script(source.encode())


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
        f"class Model:\n    train = fit\n{GUARD}",
        f"class Model(Base): ...\n{GUARD}",
        f"from fitting import train\n{GUARD}",
        f"from fitting import fit as train\n{GUARD}",
        f"from fitting import *\n{GUARD}",
        f"train = fit\n{GUARD}",
        "if __name__ != '__main__':\n    pass",
        "if __name__ == 'train':\n    pass",
        f"def (\n{GUARD}",
        f"\0{GUARD}",
        f"{'(' * 300}\n{GUARD}",
    ],
)
def test_what_may_train_or_can_not_be_read_is_none(source: str) -> None:
    assert not is_script(source.encode())


def test_only_beside_something_that_is_served_and_not_too_long() -> None:
    assert may_be_script({"train.py", "etls.py"}, 100)
    assert may_be_script({"train.py", "model.onnx"}, 100)
    assert not may_be_script({"train.py"}, 100), "a run is all that it can be for"
    assert not may_be_script({"etls.py"}, 100)
    assert not may_be_script({"train.py", "etls.py"}, 2_000_000)
