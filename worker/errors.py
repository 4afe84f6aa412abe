"""What goes wrong in a worker, by name. The HTTP status of an answer is chosen here, the worker's edge."""

from __future__ import annotations

from typing import Any, ClassVar


class LoadFailed(Exception):
    """The folder can't be served. The message is its author's to act on: the file, the line, what to do.

    `heals`: whether the same folder could do better on another try.
    """

    def __init__(self, message: str, heals: bool = False) -> None:
        super().__init__(message)
        self.heals = heals


class ContractBroken(Exception):
    """The folder's training code breaks the contract. The message is its author's to act on, as LoadFailed's is."""


class ScoresMissing(Exception):
    """The training code ran, and returned no scores, or one that is not a finite number."""


class JudgingImpossible(Exception):
    """The training code has no way to judge an older artifact."""


class RequestFailed(Exception):
    """A request gets an error in place of an answer; `details` stand beside the code and the message in it."""

    status: int = 500
    code: ClassVar[str] = "model_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class MalformedJson(RequestFailed):
    """The body is not valid JSON."""

    status = 400
    code = "malformed_json"


class InvalidVariables(RequestFailed):
    """The body is JSON, but not what the model takes; `field` names what doesn't fit, where one thing does not."""

    status = 422
    code = "invalid_variables"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, **({} if field is None else {"field": field}))
        self.field = field


def misfit(said: str, field: str) -> InvalidVariables:
    """`said`: what a validator says of the field; the field is empty where it is the variables as a whole."""
    said = said.replace("`", "'")
    return InvalidVariables(f"{field}: {said}" if field else f"variables: {said}", field or None)


class Refused(RequestFailed):
    """The author's code refused the request, with a status of its choice."""

    code = "refused"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class DeadlineExceeded(RequestFailed):
    """The caller has stopped waiting before the request began."""

    status = 504
    code = "deadline_exceeded"


class BadAnswer(RequestFailed):
    """The author's code returned what can't be sent."""

    code = "bad_answer"


class ModelError(RequestFailed):
    """The author's code raised; the answer tells its type and message, and `error_id` leads to the traceback."""

    def __init__(self, message: str, error_id: str) -> None:
        super().__init__(message, error_id=error_id)
        self.error_id = error_id


class ElementFailed(Exception):
    """One of the variables in a list failed."""

    def __init__(self, index: int, error: BaseException) -> None:
        super().__init__(index, error)
        self.index = index
        self.error = error
