"""What becomes of an environment where the network, an index or the machine fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from loader.environments.environment import Environments
from tests.loader.index import failing_index
from tests.loader.shop import PINS, SILENT, Shop

ONLINE = {"UV_OFFLINE": "0", "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "2"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.environments = shop.open(ONLINE)
    return shop


@pytest.mark.parametrize(
    ("how", "status", "heals"),
    [
        ("status", 500, Heals.WITH_MACHINE),
        ("status", 503, Heals.WITH_MACHINE),
        ("status", 429, Heals.WITH_MACHINE),
        ("cut", 200, Heals.WITH_MACHINE),
        ("silent", 200, Heals.WITH_MACHINE),
        ("package", 500, Heals.WITH_MACHINE),
        ("status", 404, Heals.NEVER),
        ("status", 403, Heals.NEVER),
        ("garbage", 200, Heals.NEVER),
        ("package", 404, Heals.NEVER),
    ],
)
def test_an_index_that_fails_is_told_from_one_that_lacks_the_package(
    shop: Shop, how: str, status: int, heals: Heals
) -> None:
    with failing_index(how, status) as address:
        failure = shop.fail(f"--index-url {address}\nnever")
    assert failure.heals == heals, str(failure)


@pytest.mark.parametrize(
    "line",
    [
        "-i http://127.0.0.1:9/simple\nnever",
        "-i https://none.invalid/simple\nnever",
        "a @ git+https://127.0.0.1:9/a.git",
    ],
)
def test_a_host_out_of_reach_may_come_back(shop: Shop, line: str) -> None:
    assert shop.fail(line).heals == Heals.WITH_MACHINE


def test_what_a_build_script_raises_is_the_packages_own(shop: Shop) -> None:
    source = shop.folder / "source" / "sour-1.0"
    source.mkdir(parents=True)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sour\nVersion: 1.0\n")
    (source / "backend.py").write_text("raise SystemExit(3)")
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    command = ["tar", "czf", shop.wheels / "sour-1.0.tar.gz", "-C", source.parent, source.name]
    subprocess.run(command, check=True, timeout=60)
    assert shop.fail("--no-index\nsour").heals == Heals.NEVER


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("ONLY ROOT CAN MAKE A SMALL DISK")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], timeout=60).returncode != 0:
        pytest.skip("NO DISK CAN BE MOUNTED HERE")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True, timeout=60)


def test_a_full_disk_may_be_emptied(shop: Shop, small_disk: Path) -> None:
    environments = Environments(small_disk / "envs", shop.env(), 60, PINS)
    with pytest.raises(ReleaseFailed) as failure:
        environments.build(shop.write("msgspec"), SILENT)
    assert failure.value.heals == Heals.WITH_MACHINE


@pytest.mark.parametrize(
    "secret", ["s3cr3t-token", "t0k/en-of@ci", "p%40ss:w0rd", "to#ken?x&y", "schlüssel", "a b'c\"d e"]
)
@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://ci:{}@127.0.0.1:9/simple\nnever",
        "--extra-index-url 'https://{}@127.0.0.1:9/simple'\nnever",
        "never @ git+https://oauth2:{}@127.0.0.1:9/team/never.git",
        "never @ https://ci:{}@127.0.0.1:9/never-1.0-py3-none-any.whl",
        "never @@ https://ci:{}@127.0.0.1:9/never",
        "--bogus https://ci:{}@127.0.0.1:9/never",
    ],
)
def test_a_secret_in_an_address_is_said_nowhere(shop: Shop, line: str, secret: str) -> None:
    said: list[str] = []
    with pytest.raises(ReleaseFailed) as failure:
        shop.environments.build(shop.write(line.format(secret)), said.append)
    assert secret not in "\n".join((*said, str(failure.value), failure.value.detail))


def test_neither_is_one_that_the_servers_variables_hold(shop: Shop) -> None:
    shop.environments = shop.open(
        {**ONLINE, "TOKEN": "s3cr3t-token", "PIP_INDEX_URL": "https://ci:0ther@127.0.0.1:9/s"}
    )
    for text in ("never", "a @ https://127.0.0.1:9/${TOKEN}x", "a @ git+https://${TOKEN}@127.0.0.1:9/a.git"):
        failure = shop.fail(text)
        assert "0ther" not in f"{failure}{failure.detail}"
        if "@127" in text:
            assert "s3cr3t" not in f"{failure}{failure.detail}"
