"""What is wrong in a `model.yaml`, as its author wants to read it: the line, the key, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
import yaml

from core.manifest.plain_yaml import Document, shortened

TAKES = {
    "description": "text",
    "metadata": "keys, all of them text, and values",
    "uses": "a list of folders' names, such as [common]",
    "serve": "keys and values",
    "serve.replicas": "a whole number from 1 to 64",
    "serve.threads": "a whole number from 0 to 1024",
    "serve.concurrent": "true or false",
    "serve.timeout_s": "a number of seconds above 0, at most 86400",
    "serve.memory_mb": "a whole number of megabytes from 1 to 16777216",
    "serve.max_batch": "a whole number from 1 to 4096",
    "serve.max_queue": "a whole number from 1 to 100000",
    "serve.swap": "beside or replace",
    "serve.variables": "dict or dataframe",
    "serve.device": "auto, cpu, cuda or cuda:N",
    "serve.gpu_memory_mb": "a whole number of megabytes from 1 to 16777216",
    "train": "keys and values",
    "train.entry": "the name of a function or class",
    "train.params": "keys that are names of arguments, and values",
    "train.model_params": "keys that are names of arguments, and values",
    "train.dataset": "a path in the folder, or a URL",
    "train.validation": "a path in the folder, or a URL",
    "train.metric": "the name of a score",
    "train.direction": "maximize or minimize",
    "train.target": "min or max, such as {min: 0.9}",
    "train.target.min": "a number",
    "train.target.max": "a number",
    "train.over_live": "a number of at least 0",
    "train.resources": "keys and values",
    "train.resources.cpu": "a number of cores above 0, at most 1024, such as 2 or 500m",
    "train.resources.memory": "a size such as 2Gi or 500M",
    "train.resources.gpu": "a whole number from 0 to 64",
    "train.timeout_s": "a number of seconds above 0, at most 2592000",
    "train.pending_s": "a number of seconds above 0, at most 2592000",
    "train.retries": "a whole number from 0 to 100",
    "train.schedule": "a time of five fields as cron takes it, such as '0 3 * * *', in UTC",
    "train.priority": "a whole number from -1000000 to 1000000",
    "train.priority_class": "the name of a PriorityClass",
    "train.supersede": "queued, running or none",
    "train.image": "an image's name",
    "train.env_from": "a list of at most 50 names of Secrets and ConfigMaps, such as [secret/warehouse]",
    "train.queue": "the name of a LocalQueue",
    "train.workers": "a whole number from 1 to 1024",
    "train.search": "keys and values, params among them",
    "train.search.params": "keys that are names of arguments, and what each may be",
    "train.search.trials": "a whole number from 1 to 10000",
    "train.search.parallel": "a whole number from 1 to 256",
    "train.search.seed": "a whole number from 0 to 4294967295",
    "train.search.sampler": "the name of a sampler",
    "train.search.pruner": "the name of a pruner",
}
"""Every key that a manifest may have."""


def misfit(error: msgspec.ValidationError, document: Document) -> str:
    """Like `line 2: serve.swap is 'never'; it takes beside or replace`."""
    if unknown := _UNKNOWN.fullmatch(str(error)):
        path = [*_split(unknown["at"]), unknown["key"]]
        return f"line {_line(document, path)}: unknown key {shortened('.'.join(path))!r}; {_instead(path)}"
    place = _VALUE.search(str(error))
    path = _split(place["at"]) if place else []
    if not path:
        return f"takes keys and values, such as 'description: what it predicts' ({error})"
    return f"{_found(document, path)}; it takes {TAKES['.'.join(path)]}"


def wrong_value(document: Document, path: Sequence[str], why: str) -> str:
    """Like `line 2: train.schedule is 'daily'; it has 1 fields, not five; it takes a time of five fields`."""
    return f"{_found(document, path)}; {why}; it takes {TAKES['.'.join(path)]}"


def no_yaml(error: yaml.YAMLError, text: bytes) -> str:
    """Like `line 2: can't be read as YAML: mapping values are not allowed here`."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"can't be read as YAML: {str(error).splitlines()[0]}"
    said = [part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part]
    line = min(mark.line + 1, len(text.splitlines()) or 1)  # the end of the file counts as a line of its own
    return f"line {line}: can't be read as YAML: {' '.join(said)}"


def _instead(path: Sequence[str]) -> str:
    """What may have been meant."""
    among = [name.split(".")[-1] for name in TAKES if name.split(".")[:-1] == list(path[:-1])]
    if close := get_close_matches(shortened(path[-1]), among, n=1):
        return f"is {close[0]!r} meant?"
    if elsewhere := [name for name in TAKES if name.split(".")[-1] == path[-1]]:
        return f"it belongs in {elsewhere[0].rpartition('.')[0] or 'no section'!r}"
    return f"there are {', '.join(among)}"


def _found(document: Document, path: Sequence[str]) -> str:
    return f"line {_line(document, path)}: {'.'.join(path)} is {_shown(_value(document.content, path))}"


def _line(document: Document, path: Sequence[str]) -> int:
    """Where the key is, from 1; as near as can be told."""
    known = (document.lines.get(tuple(path[:length])) for length in range(len(path), 0, -1))
    return next((line for line in known if line is not None), 1)


def _value(content: Any, path: Sequence[str]) -> Any:
    for name in path:
        content = content[name]
    return content


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    return shortened(repr(value))


def _split(place: str | None) -> list[str]:
    """`.serve.replicas` or `.uses[1]` as the names in it."""
    return re.findall(r"\.(\w+)", place or "")


_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*?)`(?: - at `\$(?P<at>[^`]*)`)?", re.DOTALL)
_VALUE = re.compile(r" - at (?:`key` in )?`\$(?P<at>[^`]*)`$")
