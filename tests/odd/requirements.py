"""`requirements.txt`, refused before a package is asked for."""

from __future__ import annotations

from hypothesis import strategies as st

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
