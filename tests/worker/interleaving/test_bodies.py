"""What the body of a method may do while requests interleave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.interleaving.models import why_not, with_method

SAFE = {
    "a result built of locals": """
        rows = []
        for name in self.columns:
            rows.append(variables.get(name, 0.0))
        feed = {"x": np.array([rows], dtype=np.float32)}
        y = self.session.run(None, feed)[0]
        return {"score": float(y[0, 0])}
        """,
    "a local frame gets a column": """
        import pandas as pd
        df = pd.DataFrame([variables])
        df["ratio"] = df["a"] / df["b"]
        df.loc[0, "c"] = 1
        df = df.fillna(0).reindex(columns=self.columns)
        df["d"] = 1
        df.drop(columns=["a"], inplace=True)
        return df.to_dict()
        """,
    "the variables are changed": """
        variables["a"] = 1
        variables.pop("b", None)
        variables.setdefault("c", []).append(1)
        return variables
        """,
    "arrays are computed with": """
        x = np.asarray(variables["x"], dtype=np.float32)
        x = (x - self.mean) / 2
        x[0] = 0
        x += 1
        z = np.dot(x, self.mean)
        x[:, None][0] = z
        return {"x": x}
        """,
    "an answer is changed": """
        y = self.session.run(None, {"x": variables})[0]
        y[y < 0] = 0
        y.sort()
        return y
        """,
    "a model's answer is changed": """
        y = self.session.predict(variables)
        y[0] = 1
        row = y[0]
        row[0] = 2
        return y
        """,
    "comprehensions": """
        pairs = {name: variables[name] for name in self.columns if name in variables}
        pairs["z"] = [value for value in pairs.values()]
        return {k: v for k, v in pairs.items()}
        """,
    "logging": """
        log.info("called with %s", variables)
        logging.getLogger("x").warning("no")
        print(variables)
        return {}
        """,
    "class constants and plain attributes": """
        total = self.count
        total += self.FACTOR * LIMIT
        name = self.names[0]
        return {"total": total, "name": name, "label": LABELS[0], "labels": list(LABELS)}
        """,
    "a copy of a shared dict is changed": """
        merged = dict(self.cache)
        merged["a"] = 1
        other = {**self.cache, "b": 2}
        other.update(variables)
        third = self.cache.copy()
        third["x"] = 1
        fourth = deepcopy(self.nested)
        fourth["a"]["b"].append(1)
        names = sorted(self.columns)
        names.append("x")
        more = self.columns + ["z"]
        more.append("y")
        return [merged, other, third, names]
        """,
    "a counter of the method's own": """
        count = 0
        while count < 3:
            count += 1
        (first, *rest), last = [1, 2], 3
        first += 1
        rest.append(last)
        return {"count": count, "first": first}
        """,
    "a function of its own": """
        found = []
        def note(row):
            found.append(row)
            return row
        rows = list(map(note, variables["rows"]))
        return sorted(rows, key=lambda row: row["a"])
        """,
    "with and try": """
        try:
            with open("/dev/null") as stream:
                text = stream.read()
        except OSError as error:
            return {"error": str(error)}
        if (n := len(text)) > 3:
            return {"n": n}
        return {}
        """,
    "an instance of a library's class": """
        from collections import Counter, defaultdict
        counts = Counter()
        counts.update(variables)
        groups = defaultdict(list)
        groups["a"].append(1)
        return {"n": counts.most_common(1), "g": groups}
        """,
    "matching": """
        match variables:
            case {"kind": kind, **rest}:
                rest["x"] = kind
                return rest
            case [first, *others]:
                others.append(first)
                return others
        return {}
        """,
    "a random number": """
        return {"x": random.random(), "y": np.random.rand(3), "h": isinstance(self, Model)}
        """,
    "an empty method": "return {}",
    "files that are read, and buffers": """
        import io, pathlib
        with open("names.csv") as file, pathlib.Path("x").open("rb") as other:
            rows = file.read(), other.read()
        buffer = io.StringIO()
        self.frame.rename(columns={}).to_csv(buffer, sep=";")
        image = self.images.open(io.BytesIO(rows[1]))
        return {"csv": buffer.getvalue(), "again": self.frame.to_csv(sep=";"), "image": image.size}
        """,
    "numpy's functions with all but an output": """
        x = np.clip(np.dot(variables, self.mean), 0, 1)
        x = np.concatenate((x, self.mean), 0).dot(self.mean)
        return {"x": np.nan_to_num(np.sum(x, 0), copy=False)}
        """,
    "another frame": """
        frame = self.frame.set_index("a").add_prefix("b")
        frame["c"] = 1
        return frame.to_dict()
        """,
}


UNSAFE = {
    "an attribute": "self.last = variables",
    "an attribute in place": "self.count += 1",
    "an element": "self.cache[str(variables)] = 1",
    "an element of an element": 'self.nested["a"]["b"] = 1',
    "a deletion": 'del self.cache["a"]',
    "append": "self.columns.append(1)",
    "update": "self.cache.update(variables)",
    "pop": 'self.cache.pop("a", None)',
    "setdefault": 'self.cache.setdefault("a", 1)',
    "fill": "self.buffer.fill(0)",
    "a slice": "self.buffer[:] = variables",
    "an array in place": "self.buffer += 1",
    "an alias": "cache = self.cache; cache['a'] = 1",
    "an alias of an alias": "a = self.cache; b = a; b['a'] = 1",
    "an alias by tuple": "a, b = self.cache, 1; a['x'] = b",
    "an alias by tuple of unknown": "a, b = [self.cache, self.cache]; a['x'] = b",
    "an alias in a branch": "c = self.cache if variables else {}; c['a'] = 1",
    "an alias by or": "c = variables or self.cache; c['a'] = 1",
    "an alias of self": "me = self; me.x = 1",
    "an alias in place": "c = self.columns; c += [1]",
    "an alias by walrus": "(c := self.cache)['a'] = 1",
    "a walrus in a comprehension": "[c := self.cache for _ in range(1)]; c['a'] = 1",
    "a view": "view = self.buffer[1:]; view[0] = 1",
    "a reshaped view": "self.buffer.reshape(3, 1)[0] = 1",
    "asarray": "x = np.asarray(self.buffer); x[0] = 1",
    "an array in place by name": "x = self.buffer; x += 1",
    "out": "np.add(variables, 1, out=self.buffer)",
    "out with an alias": "b = self.buffer; np.add(variables, 1, out=b)",
    "copyto": "np.copyto(self.buffer, variables)",
    "shuffle": "random.shuffle(self.columns)",
    "heappush": "heapq.heappush(self.columns, 1)",
    "next": "next(self.columns)",
    "setattr": "setattr(self, 'x', 1)",
    "object.__setattr__": "object.__setattr__(self, 'x', 1)",
    "__dict__": "self.__dict__['x'] = 1",
    "vars": "vars(self)['x'] = 1",
    "the class": "Model.last = variables",
    "the class by type": "type(self).last = variables",
    "the class by __class__": "self.__class__.last = 1",
    "a class attribute": "self.shared['x'] = 1",
    "a global": "global LIMIT; LIMIT = 4",
    "a global in place": "global LIMIT; LIMIT += 4",
    "a global's element": "CACHE['a'] = 1",
    "a global's element in place": "STATE[0] += 1",
    "a global's method": "LABELS.append('c')",
    "an alias of a global": "cache = CACHE; cache['a'] = 1",
    "globals": "globals()['x'] = 1",
    "exec": "exec('x = 1')",
    "a module's attribute": "logging.thing = 1",
    "a module imported here": "import json; json.thing = 1",
    "os.environ": "import os; os.environ['X'] = '1'",
    "a seed": "np.random.seed(1)",
    "a for target": "for self.x in variables: pass",
    "a for target's element": "for self.cache['x'] in variables: pass",
    "an element in a loop": "for row in self.nested.values(): row['x'] = 1",
    "an element in a comprehension": "[row.update(variables) for row in self.nested.values()]",
    "items": "for _, row in self.nested.items(): row['x'] = 1",
    "enumerate": "for _, row in enumerate(self.columns): row.append(1)",
    "zip": "for row, _ in zip(self.columns, variables): row.append(1)",
    "get": "self.nested.get('a', {})['b'] = 1",
    "a default of get": "variables.get('x', self.cache)['a'] = 1",
    "a with target": "with open('/dev/null') as self.f: pass",
    "a shallow copy's element": "c = dict(self.nested); c['a']['x'] = 1",
    "a shallow copy's element by copy": "c = copy(self.nested); c['a']['x'] = 1",
    "a shallow copy's element by method": "c = self.nested.copy(); c['a']['x'] = 1",
    "a list of shared things": "for each in [self.cache, {}]: each['x'] = 1",
    "a dict of shared things": "d = {'x': self.cache}; d['x']['y'] = 1",
    "a container filled with shared things": "d = {}; d['x'] = self.cache; d['x']['y'] = 1",
    "a list filled with shared things": "d = []; d.append(self.cache); d[0]['y'] = 1",
    "an unpacked dict's element": "d = {**self.nested}; d['a']['y'] = 1",
    "a matched value": "match self.nested:\n    case {'a': inner}:\n        inner['x'] = 1",
    "a matched whole": "match self.cache:\n    case whole:\n        whole['x'] = 1",
    "self handed on": "import json; json.dump(self, variables)",
    "self handed on by keyword": "variables['f'](x=self)",
    "an alias of self handed on": "me = self; log.info(me); functools.reduce(me)",
    "a lambda that changes": "list(map(lambda row: row.update(a=1), self.nested.values()))",
    "a lambda over self": "f = lambda: self.cache.update(a=1); f()",
    "a function within": "def f():\n    self.x = 1\nf()",
    "a function within that changes its argument": "def f(c):\n    c['x'] = 1\nf(self.cache)",
    "nonlocal": "x = 1\ndef f():\n    nonlocal x\n    x = 2\nf()",
    "in place by name": "self.buffer.add_(1)",
    "inplace": "self.frame.drop(columns=['a'], inplace=True)",
    "accessors": "self.frame.loc[0, 'a'] = 1",
    "fit": "self.scaler.fit(variables)",
    "inplace on an accessor": "self.frame.values[0] = 1",
    "a second construction": "self.__init__()",
    "super's setattr": "super().__setattr__('x', 1)",
    "a class's method on something shared": "dict.update(self.cache, a=1)",
    "a method handed on": "list(map(self.columns.append, variables))",
    "a method kept in a name": "add = self.columns.append; add(1)",
    "a method by getattr": "getattr(self.columns, 'append')(1)",
    "the logger's level": "logging.getLogger('x').level = 1",
    "the decimal context": "import decimal; decimal.getcontext().prec = 3",
    "a seed by its own name": "from random import seed; seed(1)",
    "stdout": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    pass",
    "a ufunc's third argument": "np.add(1, 2, self.buffer)",
    "an unpacked argument": "def f(*xs):\n    xs[0]['a'] = 1\nf(*[self.cache])",
    "an output by position": "np.clip(variables, 0, 1, self.buffer)",
    "an output by position of dot": "np.dot(variables, 1, self.buffer)",
    "an output by position of a method": "variables.dot(1, self.buffer)",
    "an output of concatenate": "np.concatenate((variables,), 0, self.buffer)",
    "in place for want of a copy": "np.nan_to_num(self.buffer, copy=False)",
    "an array that is no copy": "np.array(self.buffer, copy=False)[0] = 1",
    "strides": "np.lib.stride_tricks.as_strided(self.buffer)[0] = 1",
    "overwriting": "import scipy_like\nscipy_like.inv(self.buffer, overwrite_a=True)",
    "a packed buffer": "import struct; struct.pack_into('i', self.buffer, 0, 1)",
    "a filled buffer": "variables.readinto(self.buffer)",
    "a chosen element": "random.choice(self.nested)['x'] = 1",
    "a way into what is nested": "import operator\nfunctools.reduce(operator.getitem, 'a', self.nested)['x'] = 1",
    "an item getter": "import operator\noperator.itemgetter('a')(self.nested)['x'] = 1",
    "a sum of lists": "sum(self.nested.values(), [])[0]['x'] = 1",
    "values of keys": "dict.fromkeys('ab', self.cache)['a']['x'] = 1",
    "a library's function handed over": "import operator\nlist(map(operator.setitem, [self.cache], 'a', 'b'))",
    "a partial": "import operator\nf = functools.partial(operator.setitem, self.cache, 'a')\nf(1)",
    "a method by its name": "import operator\noperator.methodcaller('append', 1)(self.columns)",
    "a handler": "log.addHandler(logging.NullHandler())",
    "what a verb begins": "self.tokenizer.enable_truncation(variables)",
    "a database": "self.db.execute('insert into seen values (1)')",
    "a database's cursor": "cursor = self.db.cursor()\ncursor.execute('insert into seen values (1)')",
    "a file": "with open('/tmp/x', 'w') as file:\n    file.write('x')",
    "a file with a mode that is computed": "open('/tmp/x', variables['mode'])",
    "a path's file": "import pathlib\npathlib.Path('/tmp/x').open('w')",
    "a path's text": "import pathlib\npathlib.Path('/tmp/x').write_text('x')",
    "a saved array": "np.save('/tmp/x.npy', variables)",
    "a saved frame": "self.frame.to_csv('/tmp/' + variables['name'])",
    "a figure that all share": "import matplotlib.pyplot as plt\nplt.plot(variables)",
    "local names by text": "locals()['self'].x = 1",
    "an import by text": "__import__('os').environ['X'] = '1'",
    "an alarm": "import signal; signal.alarm(1)",
    "a state of random numbers": "random.setstate(variables)",
    "a global by an import": "global json; import json",
    "a global by a function": "global found\ndef found(): return variables",
    "a global by a class": "global Found\nclass Found: pass",
    "a global by a match": "global found\nmatch variables:\n    case found: pass",
    "a global by an except": "global found\ntry:\n    variables()\nexcept ValueError as found:\n    pass",
    "a keyword argument": "def f(**xs):\n    xs['c']['a'] = 1\nf(c=self.cache)",
}


@pytest.mark.parametrize("body", SAFE.values(), ids=SAFE)
def test_what_stays_within_a_request_is_safe(tmp_path: Path, body: str) -> None:
    assert why_not(tmp_path, with_method(body)) is None


@pytest.mark.parametrize("body", UNSAFE.values(), ids=UNSAFE)
def test_what_another_request_could_see_is_unsafe(tmp_path: Path, body: str) -> None:
    why = why_not(tmp_path, with_method(body))
    assert why is not None
    assert "author_etls.py, line" in why
