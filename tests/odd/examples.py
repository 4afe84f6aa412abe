"""`examples.json`, of odd JSON and of what is none."""

from __future__ import annotations

from hypothesis import strategies as st

numbers = st.sampled_from(
    ("NaN", "-Infinity", "1e999", "-0", "9" * 5000, "0.1e1", "1E400", "01", "18446744073709551616")
)
strings = st.sampled_from(
    ('"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"</script>"', '""', '"\ufeff"', '"' + "x" * 9999 + '"')
)
odd_json = st.recursive(
    st.one_of(numbers, strings, st.sampled_from(("null", "true", "{}", "[]", "1", "nul", "'a'"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(found)}]"),
        st.lists(
            st.tuples(st.one_of(st.sampled_from(('"variables"', '"answer"', '"say"', '"expect"')), strings), inner),
            max_size=3,
        ).map(lambda found: "{" + ", ".join(f"{key}: {value}" for key, value in found) + "}"),
    ),
    max_leaves=6,
)
examples = st.one_of(
    odd_json.map(lambda text: f'[{{"variables": {{"say": {text}}}}}]'.encode()),
    odd_json.map(lambda text: f'[{{"variables": {{"say": 1}}, "expect": {text}}}]'.encode()),
    odd_json.map(lambda text: f"[{text}]".encode()),
    odd_json.map(str.encode),
    st.binary(max_size=20),
    st.sampled_from((b"[" * 50_000, b'{"a":' * 5_000, b"\xef\xbb\xbf[]", b"", b"[" + b"{}," * 3000 + b"{}]")),
)
