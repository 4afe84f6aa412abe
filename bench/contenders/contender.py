"""What is measured: a server, and how to start and stop it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from bench.inputs.models import Model
from bench.load.endpoint import Endpoint


class CannotStart(Exception):
    """A contender couldn't be installed or started: reported in its place."""


class Contender(Protocol):
    """A way of serving a model."""

    @property
    def title(self) -> str: ...

    @property
    def note(self) -> str:
        """How it is set."""

    def versions(self) -> Mapping[str, str]:
        """What it consists of. Raises CannotStart."""

    def serving(self, model: Model) -> AbstractContextManager[Endpoint]:
        """The model on a free port until the context ends. Raises CannotStart."""
