from __future__ import annotations

import re

import pytest

from server.pages.dashboard.manifest.form import ManifestForm, blank, filled

TEXT = b"""\
description: Chance of a dispute  # for the catalogue
serve:
  replicas: 2  # two cores
  swap: replace
train: {metric: auc}
"""


def sent(form: ManifestForm, **changes: str) -> dict[str, str]:
    """What a browser sends of the form as it is, but for the changes."""
    values = {field.name: field.value for field in form.fields}
    return values | {f"v.{name.replace('__', '.')}": value for name, value in changes.items()}


def after(**changes: str) -> tuple[ManifestForm, bytes]:
    return filled(TEXT, sent(blank(TEXT, as_text=False), **changes))


def test_a_form_that_nobody_changed_leaves_the_text() -> None:
    assert after() == (blank(TEXT, as_text=False), TEXT)


@pytest.mark.parametrize(
    "text",
    [
        b"description: '  Chance  '\nserve: {timeout_s: 1234.5678}\n",
        b'description: "one\\r\\ntwo\\tthree\\n"\nserve: {replicas: 2, timeout_s: 10.5}\n',
        b"metadata: {a: 2020-01-01, b: 1.5e300, c: 0x10}\nserve: {}\n",
    ],
)
def test_what_nobody_touched_stays_as_it_is_written(text: bytes) -> None:
    form, after = filled(text, sent(blank(text, as_text=False)))
    assert (form.is_wrong, after) == (False, text)


def test_a_choice_offers_each_of_its_values_once_and_what_is_written_besides() -> None:
    form = blank(b"serve: {swap: replace, variables: frame}\n", as_text=False)
    offered = {field.name: field.choices for field in form.fields if field.kind == "choice"}
    assert offered == {
        "v.serve.concurrent": ("true", "false"),
        "v.serve.swap": ("beside", "replace"),
        "v.serve.variables": ("dict", "dataframe", "frame"),
    }


def test_a_field_that_was_not_sent_stays() -> None:
    _, text = filled(TEXT, {"v.serve.replicas": "3"})
    assert _spaced(text.decode()) == _spaced(TEXT.decode().replace("replicas: 2", "replicas: 3"))


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"serve__replicas": "3"}, "replicas: 2 ", "replicas: 3 "),
        ({"serve__swap": ""}, "  swap: replace\n", ""),
        ({"serve__concurrent": "false"}, "swap: replace\n", "swap: replace\n  concurrent: false\n"),
        ({"serve__device": "cuda:1"}, "swap: replace\n", "swap: replace\n  device: cuda:1\n"),
        ({"metadata": '{"owner": "risk"}'}, "auc}\n", "auc}\nmetadata:\n  owner: risk\n"),
        ({"description": "no"}, "Chance of a dispute ", '"no" '),
    ],
)
def test_a_changed_field_changes_its_line(changes: dict[str, str], old: str, new: str) -> None:
    form, text = after(**changes)
    assert not form.is_wrong
    assert _spaced(text.decode()) == _spaced(TEXT.decode().replace(old, new))


def _spaced(text: str) -> str:
    """A comment keeps its column, not its distance."""
    return re.sub(" +#", " #", text)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("serve.replicas", "100", "'100' was sent; it takes a whole number from 1 to 64"),
        ("serve.replicas", "two", "'two' was sent; it takes a whole number from 1 to 64"),
        ("serve.device", "gpu", "'gpu' was sent; it takes auto, cpu, cuda or cuda:N"),
        ("metadata", "[1]", "'[1]' was sent; it takes keys, all of them text, and values"),
        ("metadata", "{", "'{' was sent; it takes keys, all of them text, and values"),
        ("metadata", '{"a": NaN}', "takes keys"),
    ],
)
def test_what_can_not_be_taken_is_said_at_its_field(name: str, value: str, says: str) -> None:
    form, text = after(**{name.replace(".", "__"): value})
    [wrong] = [field for field in form.fields if field.error]
    assert (wrong.label, wrong.value, text) == (name, value, TEXT)
    assert says in wrong.error


def test_the_text_can_be_edited_as_it_is_and_what_is_wrong_is_said_with_its_line() -> None:
    assert filled(TEXT, {"text": "description: x\r\n"}) == (ManifestForm((), "description: x\r\n"), b"description: x\n")
    assert "line 1: unknown key 'descripton'" in filled(TEXT, {"text": "descripton: x"})[0].error


def test_a_file_with_the_lines_of_windows_keeps_them() -> None:
    windows = TEXT.replace(b"\n", b"\r\n")
    _, text = filled(windows, sent(blank(windows, as_text=False), serve__replicas="3"))
    assert text.count(b"\r\n") == text.count(b"\n") == TEXT.count(b"\n")


def test_a_file_that_is_no_yaml_is_shown_as_text() -> None:
    form = blank(b"description: [", as_text=False)
    assert form.fields == ()
    assert "can't be read" in form.error
