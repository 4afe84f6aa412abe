"""What functions that the class calls may do, if requests are to interleave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.interleaving.models import why_not, with_method

SAFE_HELPERS = {
    "a function that changes what is new": (
        "def clean(df):\n    df['x'] = 1\n    return df",
        "return clean(dict(variables))",
    ),
    "a function that copies what is shared": (
        "def clean(d):\n    new = dict(d)\n    return new",
        "c = clean(self.cache); c['x'] = 1; return c",
    ),
    "a helper's object made for the request": (
        "class Row:\n    def __init__(self, x):\n        self.x = x\n    def twice(self):\n        return self.x * 2",
        "return Row(variables).twice()",
    ),
    "a dataclass": (
        "from dataclasses import dataclass, field\n"
        "@dataclass\nclass Row:\n    a: int = 1\n    b: list = field(default_factory=list)",
        "r = Row(); r.a = 2; r.b.append(1); return {'a': r.a}",
    ),
    "a decorator that counts nothing": (
        "def logged(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        log.info('x')\n"
        "        return f(*a, **k)\n    return inner\n@logged\ndef twice(x):\n    return [x, x]",
        "return twice(variables)",
    ),
    "a generator": ("def each(rows):\n    for row in rows:\n        yield {**row}", "return list(each(variables))"),
}


UNSAFE_HELPERS = {
    "a function that changes what it is given": (
        "def clean(d):\n    d['x'] = 1",
        "clean(self.cache)",
    ),
    "by keyword": ("def clean(a, *, d):\n    d['x'] = 1", "clean(1, d=self.cache)"),
    "one function further": (
        "def outer(a):\n    inner(a)\ndef inner(b):\n    b.append(1)",
        "outer(self.columns)",
    ),
    "what a function returns": ("def same(d):\n    return d", "c = same(self.cache); c['x'] = 1"),
    "what a function finds inside": ("def inside(d):\n    return d['a']", "inside(self.nested)['x'] = 1"),
    "what a function keeps inside": ("def both(d):\n    return [d, d]", "both(self.cache)[0]['x'] = 1"),
    "a global that a function returns": ("def cache():\n    return CACHE", "cache()['x'] = 1"),
    "a function that changes a global": ("def count():\n    STATE[0] += 1", "count()"),
    "a function with a lasting default": ("def seen(x, known=[]):\n    known.append(x)", "seen(1)"),
    "a function with a lasting keyword": ("def seen(x, *, known={}):\n    known[x] = 1", "seen(1)"),
    "a decorator that remembers": (
        "def memo(f):\n    known = {}\n    def inner(x):\n        known[x] = f(x)\n        return known[x]\n"
        "    return inner\n@memo\ndef twice(x):\n    return x",
        "return twice(1)",
    ),
    "a function whose results are kept": (
        "@functools.lru_cache\ndef template(kind):\n    return {}",
        "found = template('a')\nfound['x'] = 1",
    ),
    "what a function has of one whose results are kept": (
        "@functools.cache\ndef template(kind):\n    return {}\ndef fresh():\n    return template('a')",
        "fresh()['x'] = 1",
    ),
    "a closure": (
        "def counter():\n    n = [0]\n    return lambda: n.append(1)\nCOUNT = counter()",
        "COUNT()",
    ),
    "a helper class that counts": (
        "class Counter:\n    def __init__(self):\n        self.n = 0\n"
        "    def add(self):\n        self.n += 1\nC = Counter()",
        "C.add()",
    ),
    "a constructor that counts": (
        "class Row:\n    made = []\n    def __init__(self):\n        Row.made.append(1)",
        "Row()",
    ),
    "a helper that keeps what is shared": (
        "class Row:\n    def __init__(self, d):\n        self.d = d",
        "Row(self.cache).d['x'] = 1",
    ),
    "a function handed over": ("def add(row):\n    row['x'] = 1", "list(map(add, self.nested.values()))"),
    "a lambda of the module": ("add = lambda: CACHE.update(a=1)", "add()"),
    "a constructor that changes what it is given": (
        "class Row:\n    def __init__(self, d):\n        d['x'] = 1",
        "Row(self.cache)",
    ),
    "a function within that is kept": (
        "KEPT = []\ndef keep(f):\n    return f",
        "seen = []\n@keep\ndef note(x):\n    seen.append(x)\nnote(1)",
    ),
    "a closure of a function that requests call, too": (
        "def counter():\n    n = [0]\n    return lambda: n.append(1)\nCOUNT = counter()",
        "counter(); COUNT()",
    ),
    "self in a function": ("def note(model):\n    model.x = 1", "note(self)"),
    "a property": (
        "class Base:\n    @property\n    def data(self):\n        self._data = 1\n        return 1",
        "return 1",
    ),
    "a thing of the constructor's that is called later": (
        "class Late:\n    def __init__(self):\n        self.f = lambda: self.load()\n"
        "    def load(self):\n        self.x = 1",
        "Late().f()",
    ),
}


@pytest.mark.parametrize(("helper", "body"), SAFE_HELPERS.values(), ids=SAFE_HELPERS)
def test_helpers_that_change_nothing_shared_are_safe(tmp_path: Path, helper: str, body: str) -> None:
    assert why_not(tmp_path, with_method(body, extra=helper)) is None


@pytest.mark.parametrize(("helper", "body"), UNSAFE_HELPERS.values(), ids=UNSAFE_HELPERS)
def test_helpers_that_change_what_is_shared_are_unsafe(tmp_path: Path, helper: str, body: str) -> None:
    assert why_not(tmp_path, with_method(body, extra=helper)) is not None
