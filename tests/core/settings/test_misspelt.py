from __future__ import annotations

import pytest

from core.settings.misspelt import misspelt
from core.settings.settings import Settings
from tests.core.test_env_example import variables


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PAWL_PROT", "PAWL_PORT"),
        ("PAWL_GATEWAY", "PAWL_GATEWAYS"),
        ("PAWL_SYNC_SECOND", "PAWL_SYNC_SECONDS"),
        ("pawl_adminTokn", "PAWL_ADMIN_TOKEN"),
        ("PAWL_GIT_PASWORD", "PAWL_GITPASSWORD"),
        ("PAWL_MAX_BODY", "PAWL_MAX_BODY_MB"),
        ("PAWL_DEFAULT", "PAWL_DEFAULTS"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_nearest_setting(name: str, meant: str) -> None:
    (line,) = misspelt({name: "a-secret"})
    assert line == f"the variable {name} is not a setting of Pawl and is ignored; did you mean {meant}?"


def test_a_variable_that_is_like_no_setting_is_told_with_where_they_are_listed() -> None:
    (line,) = misspelt({"PAWL_COLOUR": "red"})
    assert line == "the variable PAWL_COLOUR is not a setting of Pawl and is ignored; env.example lists all settings"


def test_no_setting_is_told_however_it_is_spelt() -> None:
    for field in Settings.__struct_fields__:
        for name in (field, field.upper(), field.replace("_", ""), field.title()):
            assert misspelt({f"PAWL_{name}": "x", f"pawl_{name}": "x"}) == []
    assert misspelt({f"PAWL_{name}": value for name, value in variables().items()}) == []


def test_what_the_image_and_the_command_line_take_is_not_told() -> None:
    names = ("PAWL_DEFAULTS", "PAWL_SERVER", "PAWL_TOKEN", "PAWL_DAEMON")
    assert misspelt(dict.fromkeys(names, "x")) == []


def test_variables_of_others_are_not_told() -> None:
    assert misspelt({"PROT": "1", "PAWLS": "1", "MY_PAWL_PROT": "1", "PAWLPROT": "1"}) == []


@pytest.mark.parametrize("service", ["PAWL", "PAWL_GATEWAY", "PAWL_2"])
@pytest.mark.parametrize("host", ["10.0.0.1", "[fd00::1]"])
def test_what_kubernetes_says_of_a_service_is_not_told(service: str, host: str) -> None:
    links = {
        "SERVICE_HOST": host,
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP_MAIN": "8000",
        "PORT": f"tcp://{host}:8000",
        "PORT_8000_TCP": f"tcp://{host}:8000",
        "PORT_8000_TCP_PROTO": "tcp",
        "PORT_8000_TCP_PORT": "8000",
        "PORT_8000_TCP_ADDR": host,
        "PORT_53_UDP": f"udp://{host}:53",
    }
    assert misspelt({f"{service}_{name}": value for name, value in links.items()}) == []


def test_a_port_of_a_name_that_is_not_ours_is_told_where_kubernetes_did_not_set_it() -> None:
    assert len(misspelt({"PAWL_GATEWAY_PORT": "8000"})) == 1


def test_a_setting_that_is_spelt_in_two_ways_is_told_where_they_differ() -> None:
    [line] = misspelt({"baseUrl": "a", "BASE_URL": "b", "PORT": "1", "port": "1", "PAWL_HOST": "::", "HOST": "::1"})
    assert line == "baseUrl and BASE_URL are one setting and hold different values; that of baseUrl counts"
