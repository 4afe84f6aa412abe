"""From the body of a request to the body of its answer, by way of the author's method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ElementFailed, RequestFailed
from ..formats.answers import encode_answer, encode_error, join_answers
from ..formats.variables import Decode
from ..model.refusal import refusal
from ..process.reports import Reports
from .elements import Run

_OK = 200


class Scorer:
    """Scores requests. It is as safe for concurrent use as the author's method is, for it keeps no state."""

    def __init__(self, method: Callable[[Any], Any], decode: Decode, reports: Reports, run_many: Run) -> None:
        """`run_many`: how the elements of a list are run."""
        self._method = method
        self._decode = decode
        self._reports = reports
        self._run_many = run_many

    def score(self, body: bytes) -> tuple[int, bytes]:
        """The HTTP status and the JSON that answer `body`. Never raises: not even SystemExit passes."""
        try:
            variables = self._decode(body)
            if type(variables) is list:
                return _OK, join_answers(self._run_many(self._score_one, variables))
            return _OK, self._score_one(variables)
        except ElementFailed as failed:
            failure = self._failure(failed.error)
            failure.details["index"] = failed.index
        except BaseException as error:
            failure = self._failure(error)
        return failure.status, encode_error(failure)

    def _score_one(self, variables: Any) -> bytes:
        return encode_answer(self._method(variables))

    def _failure(self, error: BaseException) -> RequestFailed:
        if isinstance(error, RequestFailed):
            return error
        return refusal(error) or self._reports.raised(error)
