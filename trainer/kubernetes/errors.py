"""What the API server says instead of doing it."""

from __future__ import annotations

from trainer.executor import ExecutorUnavailable

_DENIED = "denied the request"
"""An admission webhook's, or policy's, word on the object itself."""
_UNASKED = "failed calling webhook"
"""The API server's word of an admission webhook that it can't ask (apiserver's ErrCallingWebhook)."""


class ApiError(ExecutorUnavailable):
    """A request was refused, or nobody knows what became of it; `status` is 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class ObjectNotFound(ApiError):
    """There is no object of that name."""


class AlreadyExists(ApiError):
    """There is an object of that name already."""


class VersionExpired(ApiError):
    """The changes since then are not kept any more: all objects are to be listed anew."""


class Refused(ApiError):
    """It will be refused again: the object is wrong, or we are not allowed to."""


class Forbidden(Refused):
    """We are not allowed to, as long as the cluster's operator changes nothing, or a quota is used up."""


class WebhookFailed(ApiError):
    """An admission webhook that has to be asked can't be: the API server itself is well."""


def error_of(status: int, message: str, retry_after_s: float = 0.0) -> ApiError:
    kind = {404: ObjectNotFound, 409: AlreadyExists, 410: VersionExpired}.get(status, ApiError)
    if kind is ApiError and 400 <= status < 500 and status not in (401, 408, 429):
        kind = Refused if status != 403 or _DENIED in message else Forbidden
    if status >= 500 and _UNASKED in message:
        kind = WebhookFailed
    return kind(message, status, retry_after_s)
