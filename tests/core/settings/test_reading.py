from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingError
from core.settings.reading import read_settings, scrubbed
from core.settings.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.base, settings.sync_seconds) == (
        "127.0.0.1",
        8000,
        "/models_serve",
        30,
    )


@pytest.mark.parametrize(
    "name", ["baseUrl", "BASE_URL", "baseurl", "BASEURL", "Base_Url", "PAWL_BASE_URL", "pawl_baseUrl"]
)
def test_case_and_underscores_of_a_name_do_not_matter(name: str) -> None:
    assert read_settings({name: "one/two"}).base == "/one/two"


def test_names_of_an_older_tool_are_read_and_ours_win() -> None:
    older = {"DAEMONSECS": "7", "usergit": "ada", "password": "secret"}
    assert (read_settings(older).sync_seconds, read_settings(older).gitpassword) == (7, "secret")
    ours = read_settings(older | {"SYNC_SECONDS": "9", "gitpassword": "other"})
    assert (ours.sync_seconds, ours.gitpassword) == (9, "other")
    assert scrubbed(older) == {"DAEMONSECS": "7"}


def test_a_variable_called_password_is_the_repositorys_only_beside_its_user() -> None:
    alone = {"password": "of the model's", "PASSWORD": "another"}
    assert (read_settings(alone).gitpassword, scrubbed(alone)) == ("", alone)
    assert read_settings({"PASSWORD": "another", "usergit": "ada"}).gitpassword == ""


def test_the_prefixed_name_wins() -> None:
    assert read_settings({"PORT": "1", "PAWL_PORT": "2"}).port == 2


@pytest.mark.parametrize(
    ("value", "base"),
    [("", ""), ("/", ""), ("/a/", "/a"), ("a/b", "/a/b"), ("models_serve", "/models_serve"), ("app", "/app")],
)
def test_the_base_may_have_any_number_of_segments(value: str, base: str) -> None:
    assert read_settings({"baseUrl": value}).base == base


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", None),
        ("127.0.0.1:3550", ("127.0.0.1", 3550)),
        ("[::1]:65535", ("::1", 65535)),
        ("box-1.lan:0", ("box-1.lan", 0)),
    ],
)
def test_an_address_for_operators_has_a_host_and_a_port(value: str, address: tuple[str, int] | None) -> None:
    assert read_settings({"ADMIN_BIND": value}).admin_address == address


def test_an_empty_variable_is_not_set() -> None:
    assert read_settings({"PORT": "", "gitPath": ""}) == Settings()


def test_quotes_around_a_value_are_no_part_of_it_but_of_a_password() -> None:
    quoted = {"PORT": '"81"', "DATA_DIR": '"/data"', "HOST": "'0.0.0.0'", "gitPath": '"https://git.example/m.git"'}
    settings = read_settings(quoted)
    assert (settings.port, settings.data_dir, settings.host) == (81, "/data", "0.0.0.0")
    assert settings.git_path == "https://git.example/m.git"
    assert read_settings({"DATA_DIR": "it's"}).data_dir == "it's"
    assert read_settings({"gitpassword": "'p'", "ADMIN_TOKEN": '"t"'}) == Settings(gitpassword="'p'", admin_token='"t"')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("port", "70000"),
        ("SYNC_SECONDS", "0"),
        ("GATEWAYS", "0"),
        ("DEVICE", "gpu"),
        ("PAWL_VARIABLES", "list"),
        ("baseUrl", "a b"),
        ("baseUrl", "/a//b"),
        ("baseUrl", "../up"),
        ("MAX_BODY_MB", "-1"),
        ("LOG_LEVEL", "loud"),
        ("SYNC_SECONDS", "inf"),
        ("SYNC_SECONDS", "nan"),
        ("START_TIMEOUT_S", "1e400"),
        ("MAX_BODY_MB", "4096"),
        ("MAX_BUFFERED_MB", "99999999999999999999"),
        ("GATEWAYS", "257"),
        ("CORS_ORIGINS", "shop.example"),
        ("CORS_ORIGINS", "https://*.shop.example"),
        ("CORS_ORIGINS", "https://shop.example/path"),
        ("CORS_ORIGINS", "*, https://shop.example"),
        ("CORS_ORIGINS", "null"),
        ("AUTH", "yes"),
        ("baseUrl", "healthz"),
        ("baseUrl", "/metrics/"),
        ("baseUrl", "app/predict"),
        ("ADMIN_BIND", "127.0.0.1:65536"),
        ("ADMIN_BIND", "127.0.0.1:99999"),
        ("ADMIN_BIND", "127.0.0.1"),
        ("ADMIN_BIND", ":3550"),
        ("ADMIN_BIND", "3550"),
        ("ADMIN_BIND", "::1:3550"),
        ("ADMIN_BIND", "http://127.0.0.1:3550"),
    ],
)
def test_a_wrong_value_names_the_variable_what_it_held_and_what_it_takes(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is {value!r}; it takes ")
    assert "\n" not in message
    assert "Annotated" not in message
    assert "msgspec" not in message


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://Shop.example", ("https://shop.example",)),
        (
            "https://a:443/, http://b:80 http://c:8080,https://d",
            ("https://a", "http://b", "http://c:8080", "https://d"),
        ),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
    ],
)
def test_origins_are_compared_as_browsers_write_them(value: str, origins: tuple[str, ...]) -> None:
    assert read_settings({"CORS_ORIGINS": value}).origins == origins


def test_every_setting_says_what_it_takes() -> None:
    for field in Settings.__struct_fields__:
        if not isinstance(getattr(Settings(), field), str):
            with pytest.raises(SettingError, match=r"it takes (a|one|dict|debug)"):
                read_settings({field: "?"})


@pytest.mark.parametrize("url", ["", "sqlite:////data/registry.db", "postgres://u:p@h/db", "postgresql://h/db"])
def test_databases_that_are_known_are_taken(url: str) -> None:
    assert read_settings({"DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize("url", ["mysql://u:secret@h/db", "registry.db", "sqlite://", "secret"])
def test_a_database_that_is_not_known_stops_the_start_without_its_password_being_shown(url: str) -> None:
    with pytest.raises(SettingError, match=r"DATABASE_URL is \(hidden\); it takes sqlite:///PATH or postgresql://"):
        read_settings({"DATABASE_URL": url})


def test_children_see_no_secret() -> None:
    environ = {
        "gitpassword": "s",
        "PAWL_ADMIN_TOKEN": "s",
        "Webhook_Secret": "s",
        "DATABASE_URL": "s",
        "gitPath": "s",
        "usergit": "s",
        "PATH": "/bin",
        "PORT": "1",
    }
    assert scrubbed(environ) == {"PATH": "/bin", "PORT": "1"}
    assert scrubbed({"PAWL_TOKEN": "the command line's", "TOKEN": "an author's"}) == {"TOKEN": "an author's"}
    assert scrubbed({"PAWL_DEFAULTS": "HOST=0.0.0.0 ADMIN_TOKEN=s"}) == {}


@pytest.mark.parametrize("link", ["tcp://10.0.0.1:8000", "tcp://[fd00::1]:8000", "udp://10.0.0.1:53"])
def test_the_port_that_kubernetes_makes_up_for_a_service_named_pawl_is_ignored(link: str) -> None:
    assert read_settings({"PAWL_PORT": link, "PORT": "81"}).port == 81
    assert read_settings({"PAWL_PORT": link}) == Settings()


def test_words_come_in_any_case_and_numbers_in_quotes() -> None:
    settings = read_settings(
        {"LOG_LEVEL": "INFO", "DEVICE": "CUDA:1", "VARIABLES": "Dict", "PORT": '"81"', "GATEWAYS": "'2'"}
    )
    assert (settings.log_level, settings.device, settings.variables) == ("info", "cuda:1", "dict")
    assert (settings.port, settings.gateways) == (81, 2)


def test_an_empty_variable_leaves_the_default_of_the_place() -> None:
    place = {"PAWL_DEFAULTS": "HOST=0.0.0.0 DATA_DIR=/data"}
    settings = read_settings({**place, "HOST": "", "DATA_DIR": ""})
    assert (settings.host, settings.data_dir) == ("0.0.0.0", "/data")
    assert read_settings({**place, "HOST": "::1"}).host == "::1"


def test_a_wrong_default_of_the_place_is_said_to_be_one() -> None:
    with pytest.raises(SettingError, match=r"^PORT in PAWL_DEFAULTS is 'x'; it takes a port number"):
        read_settings({"PAWL_DEFAULTS": "PORT=x"})


def test_the_data_dir_may_be_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert read_settings({"DATA_DIR": "~/pawl"}).data == Path("/home/ada/pawl")
