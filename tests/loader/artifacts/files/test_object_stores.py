from __future__ import annotations

import subprocess
import sys

import pytest

from loader.artifacts.files.object_stores import connect
from tests.serving import ROOT


@pytest.mark.parametrize(
    "module",
    [
        "server.__main__",
        "server.assembly",
        "gateway.__main__",
        "worker.boot",
        "loader.artifacts.files.place",
        "loader.artifacts.datasets.datasets",
        "trainer.run",
    ],
)
def test_pyarrow_is_imported_where_an_address_is_used_alone(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_an_option_that_is_not_known_is_told() -> None:
    with pytest.raises(ValueError, match="it takes endpoint_override, region, scheme"):
        connect("s3://bucket/path?endpoint=x")


def test_an_address_of_another_kind_is_told() -> None:
    with pytest.raises(ValueError, match=r"begin with s3://, gs://"):
        connect("ftp://bucket/path")


def test_azure_without_https_asks_for_a_key() -> None:
    """pyarrow would end the process."""
    with pytest.raises(ValueError, match="takes a key alone"):
        connect("abfs://container@account/path?scheme=http&endpoint_override=127.0.0.1:1")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("abfs://c@account.dfs.core.windows.net/a/b/", "c/a/b"),
        ("abfss://c:a2V5@account.dfs.core.windows.net", "c"),
        ("s3://key:se%2Fcret@bucket/a%20b?region=eu-west-1", "bucket/a b"),
        ("gs://bucket/path/", "bucket/path"),
    ],
)
def test_an_address_names_a_folder_in_its_store(address: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_KEY", raising=False)
    assert connect(address)[1] == path
