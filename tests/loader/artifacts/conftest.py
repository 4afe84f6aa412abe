"""Stores of each kind, for tests that ask the same of each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from loader.artifacts.files.files import Files
from loader.artifacts.files.place import open_files
from tests.emulators import address, gcs, gcs_address, s3


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with s3() as endpoint:
        yield endpoint


@pytest.fixture
def s3_address(s3_endpoint: str) -> str:
    return address(s3_endpoint, uuid.uuid4().hex)


@pytest.fixture(scope="session")
def gcs_endpoint() -> Iterator[str]:
    with gcs() as endpoint:
        yield endpoint


@pytest.fixture
def gs_address(gcs_endpoint: str) -> str:
    return gcs_address(gcs_endpoint, uuid.uuid4().hex)


@pytest.fixture(params=["local", "s3", "gs"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    where = "" if request.param == "local" else request.getfixturevalue(f"{request.param}_address")
    return open_files(where, tmp_path / "data")
