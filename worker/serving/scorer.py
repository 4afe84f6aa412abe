"""From the body of a request to the body of its answer, by way of the author's method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ElementFailed, RequestFailed
from ..formats.codecs import Codec
from ..formats.pawl_json.variables import Decode
from ..model.refusal import refusal
from ..process.reports import Reports
from .elements import Run

_OK = 200


class Scorer:
    """Scores requests of one format. Keeps no state: whether it can be used concurrently is up to the method."""

    def __init__(
        self, method: Callable[[Any], Any], decode: Decode, codec: Codec, reports: Reports, run_many: Run
    ) -> None:
        """`decode` and `codec`: of that format. `run_many`: how the elements of a list are run."""
        self._method = method
        self._decode = decode
        self._encode, self._join, self._encode_error = codec.encode, codec.join, codec.encode_error
        self._reports = reports
        self._run_many = run_many

    def score(self, body: bytes) -> tuple[int, bytes]:
        """The HTTP status and the body that answer `body`. Never raises: not even SystemExit passes."""
        try:
            variables = self._decode(body)
            if type(variables) is list:
                return _OK, self._join(self._run_many(self._score_one, variables))
            return _OK, self._score_one(variables)
        except ElementFailed as failed:
            failure = self._failure(failed.error)
            failure.details["index"] = failed.index
        except BaseException as error:
            failure = self._failure(error)
        return failure.status, self._encode_error(failure)

    def _score_one(self, variables: Any) -> bytes:
        return self._encode(self._method(variables))

    def _failure(self, error: BaseException) -> RequestFailed:
        if isinstance(error, RequestFailed):
            return error
        return refusal(error) or self._reports.raised(error)
