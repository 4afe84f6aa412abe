"""`etls.py`, of odd types, names, docstrings, answers and side effects."""

from __future__ import annotations

from hypothesis import strategies as st

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


def etls(line: str, name: str, doc: str, takes: str, gives: str, answer: str) -> bytes:
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
        etls,
        st.sampled_from(LINES),
        st.sampled_from(NAMES),
        st.sampled_from(DOCSTRINGS),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANSWERS),
    ),
    st.builds(
        etls,
        st.just(""),
        st.sampled_from(NAMES),
        st.sampled_from(DOCSTRINGS),
        st.sampled_from(("Tree", "Typed", "Generic_", "Odd_", "dict")),
        st.sampled_from(ANNOTATIONS),
        st.sampled_from(ANSWERS),
    ),
    st.sampled_from((b"", b"\0", b"\xff\xfe", b"class", b"\xef\xbb\xbfclass X: pass", b"x = 1\r" * 1000)),
)
