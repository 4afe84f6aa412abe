"""What a person reads when the server is up."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from core.paths import PAGE_SIGN_IN
from core.runs.states import CAME_TO_NOTHING
from core.settings.settings import Settings
from core.version_states import VersionState
from server.access.one_time_code import OneTimeCode
from server.curl import curl
from server.process.listening import url_of
from server.state import ModelState, ServerState


class Banner:
    def __init__(
        self, settings: Settings, port: int, admin_port: int | None = None, code: OneTimeCode | None = None
    ) -> None:
        """`admin_port`: where ADMIN_BIND listens. `code`: with which whoever starts this first signs in."""
        self.url = url_of(settings.host, port) + settings.base
        """Where models are, for a client on this machine."""
        at = settings.admin_address
        self.admin_url = self.url if at is None else url_of(at[0], admin_port or at[1]) + settings.base
        """Where the admin API is."""
        self._code = code

    def greet(self, where: str) -> None:
        """The first line: the server is there, and loads."""
        _say(f"Pawl is listening on {self.url}, loading {where}")
        if self._code is not None:
            address = f"{self.admin_url}{PAGE_SIGN_IN.template}?code={self._code.text}"
            _say(f"Sign in as admin, once and within ten minutes: {address}")

    def show(self, state: ServerState) -> None:
        _say("\n".join(self.lines(state)))

    def lines(self, state: ServerState) -> list[str]:
        live = [model for model in state.models.values() if model.live is not None]
        width = max((len(model.name) for model in state.models.values()), default=0)
        lines = ["", f"Pawl serves {state.source}", ""]
        lines += [self._model_line(model, width) for model in state.models.values()]
        lines += ["", f"  all of them  {self.url}/all", f"  docs         {self.url}/docs"]
        if live:
            lines += ["", "Try it:", "", f"  {self._curl(_showcase(live))}"]
        return [*lines, ""]

    def _model_line(self, model: ModelState, width: int) -> str:
        if model.live is not None:
            return f"  {model.name:<{width}}  {model.live.version:<5} {self.url}/{model.name}"
        return f"  {model.name:<{width}}  {_why_not_live(model)}"

    def _curl(self, model: ModelState) -> str:
        assert model.live is not None
        return curl(f"{self.url}/{model.name}", model.live.examples(model.name))


def _say(text: str) -> None:
    """A reader that has gone, or a disk that is full, keeps nobody from serving."""
    with suppress(OSError, ValueError):
        print(text.encode(errors="backslashreplace").decode(), flush=True)


def _why_not_live(model: ModelState) -> str:
    if model.failure is not None:
        return f"failed: {model.failure.message}"
    if model.state is VersionState.TRAINING:
        return "not live yet: it is being trained, and goes live by itself"
    run = model.training
    if run is not None and run.state in CAME_TO_NOTHING:
        return f"not live: run {run.run} is {run.state}: {run.message}"
    return "not live"


def _showcase(live: list[ModelState]) -> ModelState:
    """The model whose first example is the shortest to type, of those that have one."""

    def effort(model: ModelState) -> tuple[bool, int]:
        assert model.live is not None
        examples = model.live.examples(model.name)
        return (not examples, len(msgspec.json.encode(examples[0].variables)) if examples else 0)

    return min(live, key=effort)
