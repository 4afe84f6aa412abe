"""What Jobs are called, and how they say which attempt they are for."""

from __future__ import annotations

from loader.artifacts.slugs import slug

MANAGED_BY = "app.kubernetes.io/managed-by"
PAWL = "pawl"
RUN = "pawl.dev/run"
MODEL = "pawl.dev/model"
ATTEMPT = "pawl.dev/attempt"
COMMIT = "pawl.dev/commit"
SELECTOR = f"{MANAGED_BY}={PAWL},{RUN}"
PENDING_S = "pawl.dev/pending-seconds"
_MOST = 20


def model_slug(model: str) -> str:
    return slug(model, _MOST)


def job_name(model: str, run: str, attempt: int) -> str:
    """The same for everyone: creating twice is creating once."""
    return f"pawl-{model_slug(model)}-{run}-a{attempt}"
