"""By which code it is told why an upload changes nothing."""

from __future__ import annotations

from core.errors import PawlError
from loader.sources.changes import HeadMoved, NotWritable
from server.steering.actions.error_codes import code_of
from server.uploads.archive import ArchiveInvalid
from server.uploads.errors import DiskFull, NameTaken, NotExamined, TooManyUploads

UPLOAD_CODES: dict[type[Exception], str] = {
    HeadMoved: "conflict",
    NotWritable: "not_writable",
    ArchiveInvalid: "invalid_archive",
    NameTaken: "invalid_name",
    TooManyUploads: "overloaded",
    DiskFull: "overloaded",
    NotExamined: "overloaded",
}


def upload_code_of(error: BaseException) -> str:
    """Of the nearest kind that the table has."""
    own = next((UPLOAD_CODES[kind] for kind in type(error).__mro__ if kind in UPLOAD_CODES), None)
    return own or (code_of(error) if isinstance(error, PawlError) else "internal")
