"""How far a model's next release has come on its way to being live."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from loader.steps import StepClock, step_of

log = logging.getLogger("pawl.loader")


class Progress:
    """Of one model. Its controller says what is being done, also from other threads; others read it."""

    def __init__(self, model: str, told: Callable[[], None] = lambda: None) -> None:
        """`told` is called at each piece of news."""
        self.doing: str | None = None
        """A stage, or a line about something that takes long; None when nothing is on its way."""
        self.release: str | None = None
        """Id of the release that was started last."""
        self._model = model
        self._told = told
        self._clock = StepClock()

    @property
    def step(self) -> str | None:
        """The one in hand; None when nothing is on its way, or waits for its turn."""
        return self._clock.step

    @property
    def seconds(self) -> Mapping[str, float]:
        """Of each step so far, of the release that was started last."""
        return self._clock.seconds()

    @property
    def is_swapping(self) -> bool:
        """Whether a release is being shown, so that some gateways may route to it already."""
        return self.step == "swap"

    def begin(self, release: str) -> None:
        """That release, by its id, is being started."""
        self.release, self._clock = release, StepClock()

    def tell(self, doing: str) -> None:
        """A stage, or a line about something that takes long."""
        self.doing = doing
        step = step_of(doing)
        if step is not None:
            self._clock.turn(step)
        self._told()
        log.log(logging.INFO if step is None else logging.DEBUG, "%s: %s", self._model, doing)

    def swap(self) -> None:
        """The release is ready, and is being shown."""
        self._clock.turn("swap")

    def pause(self) -> None:
        """No step goes on, whatever is still being done."""
        self._clock.turn(None)

    def expect(self, doing: str) -> None:
        """That is about to be done, unless something is being done already."""
        self.doing = self.doing or doing

    def rest(self) -> None:
        """Nothing is on its way."""
        self.doing = None

    def end(self) -> None:
        """What was on its way is live, has failed, or was given up."""
        self.rest()
        self.pause()
        self._told()
