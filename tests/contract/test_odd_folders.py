"""One model's folder doesn't hurt another: whatever it holds, the other is live, reachable and can be pushed.

`ODD_FOLDERS_EXAMPLES=1000` looks for longer, and elsewhere each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.repos import Repo
from tests.serving import Answer, Server, echo, serving

ASKED = os.environ.get("ODD_FOLDERS_EXAMPLES")

some = settings(
    max_examples=int(ASKED or "12"),
    derandomize=ASKED is None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.target] + ([Phase.shrink] if ASKED else []),
    deadline=None,
)

Files = Mapping[str, bytes]

PLAIN: Files = {"etls.py": echo("odd").encode()}

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

REFUSED = (
    *(
        "--frobnicate",
        "-e .",
        "../../x.whl",
        "./missing.whl",
        "svn+ssh://x/y",
        "-r missing.txt",
        "-r requirements.txt x",
    ),
    *("${X}", "-c /etc/passwd", "--index-url", "file:///etc/passwd", "--hash=sha256:0 --frob", "-r ../../Good/etls.py"),
)
"""Lines that are refused before a package is asked for."""

requirements = st.builds(
    lambda before, refused, after: b"\n".join((*before, refused.encode(), *after)),
    st.lists(
        st.sampled_from((b"# \0", b"\\", b"#" * 70_000, b"\xff", b" ; ", b"\r", b"\x85", "é".encode())), max_size=3
    ),
    st.sampled_from(REFUSED),
    st.lists(st.binary(max_size=12), max_size=2),
)

PREAMBLE = """
import dataclasses, enum, typing
from typing import *

class Colour(enum.Enum):
    RED = float("nan")
    BLUE = "\\ud800"
    TUPLE = (1, 2)

class Shade(str, enum.Enum):
    DARK = "\\0</script>"
    LIGHT = "\\x7f\\u202e"

@dataclasses.dataclass
class Tree:
    label: str = "\\ud800"
    weight: float = float("nan")
    limit: float = float("inf")
    shade: Shade = Shade.DARK
    children: list["Tree"] = dataclasses.field(default_factory=list)

class Typed(TypedDict, total=False):
    \xe9: "Typed"

@dataclasses.dataclass
class Deep:
    a: "list[int]"

T = TypeVar("T")

@dataclasses.dataclass
class Generic_(Generic[T]):
    of: T
    kind: Literal["\\ud800", 1, None] = None

@dataclasses.dataclass
class Odd_:
    x: int = 10**400
    y: bytes = b"\\xff"
    z: bytes | None = None

Odd_.__doc__ = "\\ud800"
Odd_.__name__ = Odd_.__qualname__ = "<b> ~1/#"
"""

ANNOTATIONS = (
    *(
        "Tree",
        "Typed",
        "Generic_",
        "Generic_[int]",
        "Odd_",
        "Deep",
        "Colour",
        "'Missing'",
        "'\\ud800'",
        "1",
        "float('nan')",
    ),
    *("Tree | None", "list[Tree]", "dict[str, 'Tree']", "Annotated[Tree, object()]", "lambda: 1", "...", "[1, [2]]"),
    *(
        "Literal['\\ud800']",
        "type",
        "T",
        "print('x') or int",
        "1 / 0",
        "Tree()",
        "Union[int, str, Tree]",
        "'x' * 100_000",
    ),
)
DOCSTRINGS = (
    *(
        "'plain'",
        "'\\ud800'",
        "'\\0\\x1b[2J'",
        "'x' * 3_000_000",
        "1",
        "None",
        "b'x'",
        "['x']",
        "'</script><b>'",
        "'\\n' * 10**5",
    ),
    *("type('S', (str,), {})('x')", "float('nan')", "'😀' * 1000", "'\\ud83d\\ude00'", "property(lambda self: 1 / 0)"),
)
NAMES = ("Odd", "Ünï", "ﬁne", "_", "transform_predict", "X" * 3000, "print", "Exception", "變數")
ANSWERS = (
    *(
        "variables",
        "{}",
        "None",
        "float('nan')",
        "'\\ud800'",
        "10**400",
        "{1: 2}",
        "{float('nan'): 1}",
        "{(): 1}",
        "self",
    ),
    *(
        "b'\\xff'",
        "[[]] * 10",
        "{'\\ud800': 1}",
        "object",
        "iter(())",
        "1 / 0",
        "exec('raise SystemExit(3)')",
        "1j",
        "Tree()",
    ),
    *("exec('raise KeyboardInterrupt')", "exec('raise Exception(chr(0xd800))')", "exec('a=[]; a.append(a)') or 1"),
)
LINES = (
    "",
    "__name__ = '\\ud800'",
    "__all__ = 1",
    "class Meta(type):\n    __hash__ = None\nclass Unhashable(metaclass=Meta): pass",
    "class Liar:\n    def __getattr__(self, name): raise RuntimeError(name)\nliar = Liar()",
    "def __getattr__(name): raise RuntimeError(name)",
    "class Bad(Exception):\n    def __str__(self): raise self\nraise Bad()",
    "raise Exception('\\ud800' * 9)",
    "raise Exception('x' * 3_000_000)",
    "raise SystemExit('\\ud800')",
    "raise BaseExceptionGroup('x', [KeyboardInterrupt()])",
    "def f(): f()\nf()",
    "print('\\0\\x1b[2J' * 1000)",
    "import sys; sys.stdout.buffer.write(b'\\xff\\r\\n' * 9)",
    "import sys; sys.stdout = sys.stderr = None",
    "import sys; sys.modules['json'] = sys.modules['msgspec'] = None",
    "import sys; sys.setrecursionlimit(40)",
    "import os; os._exit(3)",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "import os; os.closerange(0, 100)",
    "import builtins; builtins.str = int; builtins.open = None",
    "import gc; gc.freeze(); gc.disable()",
    "import os; os.chdir('/'); os.environ.clear()",
    "import threading; threading.Thread(target=lambda: 1 / 0).start()",
    "import warnings; warnings.simplefilter('error')",
    "# -*- coding: rot13 -*-",
    "x = (" + "(" * 300,
    "x = " + "-" * 20_000 + "1",
)


def _etls(line: str, name: str, doc: str, takes: str, gives: str, answer: str) -> bytes:
    return "\n".join(
        (
            PREAMBLE,
            line,
            f"class {name}:",
            f"    def transform_predict(self, variables: {takes} = None) -> {gives}:",
            f"        return {answer}",
            f"{name}.__doc__ = {doc}",  # Python takes no half character in the class's body
        )
    ).encode()


odd_etls = st.one_of(
    st.builds(
        _etls,
        st.sampled_from(LINES),
        st.sampled_from(NAMES),
        st.sampled_from(DOCSTRINGS),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANSWERS),
    ),
    st.builds(
        _etls,
        st.just(""),
        st.sampled_from(NAMES),
        st.sampled_from(DOCSTRINGS),
        st.sampled_from(("Tree", "Typed", "Generic_", "Odd_", "dict")),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANSWERS),
    ),
    st.sampled_from((b"", b"\0", b"\xff\xfe", b"class", b"\xef\xbb\xbfclass X: pass", b"x = 1\r" * 1000)),
)

file_names = st.sampled_from(
    (
        *(
            "a b",
            "-x",
            "\n",
            '"',
            "'",
            "\\",
            "é",
            "e\u0301",
            "😀",
            "\u202e",
            "a" * 255,
            "...",
            "~",
            "$(x)",
            "*",
            "%00",
            "\x7f",
        ),
        *(
            "x.onnx",
            ".onnx",
            "json.py",
            "msgspec.py",
            "etls",
            "__init__.py",
            "MODEL.YAML",
            "sitecustomize.py",
            ".gitattributes",
        ),
        *("etls.py/x", "model.yaml/x", "examples.json/x", "requirements.txt/x", "worker.py", "d/" * 40 + "x"),
    )
)
folder_names = st.sampled_from(
    (
        *(
            "all",
            "docs",
            "openapi.json",
            "metrics",
            "v2",
            "-",
            "good",
            "Good ",
            " ",
            "a b",
            "é",
            "😀",
            "\n",
            "%2e",
            "v1",
            "0",
        ),
        *(
            "A" * 255,
            "A" * 200,
            "a..b",
            "a.",
            ".x",
            "__pycache__",
            "<b>",
            "'",
            '"',
            "\\",
            "app",
            "Good.git",
            "index.html",
        ),
    )
)


@dataclass(frozen=True)
class Push:
    """What is pushed beside the good model."""

    files: Files
    """Of the folder `Odd`."""
    folders: tuple[str, ...] = ()
    """More of them, with the same in them."""
    together: bool = False
    """Whether the good model changes in the same commit, not in the next one."""


@st.composite
def pushes(draw: st.DrawFn) -> Push:
    files = dict(PLAIN)
    for name, content in (("model.yaml", manifests), ("examples.json", examples), ("etls.py", odd_etls)):
        if draw(st.integers(0, 2)) == 0:
            files[name] = draw(content)
    if draw(st.integers(0, 5)) == 0:
        files["requirements.txt"] = draw(requirements)
    for name in draw(st.lists(file_names, max_size=2)):
        clashes = {each for each in files if each == name.split("/")[0] or each.split("/")[0] == name}
        files = {each: content for each, content in files.items() if each not in clashes}
        files[name] = draw(st.sampled_from((b"", b"x", b"raise Exception", b"* filter=lfs text eol=crlf ident\n")))
    return Push(files, tuple(draw(st.lists(folder_names, max_size=1))), draw(st.booleans()))


def manifest(text: str) -> Push:
    return Push({**PLAIN, "model.yaml": text.encode()})


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("odd") / "models")
    repo.write("Good/etls.py", echo("0")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


numbered = count(1)


@pytest.mark.timeout(0 if ASKED else 120)
@some
@given(push=pushes())
@example(push=manifest("serve: {timeout_s: .inf}"))
@example(push=manifest(r'description: "\ud83d\ude00"'))
@example(push=manifest(r'description: "\ud800"'))
@example(push=manifest("{yes: 1}"))
@example(push=manifest("metadata: {yes: 1, ~: 2, .nan: .nan}"))
@example(push=Push({"etls.py": _etls("", "Odd", r"'\ud800'", "Tree", "Odd_", "variables")}))
@example(push=Push({"etls.py/x": b"", "model.yaml/x": b"", "x.onnx": b""}, ("all", "good", "\n"), together=True))
def test_an_odd_folder_does_not_hurt_another_model(repo: Repo, server: Server, push: Push) -> None:
    number = str(next(numbered))
    _write(repo, push)
    if not push.together:
        repo.commit()
        server.look()
    repo.write("Good/etls.py", echo(number)).commit()
    server.sync()
    assert server.score("Good", say=number) == {"said": number, "by": number}
    _ask_the_odd(server)
    assert_whole(server)


def test_a_folder_of_odd_types_is_served(repo: Repo, server: Server) -> None:
    _write(repo, Push({"etls.py": _etls("", "Odd", "'plain'", "Tree", "Odd_", "{'label': variables.label[:0]}")}))
    repo.commit()
    server.sync()
    assert server.state("Odd")["failure"] is None
    assert server.score("Odd") == {"label": ""}
    assert_whole(server)


def test_after_odd_folders_a_restart_serves_the_others_at_once(repo: Repo, server: Server) -> None:
    number = str(next(numbered))
    _write(repo, Push({**PLAIN, "model.yaml": b"serve: {timeout_s: .inf}", "etls.py": b"\0"}, ("all", "\n", "0")))
    repo.write("Good/etls.py", echo(number)).commit()
    server.sync()
    server.stop()
    with serving(repo.path.parent / "data", repo.path) as again:
        assert again.score("Good", say="again") == {"said": "again", "by": number}
        again.sync()
        assert_whole(again)


def assert_whole(server: Server) -> None:
    """All that tells of the models can be read, and nothing but a model was lost."""
    assert server.request("GET", f"{server.url}/readyz").status == 200
    assert "Good" in strict(server.get("/"))["models"]
    assert f"{server.settings.base}/Good" in strict(server.get("/openapi.json"))["paths"]
    for path in ("/-/api/models", "/-/api/models/Good", "/-/api/events?limit=1000"):
        assert strict(server.admin("GET", path)), path
    models = server.models()
    for name in models:
        strict(server.admin("GET", f"/-/api/models/{name}"))
    for path in ("/", "/docs"):
        page = server.get(path, {"accept": "text/html"})
        assert page.status == 200, (path, page)
        assert page.body.decode()
    metrics = server.request("GET", f"{server.url}/metrics")
    assert metrics.status == 200, metrics
    assert list(text_string_to_metric_families(metrics.body.decode()))
    assert not server.events("gateway_lost")
    assert "Task exception was never retrieved" not in server.log


def strict(answer: Answer) -> dict[str, object]:
    """The JSON of a good answer, as a reader takes it who knows neither NaN nor half characters."""
    assert answer.status == 200, answer
    content = msgspec.json.decode(answer.body)
    assert isinstance(content, dict)
    return content


def _write(repo: Repo, push: Push) -> None:
    """Leave that and the good model in the working tree."""
    repo.git("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", ".")
    for path in list(repo.path.iterdir()):
        if path.name not in (".git", "Good"):
            _remove(path)
    for folder in ("Odd", *push.folders):
        for name, content in push.files.items():
            repo.write(f"{folder}/{name}", content)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for each in path.iterdir():
            _remove(each)
        path.rmdir()
    else:
        path.unlink()


def _ask_the_odd(server: Server) -> None:
    """Its answers, whatever they are, are answers."""
    for body in (b"{}", b'{"variables": {"say": "\\ud83d\\ude00"}}', b'{"variables": [{"label": 1}, {}]}'):
        answer = server.post("/Odd", raw=body)
        assert answer.status >= 200, answer
        msgspec.json.decode(answer.body)
