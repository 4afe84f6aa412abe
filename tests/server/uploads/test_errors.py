from __future__ import annotations

import errno
from pathlib import Path

import pytest

from server.uploads.error_codes import upload_code_of
from server.uploads.errors import not_kept


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_path_and_what_to_do(number: int) -> None:
    refused = not_kept(OSError(number, "it is full"), Path("/data/uploads"))
    assert upload_code_of(refused) == "overloaded"
    assert "/data/uploads: it is full; make room" in str(refused)


def test_what_else_a_disk_refuses_is_no_reason_to_try_again() -> None:
    refused = not_kept(OSError(errno.EROFS, "read-only", "/data/uploads/a"), Path("/data/uploads"))
    assert (upload_code_of(refused), "/data/uploads/a: read-only" in str(refused)) == ("internal", True)
