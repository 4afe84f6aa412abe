from __future__ import annotations

import subprocess
import sys

import pytest

from loader.artifacts.object_stores import connect
from tests.serving import ROOT


@pytest.mark.parametrize(
    "module", ["server.__main__", "server.daemon", "gateway.__main__", "worker.boot", "loader.artifacts.place"]
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
