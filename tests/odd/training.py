"""`train.py`, of odd code, and results that odd code leaves. Whatever it does, it ends soon: an attempt outlives its
server."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.odd.classes import LINES

BODIES = (
    *("return {'auc': 1.0}", "return None", "return {}", "return {'auc': float('nan')}", "return {'auc': 10**400}"),
    *("return {'\\ud800': 1}", "return {1: 2, None: 3}", "return {'x' * 10**6: 1}", "return {'a': 'b'}", "return 1j"),
    *("return {str(n): n for n in range(10**5)}", "return object()", "return iter(())", "yield {'auc': 1}"),
    *("raise Exception('\\ud800' * 9)", "raise SystemExit('\\ud800')", "raise KeyboardInterrupt", "1 / 0"),
    *("raise Exception('x' * 3_000_000)", "raise BaseExceptionGroup('x', [SystemExit()])", "train()"),
    *("import os; os._exit(3)", "import os; os.kill(os.getpid(), 9)", "import os; os.closerange(0, 100)"),
    "import os; os.kill(os.getppid(), 9)",
    "print('\\0\\x1b[2J\\r' * 100_000, end='')",
    "import sys; sys.stdout.buffer.write(b'\\xff' * 3_000_000); return {'auc': 1}",
    "import os; os.symlink('/', output + '/root'); return {'auc': 1}",
    "import os; os.mkfifo(output + '/pipe'); return {'auc': 1}",
    "import os; open(os.fsencode(output) + b'/\\xff\\n', 'w').close(); return {'auc': 1}",
    "import os; os.makedirs(output + '/d' * 200); return {'auc': 1}",
    "open(output + '/etls.py', 'w').write('raise Exception'); return {'auc': 1}",
    "open(output + '/manifest.json', 'w').write('['); return {'auc': 1}",
    "import shutil; shutil.rmtree(output); return {'auc': 1}",
    "import os; os.chmod(output, 0); return {'auc': 1}",
    "import os; os.chdir('/'); os.environ.clear(); return {'auc': 1}",
    "import threading; threading.Thread(target=lambda: 1 / 0).start(); return {'auc': 1}",
    "import os\n    if os.fork(): return {'auc': 1}\n    os._exit(0)",
)
SIGNATURES = ("output", "output=None, **more", "", "*, output, nothing", "output, /", "output, '", "dataset, output")


def code(line: str, signature: str, body: str) -> bytes:
    return f"{line}\ndef train({signature}):\n    {body}\n".encode()


odd_train = st.one_of(
    st.builds(code, st.just(""), st.just("output"), st.sampled_from(BODIES)),
    st.builds(code, st.sampled_from(LINES), st.sampled_from(SIGNATURES), st.sampled_from(BODIES)),
    st.sampled_from(
        (
            *(b"", b"\0", b"\xff\xfe", b"train = 1", b"train = print", b"import train", b"from train import *"),
            *(b"class A:\n def train(self): 1 / 0", b"class train: pass", b"async def train(output): pass"),
            b"if __name__ == '__main__':\n    raise Exception",
            b"if __name__ == '__main__': pass\n" + b"class A[" * 100_000,
            b"if" + b" (" * 400_000,
            b"x = 1\n" * 200_000,
        )
    ),
)
