"""How the author's code refuses a request: it raises an exception with an integer `status_code` of 400 to 499, as
Starlette's and FastAPI's HTTPException is."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import Refused
from ..tracebacks import bounded, in_words

_STATUSES = range(400, 500)


def refusal(error: BaseException) -> Refused | None:
    """What the caller is told; None for an exception that is a failure."""
    try:
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or isinstance(status, bool) or status not in _STATUSES:
            return None
        return Refused(bounded(_message(error)), int(status))
    except Exception:  # attributes of an exception may be the author's code
        return None


def _message(error: BaseException) -> str:
    detail: Any = getattr(error, "detail", None)
    if isinstance(detail, str):
        return detail or in_words(error)
    if detail is None:
        return str(error) or in_words(error)
    return msgspec.json.encode(detail, enc_hook=str).decode()
