"""A folder has the code key that its push will have, so what was trained of one serves the other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from loader.sources.local.source import LocalSource
from tests.repos import Repo


def test_a_local_folder_and_its_push_have_the_same_code_key(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("requirements.txt", "msgspec==0.22.0\n")
    repo.write("shared/a.py", "A = 1\n").write("shared/a/b/c.txt", "").write("shared/a-b.txt", "x")
    (repo.path / "shared/tool.sh").write_text("#!/bin/sh\n")
    (repo.path / "shared/tool.sh").chmod(0o755)
    (repo.path / "shared/link").symlink_to("a.py")
    script = 'if __name__ == "__main__":\n    print("by hand")\n'
    repo.write("ByHand/train.py", script).write("Asked/train.py", script).write("Asked/model.yaml", "train: {}")
    for model in ("Alone", "Asked", "ByHand", "Sharing", "Served"):
        repo.write(f"{model}/etls.py", "class A:\n    def transform_predict(self): ...\n")
    for model in ("Alone", "Sharing"):
        repo.write(f"{model}/train.py", f"def train(output): {model}\n").write(f"{model}/data/d.csv", "1,2\n")
    repo.write("Alone/requirements.txt", "numpy\n").write("Sharing/model.yaml", "uses: [shared]\n")
    (repo.path / "Sharing/data/same.csv").symlink_to("d.csv")
    repo.commit()
    with closing(GitSource(Remote(str(repo.path)), tmp_path / "data")) as source:
        pushed = source.look().models
    local = LocalSource(repo.path, {}).look().models
    keys = [
        {model: one.revision.code_key for model, one in found.items() if one.revision is not None}
        for found in (pushed, local)
    ]
    assert keys[0] == keys[1]
    assert {model for model, key in keys[0].items() if key is not None} == {"Alone", "Asked", "Sharing"}
