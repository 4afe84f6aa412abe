from __future__ import annotations

from pathlib import Path

import pytest

from pawl.train.serving import nothing_serves

FUNCTION = "def train(output): return 1\n"


@pytest.mark.parametrize(
    ("files", "left", "is_unserved"),
    [
        ({"train.py": FUNCTION}, ["weights"], True),
        ({"train.py": FUNCTION, "etls.py": ""}, ["weights"], False),
        ({"train.py": FUNCTION}, ["model.onnx"], False),
        ({"train.py": FUNCTION}, ["etls.py"], False),
        ({"train.py": "class A:\n    def train(self, dataset_path): ...\n"}, ["weights"], True),
        ({"train.py": "class A:\n    def predict(self, query): ...\n"}, ["weights"], False),
        ({"train.py": "from lib import B\nclass A(B): ...\n"}, ["weights"], False),
        ({"train.py": "from lib import Model\n"}, ["weights"], False),
        ({"train.py": "from lib import Model as train\n"}, ["weights"], False),
        ({"train.py": f"from lib import x\n{FUNCTION}"}, ["weights"], True),
        ({"train.py": "from __future__ import annotations\ntrain = lambda output: 1\n"}, ["weights"], True),
        ({"train.py": f"class A:\n    def predict(self, query): ...\n{FUNCTION}"}, ["weights"], True),
    ],
)
def test_what_has_nothing_to_serve_it_is_found(
    tmp_path: Path, files: dict[str, str], left: list[str], is_unserved: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert nothing_serves(tmp_path, left) == is_unserved
