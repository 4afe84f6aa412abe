from __future__ import annotations

import json
import sys

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import ReleaseFailed
from core.manifest.errors import TAKES
from core.manifest.manifest import Manifest, Serve, parse_manifest
from core.manifest.train import Resources, Search, Target, Train


def test_an_empty_manifest_gives_the_defaults() -> None:
    assert parse_manifest(b"") == Manifest()
    assert Manifest().serve == Serve()


def test_what_is_written_is_read() -> None:
    manifest = parse_manifest(b"description: d\nuses: [common]\nmetadata: {a: 1}\nserve: {replicas: 2, timeout_s: 5}\n")
    assert (manifest.description, manifest.uses, manifest.metadata) == ("d", ("common",), {"a": 1})
    assert (manifest.serve.replicas, manifest.serve.timeout_s) == (2, 5.0)


def test_a_tag_says_of_which_kind_a_value_is() -> None:
    manifest = parse_manifest(b"metadata: {a: !!int '3', b: !!float 2, c: !!bool yes, d: !!null '', e: !!str 4}")
    assert manifest.metadata == {"a": 3, "b": 2.0, "c": True, "d": None, "e": "4"}


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
        (b"serve: {timeout_s: .inf}", "serve.timeout_s"),
        (b"serve: {timeout_s: 86401}", "serve.timeout_s"),
        (b"serve: {max_queue: 100001}", "serve.max_queue"),
        (b"serve: {memory_mb: 16777217}", "serve.memory_mb"),
        (b'serve: {device: "cuda:1\\n"}', "serve.device"),
        (b'uses: [""]', "uses"),
        (b"uses: [" + b"a," * 101 + b"]", "uses"),
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
        ("serve:\n\treplicas: 1\nuses: []\n\n", "model.yaml, line 2: can't be read as YAML: "),
        ("serve:\n  threads: 1\nserve: {}\n", "model.yaml, line 3: serve comes a second time; keep one"),
        (
            "metadata: {a: [{yes: 1}]}\n",
            "model.yaml, line 1: metadata.a[0] is {True: 1}; it takes keys, all of them text, ",
        ),
        ("metadata: {a: {~: 1}}\n", "model.yaml, line 1: metadata.a is {None: 1}; it takes keys, all of them text, "),
        ("metadata: {[1]: 1}\n", "model.yaml, line 1: a key in metadata is not text; every key must be text"),
        ("metadata: {a: .nan}\n", "model.yaml, line 1: metadata.a is .nan; takes finite numbers"),
        (
            "metadata: {a: 18446744073709551616}\n",
            "model.yaml, line 1: metadata.a is 18446744073709551616; takes whole ",
        ),
        (
            "metadata: {a: !!binary aGk=}\n",
            "model.yaml, line 1: the tag !!binary is not taken here; write a plain value",
        ),
        ("metadata: {a: !!set {b}}\n", "model.yaml, line 1: the tag !!set is not taken here; write a plain value"),
        ('description: "\\ud83d"\n', "model.yaml, line 1: can't be read as YAML: "),
        ("{}\n---\n{}\n", "model.yaml, line 2: a second document begins; takes one"),
        ("metadata: {1: 2}\n", "model.yaml, line 1: metadata is {1: 2}; it takes keys, all of them text, "),
    ],
)
def test_its_author_is_told_the_line_and_what_it_takes(text: str, said: str) -> None:
    with pytest.raises(ReleaseFailed) as caught:
        parse_manifest(text.encode())
    assert str(caught.value).startswith(said)


def test_a_character_that_is_escaped_as_json_escapes_it_is_that_character() -> None:
    text = json.dumps({"description": "great 😀 \\ud83d"})
    assert parse_manifest(text.encode()).description == "great 😀 \\ud83d"


def test_scalars_are_what_authors_take_them_for() -> None:
    text = (
        b"metadata: {'on': yes, off_: no, hex: 0x1F, million: 1_000_000, half: .5, day: 2024-01-01, time: 1:30, "
        b"five: !!str 5, rate: 1e-3, large: 1.5E6, tiny: -.5e-300, build: 12e4567, zip: 0129}"
    )
    assert parse_manifest(text).metadata == {
        "on": True,
        "off_": False,
        "hex": 31,
        "million": 1_000_000,
        "half": 0.5,
        "day": "2024-01-01",
        "time": "1:30",
        "five": "5",
        "rate": 0.001,
        "large": 1.5e6,
        "tiny": -0.5e-300,
        "build": "12e4567",
        "zip": "0129",
    }


@pytest.mark.parametrize(
    "text",
    [
        b"metadata: {a: " + b"1:" * 300_000 + b"1}",
        b"metadata: {a: " + b"9" * 600_000 + b"}",
        b"metadata: {a: 0x" + b"f" * 600_000 + b"}",
        b"{a: 1, " * 100_000,
        b"? " * 400_000,
        b"- " * 400_000,
        b"#" * 10_000_000,
        b"k" * 900_000 + b": 1",
    ],
    ids=["base sixty", "digits", "hexadecimal digits", "mappings", "keys", "lists", "size", "key"],
)
def test_the_work_on_a_manifest_and_what_is_said_of_it_are_bounded(text: bytes) -> None:
    calls = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        said = str(parse_manifest(text).metadata["a"])[:9]
    except ReleaseFailed as failure:
        said = str(failure)
    finally:
        sys.setprofile(None)
    assert len(said) < 600
    assert calls < 10_000


KEYS = st.sampled_from(
    ["description", "metadata", "uses", "serve", "train", "a", "yes", "~", "1", "1.5", "<<", "=", "''"]
)
SCALARS = st.one_of(
    st.sampled_from(
        [
            ".inf",
            "-.Inf",
            ".nan",
            "1.0e+999",
            "1e999",
            "0777",
            "0b101",
            "0x_",
            "1:1:1",
            "2024-01-01",
            "~",
            "",
            "yes",
            "'",
            '"\\ud83d\\ude00"',
            '"\\ud83d"',
            '"\\0"',
            "!!binary aGk=",
            "!!timestamp 2024-01-01",
            "!!float 1",
            "!x y",
            "*a",
            "&a b",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=20),
    st.text(max_size=20).map(json.dumps),
)
YAML = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(st.tuples(KEYS | inner, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
MANIFESTS = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(KEYS, YAML, max_size=4).map(
        lambda pairs: "\n".join(f"{key}: {value}" for key, value in pairs.items()).encode("utf-8", "surrogatepass")
    ),
)


@given(MANIFESTS)
@example(b"metadata: {a: {yes: 1}}")
@example(b"metadata: {a: 1.0e+999}")
def test_whatever_a_manifest_holds_is_what_json_holds_or_is_refused_in_a_line(text: bytes) -> None:
    try:
        manifest = parse_manifest(text)
    except ReleaseFailed as failure:
        said = str(failure)
        assert said.startswith("model.yaml")
        assert "\n" not in said
        msgspec.json.encode(said)
    else:
        assert msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest) == manifest


def test_it_is_known_of_every_key_what_it_takes() -> None:
    sections = {
        "serve.": Serve,
        "train.": Train,
        "train.target.": Target,
        "train.resources.": Resources,
        "train.search.": Search,
    }
    inner = [f"{name}{key}" for name, section in sections.items() for key in section.__struct_fields__]
    assert sorted(TAKES) == sorted([*Manifest.__struct_fields__, *inner])


def test_a_section_without_keys_trains_by_default() -> None:
    assert parse_manifest(b"train: {}").train == Train()
    assert parse_manifest(b"description: d").train is None


def test_every_key_of_how_a_model_is_trained_is_read() -> None:
    train = parse_manifest(
        b"""
train:
  entry: Classifier
  params: {depth: 6}
  model_params: {seed: 1}
  dataset: data/train.csv
  validation: s3://bucket/validation.csv
  metric: accuracy
  direction: minimize
  target: {max: 0.1}
  over_live: 0
  resources: {cpu: 500m, memory: 1.5Gi, gpu: 1}
  timeout_s: 60
  pending_s: 5
  retries: 0
  schedule: 0 3 * * 1-5
  priority: -3
  priority_class: batch
  supersede: running
  image: registry.example/pawl:1
  env_from: [secret/warehouse, settings]
  queue: team-a
  workers: 2
  search: {params: {depth: [1, 2]}, trials: 3}
"""
    ).train
    assert train is not None
    assert train != Train()
    assert train.resources.memory_bytes == 3 * 2**29
    assert (train.target, train.over_live, train.params) == (Target(max=0.1), 0.0, {"depth": 6})
    assert train.env_from == ("secret/warehouse", "settings")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  depth: 6", "line 2: unknown key 'train.depth'; there are entry, params, "),
        ("  taget: {min: 1}", "line 2: unknown key 'train.taget'; is 'target' meant?"),
        ("  target: {mni: 1}", "line 2: unknown key 'train.target.mni'; is 'min' meant?"),
        ("  target:\n    min: 1\n    max: high", "line 4: train.target.max is 'high'; it takes a number"),
        ("  target: {}", "line 2: train.target is {}; it has neither min nor max; it takes min or max"),
        ("  target: {min: 2, max: 1}", "line 2: train.target is {'min': 2, 'max': 1}; no number is at least"),
        ("  schedule: daily", "line 2: train.schedule is 'daily'; it has 1 fields, not five; it takes a time"),
        ("  schedule: 0 0 30 2 *", "line 2: train.schedule is '0 0 30 2 *'; it never comes; it takes a time"),
        ("  schedule: 61 * * * *", "line 2: train.schedule is '61 * * * *'; "),
        ("  schedule: 0 0 * * 8", "line 2: train.schedule is '0 0 * * 8'; '8' is not a weekday"),
        ("  resources: {memory: 2Zi}", "line 2: train.resources.memory is '2Zi'; it takes a size such as 2Gi"),
        (
            "  resources: {memory: '0'}",
            "line 2: train.resources.memory is '0'; it is no byte at all; it takes a size such",
        ),
        ("  resources: {memory: 0.0Gi}", "line 2: train.resources.memory is '0.0Gi'; it is no byte at all; it takes a"),
        ("  resources: {memory: 0.9}", "line 2: train.resources.memory is 0.9; it takes a size such as 2Gi"),
        ("  resources: {memory: 99999Ti}", "line 2: train.resources.memory is '99999Ti'; it is more than a machine"),
        ("  resources: {memory: -1Gi}", "line 2: train.resources.memory is '-1Gi'; it takes a size such as 2Gi"),
        ("  resources: {cpu: 0m}", "line 2: train.resources.cpu is '0m'; it takes a number of cores"),
        ("  resources: {cpu: 9999999m}", "line 2: train.resources.cpu is '9999999m'; it takes a number of cores"),
        ("  resources: {cpu: 0}", "line 2: train.resources.cpu is 0; it takes a number of cores"),
        ("  resources: {gpu: 65}", "line 2: train.resources.gpu is 65; it takes a whole number from 0 to 64"),
        ("  params: {a b: 1}", "line 2: train.params is {'a b': 1}; it takes keys that are names of arguments"),
        ("  params: [1]", "line 2: train.params is [1]; it takes keys that are names of arguments"),
        ("  direction: up", "line 2: train.direction is 'up'; it takes maximize or minimize"),
        ("  over_live: -1", "line 2: train.over_live is -1; it takes a number of at least 0"),
        ("  timeout_s: 0", "line 2: train.timeout_s is 0; it takes a number of seconds above 0"),
        ("  retries: 101", "line 2: train.retries is 101; it takes a whole number from 0 to 100"),
        ("  supersede: all", "line 2: train.supersede is 'all'; it takes queued, running or none"),
        ("  env_from: [/etc/passwd]", "line 2: train.env_from is ['/etc/passwd']; it takes a list"),
        ("  search: {trials: 3}", "line 2: train.search is {'trials': 3}; it takes keys and values, params among them"),
        ("  dataset:\n  entry: 1", "line 3: train.entry is 1; it takes the name of a function or class"),
    ],
)
def test_an_author_is_told_what_is_wrong_in_how_a_model_is_trained(text: str, said: str) -> None:
    with pytest.raises(ReleaseFailed) as caught:
        parse_manifest(f"train:\n{text}\n".encode())
    assert str(caught.value).removeprefix("model.yaml, ").startswith(said)
