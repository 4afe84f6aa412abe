from __future__ import annotations

import pytest

from core.errors import ReleaseFailed
from core.manifest import Manifest, Serve, parse_manifest
from core.manifestfaults import TAKES


def test_an_empty_manifest_gives_the_defaults() -> None:
    assert parse_manifest(b"") == Manifest()
    assert Manifest().serve == Serve()


def test_what_is_written_is_read() -> None:
    manifest = parse_manifest(b"description: d\nuses: [common]\nmetadata: {a: 1}\nserve: {replicas: 2, timeout_s: 5}\n")
    assert (manifest.description, manifest.uses, manifest.metadata) == ("d", ("common",), {"a": 1})
    assert (manifest.serve.replicas, manifest.serve.timeout_s) == (2, 5.0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"sevre: {}", "sevre"),
        (b"serve: {replica: 2}", "replica"),
        (b"serve: {replicas: 0}", "serve.replicas"),
        (b"serve: {replicas: two}", "serve.replicas"),
        (b"serve: {max_batch: 4097}", "serve.max_batch"),
        (b"serve: {threads: 1025}", "serve.threads"),
        (b"serve: {timeout_s: -1}", "serve.timeout_s"),
        (b"serve: {swap: never}", "serve.swap"),
        (b"serve: {gpu_memory_mb: 0}", "serve.gpu_memory_mb"),
        (b"uses: common", "uses"),
        (b"a: [", "line 1"),
        (b"\xff\xfe\x00", "model.yaml"),
        (b"- 1", "takes keys and values"),
        (b"[" * 5000, "model.yaml"),
        (b"!!python/object:os.system {}", "model.yaml"),
        (b"metadata:\n  a: &a [x]\n  b: *a", r"line 3.*\*a"),
        (b"metadata: &m {self: *m}", r"\*m"),
        (b"metadata: {a: &a {x: 1}, b: {<<: [*a, *a]}}", r"\*a"),
    ],
)
def test_a_wrong_manifest_fails_naming_the_place(text: bytes, named: str) -> None:
    with pytest.raises(ReleaseFailed, match=named) as caught:
        parse_manifest(text)
    assert caught.value.stage == "manifest"
    assert not caught.value.heals
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("serve:\n  swap: never\n", "model.yaml, line 2: serve.swap is 'never'; it takes beside or replace"),
        ("serve: {replicas: 65}\n", "model.yaml, line 1: serve.replicas is 65; it takes a whole number from 1 to 64"),
        ("uses:\n  - a\n  - 1\n", "model.yaml, line 1: uses is ['a', 1]; it takes a list of folders' names"),
        ("metadata: {}\nserve:\n", "model.yaml, line 2: serve is empty; it takes keys and values"),
        ("metadata: {}\nsevre: {}\n", "model.yaml, line 2: unknown key 'sevre'; is 'serve' meant?"),
        ("serve:\n  threads: 1\n  x: 2\n", "model.yaml, line 3: unknown key 'serve.x'; there are replicas, threads, "),
        ("description: d\nreplicas: 2\n", "model.yaml, line 2: unknown key 'replicas'; it belongs in 'serve'"),
        ("serve:\n\treplicas: 1\n", "model.yaml, line 2: can't be read as YAML: "),
        ("metadata: {1: 2}\n", "model.yaml, line 1: metadata is {1: 2}; it takes keys, all of them text, "),
    ],
)
def test_its_author_is_told_the_line_and_what_it_takes(text: str, said: str) -> None:
    with pytest.raises(ReleaseFailed) as caught:
        parse_manifest(text.encode())
    assert str(caught.value).startswith(said)


def test_it_is_known_of_every_key_what_it_takes() -> None:
    serve = [f"serve.{key}" for key in Serve.__struct_fields__]
    assert sorted(TAKES) == sorted([*Manifest.__struct_fields__, *serve])
