"""Several package indexes: as pip does, the best version of all of them is taken."""

from __future__ import annotations

from pathlib import Path

from tests.loader.index import package_index
from tests.loader.shop import Shop


def test_a_second_index_hides_no_newer_version_of_the_first(tmp_path: Path) -> None:
    shop, first, second = (_shop(tmp_path / name) for name in ("pins", "first", "second"))
    for at, name, version in ((first, "milk", "2.0"), (second, "milk", "1.0"), (first, "tea", "1.0")):
        at.offer(name, version)
    second.offer("tea", "2.0")
    with package_index(first.wheels) as main, package_index(second.wheels) as extra:
        shop.environments = shop.open({"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": main})
        packages = shop.build(f"--extra-index-url {extra}\nmilk\ntea").packages
    assert (packages["milk"], packages["tea"]) == ("2.0", "2.0")


def _shop(folder: Path) -> Shop:
    folder.mkdir()
    return Shop(folder)
