"""Manifests, `model.yaml`, of odd values, keys and shapes."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = (
    *("", " ", "~", "null", "yes", "1:30", "190:20:30", "2024-02-30", "2024-01-01T00:00:00Z", "<<", "=", "on", "\\"),
    *(".inf", "-.INF", ".nan", "1e999", "-0", "-0.0", "1e-400", "5e-324", "09", "0o17", "+.5", "1_0.0", "0x1_0000"),
    *("9" * 25, "-" + "9" * 25, "9" * 5000, "18446744073709551616", "9223372036854775808", "-9223372036854775809"),
    *('"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\0"', '"\\x1b[31m"', '"\\u2028"', "'</script>'", "😀"),
    *("!!binary aGk=", "!!set {a}", "!!timestamp x", "!!python/none x", "!odd x", "!!float 1", "!!int .nan", "*a"),
    *("&a x", "|\n    a\n    b", ">-\n    long", "x" * 100_000, "'{{ 7*7 }}'", "../../etc", "/", ".", "..", "Good"),
    *("1", "2", "0", "-1", "1.5", "true", "false", "dict", "dataframe", "beside", "replace", "cpu", "cuda:9", "auto"),
)
"""Scalars, as YAML has them. None is a number of workers that would fill the machine."""

SERVE = (
    *("replicas", "threads", "concurrent", "timeout_s", "memory_mb", "max_batch", "max_queue", "swap", "variables"),
    *("device", "gpu_memory_mb"),
)
TRAIN = (
    *("entry", "params", "model_params", "dataset", "validation", "metric", "direction", "target", "over_live"),
    *("resources", "timeout_s", "pending_s", "retries", "schedule", "priority", "priority_class", "supersede"),
    *("image", "env_from", "queue", "search"),
)
TOP = ("description", "metadata", "uses", "serve", "train")

scalars = st.sampled_from(TEXTS)
keys = st.one_of(
    st.sampled_from(("a", "b", "~", "1", "yes", "1.5", ".nan", '"\\ud800"', "? [a]\n", "<<", "!!int 1", "''"))
)
flow = st.recursive(
    scalars.filter(lambda text: "\n" not in text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(found)}]"),
        st.lists(st.tuples(keys, inner), max_size=3).map(
            lambda found: "{" + ", ".join(f"{key.strip()}: {value}" for key, value in found) + "}"
        ),
    ),
    max_leaves=5,
)
values = st.one_of(scalars, flow)


def _mapping(known: tuple[str, ...], indent: str = "") -> st.SearchStrategy[str]:
    """Lines of known keys, mostly, with anything behind them."""
    names = st.one_of(st.sampled_from(known), st.sampled_from(known), keys)
    lines = st.lists(st.tuples(names, values), min_size=1, max_size=2)
    return lines.map(lambda found: "".join(f"{indent}{name}: {value}\n" for name, value in found))


train_sections = st.one_of(
    _mapping(TRAIN, "  ").map(lambda text: f"train:\n{text}".encode()),
    st.builds(lambda key, value: f"train: {{{key}: {value}}}".encode(), st.sampled_from(TRAIN), flow),
    values.map(lambda text: f"train: {text}".encode()),
    st.sampled_from(
        (
            b"train: {search: {params: {a: [1, 2]}, trials: 2}}",
            b"train: {search: {params: {a: {low: .inf, high: -.inf}}}}",
            b'train: {search: {params: {a: ["\\ud800", ~, {}]}}}',
            b"train: {schedule: '* * * * *', dataset: ../../../etc}",
            b"train: {schedule: '0 0 30 2 *'}",
            b"train: {dataset: 'http://127.0.0.1:1/x', validation: '\\0'}",
            b"train: {dataset: 'file:///proc/self/mem'}",
            b"train: {dataset: examples.json, target: {min: .nan}}",
            b"train: {params: {output: 1, a: .nan}}",
            b"train: {resources: {cpu: 1e-300, memory: 1}}",
            b"train: {resources: {cpu: 1024, memory: 999999999999999Ti}}",
            b"train: {timeout_s: 1e-9, retries: 100}",
        )
    ),
)
manifests = st.one_of(
    _mapping(TOP).map(lambda text: text.encode()),
    _mapping(SERVE, "  ").map(lambda text: f"serve:\n{text}".encode()),
    st.builds(lambda key, value: f"serve: {{{key}: {value}}}".encode(), st.sampled_from(SERVE), flow),
    st.builds(lambda value: f"description: {value}\nmetadata: {{a: {value}}}".encode(), flow),
    values.map(str.encode),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=40),
    st.sampled_from(
        (
            b"metadata: " + b"[" * 60 + b"]" * 60,
            b"metadata: " + b"[" * 20_000,
            b"metadata: " + b"{a: " * 5_000,
            b"a: &a [x]\nb: &b [*a, *a]\nmetadata: {c: [*b, *b]}",
            b"\xff\xfed\x00e\x00",
            b"\xef\xbb\xbfdescription: x",
            b"description: a\ndescription: b",
            b"--- {}\n--- {}",
            b"%YAML 9.9\n--- {}",
            b"uses: [Odd]",
            b"uses: [Good]",
            b"uses: [Good, Good, ../Good, '', /etc, Missing]",
            b"description: " + b"x" * 2_000_000,
            b"\t\n",
        )
    ),
)
