from __future__ import annotations

from pathlib import Path

from core.settings.reading import DEFAULTS, read_settings
from core.settings.settings import Settings
from tests.dockerfile import environment

EXAMPLE = Path(__file__).parents[2] / "env.example"


def variables() -> dict[str, str]:
    lines = (line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_the_example_lists_every_setting_once_and_nothing_else() -> None:
    listed = sorted(name.replace("_", "").lower() for name in variables())
    assert listed == sorted(field.replace("_", "") for field in Settings.__struct_fields__)


def test_the_example_holds_the_defaults() -> None:
    assert read_settings(variables()) == Settings()


def test_the_example_given_whole_to_a_container_leaves_its_address_and_folder() -> None:
    settings = read_settings({**environment(), **variables()})
    assert DEFAULTS not in variables()
    assert (settings.host, settings.data_dir) == ("0.0.0.0", "/data")
    assert (settings.port, settings.base, settings.git_path) == (8000, "/models_serve", "")
