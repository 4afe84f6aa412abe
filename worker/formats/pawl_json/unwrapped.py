"""What to say of a body that has keys, and among them no `variables`: a misspelt one and another server's form would
else be answered from a model's defaults."""

from __future__ import annotations

import msgspec

from ...errors import InvalidVariables

FORM = '{"variables": {…}}'
_LIST_FORM = '{"variables": [{…}, …]}'

_OTHERS = frozenset(
    {
        *("instances", "signature_name"),  # TensorFlow Serving, SageMaker, Vertex AI
        "inputs",  # the Open Inference Protocol, MLflow
        *("dataframe_split", "dataframe_records", "columns"),  # MLflow
        *("data", "input", "inputs_batch", "payload"),
    }
)
_MOST_SHOWN = 3
_LONGEST_SHOWN = 30

_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def unwrapped(body: bytes) -> InvalidVariables | None:
    """The refusal of a body that is a JSON object without `variables`; None for an empty one."""
    keys = list(_decode_keys(body))
    return InvalidVariables(f'the body has no key "variables"; {_advice(keys)}') if keys else None


def _advice(keys: list[str]) -> str:
    if misspelt := _misspelt(keys):
        return f'it has "{misspelt}": is "variables" meant? Send {FORM}'
    if foreign := next((key for key in keys if key in _OTHERS), None):
        return f'"{foreign}" is the form of another server. Send {FORM}, or {_LIST_FORM} for several'
    shown = ", ".join(f'"{key[:_LONGEST_SHOWN]}": …' for key in keys[:_MOST_SHOWN])
    more = ", …" if len(keys) > _MOST_SHOWN else ""
    return f'wrap what the model takes: {{"variables": {{{shown}{more}}}}}'


def _misspelt(keys: list[str]) -> str | None:
    from difflib import get_close_matches  # only here, for it is needed only for a refusal

    lowered = {key.strip().lower(): key for key in keys if len(key) <= _LONGEST_SHOWN}
    close = get_close_matches("variables", lowered, n=1, cutoff=0.7)
    return lowered[close[0]] if close else None
