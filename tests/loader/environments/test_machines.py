"""Environments on machines as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loader.environments.cache import trim
from loader.environments.environment import Environments
from loader.environments.uv_variables import variables
from tests.loader.shop import PINS, SILENT, Shop, say


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.offer("milk", "1.0")
    shop.offer("tea", "1.0")
    shop.offer("tea", "2.0")
    return shop


@pytest.mark.parametrize("home", [{}, {"HOME": "/proc"}, {"HOME": "/none"}])
def test_neither_a_home_nor_a_temporary_folder_is_needed(shop: Shop, home: dict[str, str]) -> None:
    env = {name: value for name, value in shop.env().items() if name not in ("HOME", "UV_CACHE_DIR")}
    environments = Environments(shop.root, {**env, **home, "TMPDIR": "/none"}, 60, PINS)
    assert environments.build(shop.write("milk"), SILENT).packages["milk"] == "1.0"
    assert (shop.folder / "cache").is_dir(), "what uv keeps lies beside the environments"


def test_variables_that_lead_elsewhere_are_left_out(shop: Shop) -> None:
    elsewhere = {"UV_TARGET": "/none", "UV_PROJECT_ENVIRONMENT": "/none", "UV_PYTHON": "2.7", "PYTHONHOME": "/none"}
    shop.environments = shop.open({**elsewhere, "UV_REQUIRE_HASHES": "1", "VIRTUAL_ENV": "/none", "UV_NO_DEPS": "1"})
    assert say(shop.build("milk"), "import milk; print(milk.version)") == "1.0"


def test_a_project_that_the_folder_lies_in_changes_nothing(shop: Shop) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.uv]\noverride-dependencies = ['milk==9']\nno-index = true\n")
    (shop.folder / "uv.toml").write_text("no-build = 'nonsense'")
    assert shop.build("milk").packages["milk"] == "1.0"


def test_the_places_that_an_operator_names_for_pip_count(tmp_path: Path) -> None:
    found = variables(
        {"PIP_INDEX_URL": "https://a/s", "PIP_FIND_LINKS": "/one /two", "PIP_TRUSTED_HOST": "a b"}, tmp_path
    )
    assert found["UV_DEFAULT_INDEX"] == "https://a/s"
    assert found["UV_FIND_LINKS"] == "/one,/two"
    assert found["UV_INSECURE_HOST"] == "a b"
    assert found["UV_CACHE_DIR"] == str(tmp_path)


def test_those_for_uv_win(tmp_path: Path) -> None:
    given = {"UV_INDEX_URL": "https://b/s", "UV_CACHE_DIR": "/there", "UV_INDEX_STRATEGY": "first-index"}
    found = variables({**given, "PIP_INDEX_URL": "https://a/s"}, tmp_path)
    assert {name: found.get(name) for name in given} == given
    assert "UV_DEFAULT_INDEX" not in found


def test_modules_that_another_environment_has_are_not_compiled_again(shop: Shop) -> None:
    first, second = (shop.build(f"milk\ntea=={version}") for version in ("1.0", "2.0"))
    milk, tea = (
        [Path(say(environment, f"import {name}; print({name}.__cached__)")) for environment in (first, second)]
        for name in ("milk", "tea")
    )
    assert os.path.samefile(*milk)
    assert all(path.is_file() for path in tea)
    assert not os.path.samefile(*tea)
    assert say(second, "import tea; print(tea.version)") == "2.0"


def test_a_cache_that_holds_too_much_is_emptied(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "shared").write_bytes(b"x" * 100_000)
    os.link(cache / "shared", tmp_path / "environment")
    trim(cache, 50_000)
    assert (cache / "shared").exists(), "it takes no room of its own"
    (cache / "alone").write_bytes(b"x" * 100_000)
    trim(cache, 50_000)
    assert not cache.exists()
    assert (tmp_path / "environment").exists()


def test_what_can_not_be_removed_ends_no_pruning(shop: Shop) -> None:
    kept = shop.build("milk")
    assert kept.id is not None
    (shop.root / "a-file").write_text("")
    (shop.root / "half" / "bin").mkdir(parents=True)
    (shop.root / ".old-half" / "left").mkdir(parents=True)
    shop.environments.prune({kept.id})
    assert shop.on_disk() == {kept.id}


def test_a_file_in_the_place_of_an_environment_is_replaced(shop: Shop) -> None:
    id = shop.environments.id_of(shop.write("milk"))
    assert id is not None
    (shop.root / id).write_text("")
    assert shop.build("milk").packages["milk"] == "1.0"
