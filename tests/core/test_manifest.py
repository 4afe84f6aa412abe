from __future__ import annotations

import pytest

from core.errors import ReleaseFailed
from core.manifest import Manifest, Serve, parse_manifest


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
        (b"serve: {threads: 1025}", "serve.threads"),
        (b"serve: {timeout_s: -1}", "serve.timeout_s"),
        (b"serve: {swap: never}", "serve.swap"),
        (b"uses: common", "uses"),
        (b"a: [", "line 1"),
        (b"\xff\xfe\x00", "model.yaml"),
        (b"- 1", "object"),
        (b"[" * 5000, "model.yaml"),
        (b"!!python/object:os.system {}", "model.yaml"),
        (b"metadata:\n  a: &a [x]\n  b: *a", r"\*a.*line 3"),
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
