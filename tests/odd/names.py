"""Odd names of files and folders."""

from __future__ import annotations

from hypothesis import strategies as st

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
