"""Requirements files as pip and uv take them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from loader.environments.requirement_lines import MAX_BYTES, MAX_CHARACTERS
from loader.environments.requirements import MAX_FILES, MAX_LINES, Reading, read_requirements
from tests.loader.shop import SILENT, Shop, say


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.offer("milk", "1.0")
    shop.offer("milk", "2.0")
    shop.offer("tea", "1.0")
    return shop


def read(folder: Path, content: str | bytes, name: str = "requirements.txt") -> Reading:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_requirements(path)


def refusal(folder: Path, content: str | bytes) -> ReleaseFailed:
    with pytest.raises(ReleaseFailed) as failure:
        read(folder, content)
    assert not failure.value.heals
    return failure.value


@pytest.mark.parametrize(
    "content",
    [
        "milk==1.0\ntea\n",
        "milk==1.0\r\ntea\r\n",
        "milk==1.0\rtea",
        "\ufeffmilk==1.0\ntea",
        "milk==1.0 \ntea".encode("utf-16"),
        "\ufeffmilk==1.0\ntea".encode("utf-16-be"),
        "milk==1.0\ntea".encode("utf-32"),
        "# -*- coding: latin-1 -*-\nmilk==1.0  # für\ntea".encode("latin-1"),
        "#!/usr/bin/env pip\n# vim: set fileencoding=cp1252:\nmilk==1.0  # “\ntea".encode("cp1252"),
        "# built in C:\\build\\\nmilk==1.0\ntea",
        "  # built in C:\\build\\\nmilk==1.0\ntea",
        "milk\\\n==1.0\ntea",
        "milk == \\\n  1.0\ntea\\",
        "milk==1.0 \\\n# a comment ends it \\\ntea",
        "\n\n  milk==1.0\t\n\x0ctea # x",
    ],
)
def test_encodings_line_ends_comments_and_continuations_are_read_as_pip_does(tmp_path: Path, content: str) -> None:
    lines = [line.replace(" ", "") for line in read(tmp_path, content).wanted.lines]
    assert lines == ["milk==1.0", "tea"]


def test_a_comment_after_a_requirement_goes_on_in_the_next_line(tmp_path: Path) -> None:
    assert read(tmp_path, "milk==1.0 # \\\nmore\ntea").wanted.lines == ("milk==1.0", "tea")


def test_a_hash_sign_inside_of_a_word_begins_no_comment(tmp_path: Path) -> None:
    line = "milk @ git+https://host/milk.git@v1#egg=milk"
    assert read(tmp_path, f"{line} # comment").wanted.lines == (line,)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('--index-url "https://host/simple"', ["--index-url https://host/simple"]),
        ("-i 'https://host/simple'", ["--index-url https://host/simple"]),
        ("-ihttps://host/simple", ["--index-url https://host/simple"]),
        ("--pypi-url=https://host/simple", ["--index-url https://host/simple"]),
        (
            "--no-index --find-links https://host/wheels --only-binary=:all:",
            ["--no-index", "--find-links https://host/wheels", "--only-binary :all:"],
        ),
        ("--extra-index-url https://${TOKEN}@host/simple", ["--extra-index-url https://${TOKEN}@host/simple"]),
        ("-i https://host/s\n-i https://host/s", ["--index-url https://host/s"]),
        ("milk==1.0 --hash sha256:00 --hash='sha256:11'", ["milk==1.0 --hash=sha256:00 --hash=sha256:11"]),
        ("milk[cold, fresh]>=1; python_version > '3'", ["milk[cold, fresh]>=1; python_version > '3'"]),
        ("-e git+https://host/milk.git@1a2b#egg=milk", ["git+https://host/milk.git@1a2b#egg=milk"]),
        ("milk @ HTTPS://host/milk-1.0-py3-none-any.whl", ["milk @ HTTPS://host/milk-1.0-py3-none-any.whl"]),
    ],
)
def test_options_and_addresses_are_read_as_pip_does(tmp_path: Path, text: str, lines: list[str]) -> None:
    assert list(read(tmp_path, text).wanted.lines) == lines


def test_options_without_a_line_for_uv_are_kept(tmp_path: Path) -> None:
    wanted = read(tmp_path, "--pre --require-hashes\n--trusted-host 'a:1'\n--trusted-host b").wanted
    assert (wanted.prereleases, wanted.hashed, wanted.trusted_hosts) == (True, True, ("a:1", "b"))


def test_two_main_indexes_are_refused(tmp_path: Path) -> None:
    assert "another --index-url" in str(refusal(tmp_path, "-i https://a/s\n--index-url https://b/s"))


def test_an_option_that_changes_nothing_is_said_to(shop: Shop) -> None:
    reports: list[str] = []
    shop.environments.build(shop.write("--prefer-binary\nmilk"), reports.append)
    assert "--prefer-binary changes nothing here: the newest version is taken" in reports


@pytest.mark.parametrize(
    "line",
    [
        "./wheels/milk-1.0-py3-none-any.whl",
        "wheels/milk-1.0-py3-none-any.whl",
        "milk @ ./wheels/milk-1.0-py3-none-any.whl",
        "file:wheels/milk-1.0-py3-none-any.whl",
        "./wheels/milk-1.0-py3-none-any.whl ; python_version > '3'",
        "--no-binary :none:\n--find-links ./wheels\nmilk<2",
        "-f wheels\nmilk<2",
    ],
)
def test_packages_in_the_folder_are_installed(shop: Shop, line: str) -> None:
    shop.write("", "wheels/readme.md")
    shutil.move(shop.wheels / "milk-1.0-py3-none-any.whl", shop.folder / "models/Iris/wheels")
    environment = shop.build(line)
    assert say(environment, "import milk; print(milk.version)") == "1.0"
    assert not (environment.python.parent.parent / "packages").exists()


def test_other_packages_in_the_folder_make_another_environment(shop: Shop) -> None:
    here = shop.folder / "models/Iris/wheels/milk-1.0-py3-none-any.whl"
    path = shop.write("./wheels/milk-1.0-py3-none-any.whl")
    shop.write("", "wheels/readme.md")
    ids = set()
    for content in (b"one", b"two"):
        here.write_bytes(content)
        ids.add(shop.environments.id_of(path))
    assert len(ids) == 2


def test_files_of_a_folder_that_the_model_uses_can_be_included(shop: Shop) -> None:
    shop.write("milk<2", "base.txt", model="common")
    path = shop.write("-r ../common/base.txt\n")
    assert shop.environments.build(path, SILENT, within=shop.folder / "models").packages["milk"] == "1.0"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_hashes_are_required_of_the_author_alone(shop: Shop) -> None:
    milk = digest(shop.wheels / "milk-2.0-py3-none-any.whl")
    packages = shop.build(
        f"--require-hashes\nmilk==2.0 --hash=sha256:{milk}\nonnxruntime==1.20 --hash=sha256:{milk}"
    ).packages
    assert packages["milk"] == "2.0"
    assert packages["msgspec"] == "0.22.0"
    assert "hash" in str(shop.fail("--require-hashes\nmilk==2.0"))
    assert "Hash mismatch" in str(shop.fail(f"milk==2.0 --hash=sha256:{'0' * 64}"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"milk\n" * 2_000_000, f"longer than {MAX_BYTES} bytes"),
        (b"a\n" * 100_000, f"more than {MAX_LINES} lines"),
        (b"a" * 1_000_000, f"a line of more than {MAX_CHARACTERS} characters"),
        (b"a\\\n" * 100_000, f"a line of more than {MAX_CHARACTERS} characters"),
        (b" " * 1_000_000 + b"#", f"a line of more than {MAX_CHARACTERS} characters"),
        (b"milk\0==1", "NUL"),
        ("milk".encode("utf-16-le"), "NUL"),
        (b"milk # \xff", "is not UTF-8"),
        ("milk # “".encode("utf-16") + b"\0", "is not UTF-16"),
        (b"# coding: klingon\nmilk", "encoding is klingon"),
        (b"# coding: zip\nmilk", "encoding is zip"),
        (b"-r " + b"a" * 10_000, "no such file"),
    ],
)
def test_what_is_too_large_or_no_text_is_refused_with_a_reason(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in str(refusal(tmp_path, content))


def test_a_long_chain_of_files_is_refused(tmp_path: Path) -> None:
    for number in range(2_000):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt")
    assert f"more than {MAX_FILES} files" in str(refusal(tmp_path, "-r 0.txt"))


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    with pytest.raises(ReleaseFailed, match="is a folder"):
        read_requirements(tmp_path / "requirements.txt")
