from __future__ import annotations

import pytest

from core.paths import PATHS, RESERVED, Kind
from gateway.routes.paths import Place, find_place

BASES = ("", "/models", "/one/two")


@pytest.mark.parametrize("base", BASES)
def test_every_path_of_the_table_leads_to_who_answers_it(base: str) -> None:
    for path in PATHS:
        is_kept = path.kind is Kind.NOTHING
        wanted = Kind.DAEMON if is_kept and not base else path.kind  # the daemon says then that nothing is there
        asked = path.template.replace("{model}", "Iris").replace("{version}", "v3")
        assert find_place(base, asked if path.is_beside_base else base + asked).kind is wanted, asked


@pytest.mark.parametrize("base", BASES)
def test_a_model_and_its_versions_are_under_the_base(base: str) -> None:
    assert find_place(base, f"{base}/Iris") == find_place(base, f"{base}/Iris/") == Place(Kind.MODEL, "Iris")
    assert find_place(base, f"{base}/Iris/v3") == Place(Kind.MODEL, "Iris", "v3")
    assert find_place(base, f"{base}/Iris/v3/more").kind is Kind.NOTHING
    assert find_place(base, f"{base}/Iris//").kind is Kind.NOTHING


@pytest.mark.parametrize("base", BASES)
def test_no_reserved_name_is_a_models(base: str) -> None:
    for name in RESERVED:
        for path in (name, f"{name}/", f"{name}/v1", f"{name}/models/Iris/infer"):
            assert find_place(base, f"{base}/{path}").kind is not Kind.MODEL, path


@pytest.mark.parametrize("base", BASES)
def test_everything_of_an_operators_is_the_daemons(base: str) -> None:
    for path in ("", "/", "/-", "/-/", "/-/sync", "/-/api/models/Iris/pin", "/-/what/ever/comes", "/v2/models/Iris"):
        assert find_place(base, base + path).kind is Kind.DAEMON, path


def test_all_has_nothing_below_it() -> None:
    assert find_place("/models", "/models/all/").kind is Kind.ALL
    assert find_place("/models", "/models/all/x").kind is Kind.NOTHING


def test_what_is_not_under_the_base_is_nothing() -> None:
    for path in ("/", "/modelsx", "/mode", "/healthz/", "/metrics/x", "/ping"):
        assert find_place("/models", path).kind is Kind.NOTHING, path
