"""What the process of a run and the child that runs its author's code say to each other, as JSON lines on a socket
pair. The first line is a TrainConfig; the child's last message says how it went."""

from __future__ import annotations

from typing import Any

import msgspec


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All that the child needs to know. It trains, or, with `evaluate`, judges an artifact that there is."""

    model: str
    folder: str
    """The model's folder, absolute, ending in "/": the working directory, first on `sys.path`."""
    root: str
    """The folder in which the model's folder and those it uses lie; second on `sys.path`."""
    output: str = ""
    """An empty folder: what the code leaves there is the artifact."""
    checkpoint: str = ""
    """A folder that survives attempts."""
    entry: str | None = None
    """The name of the function or class; None: found."""
    params: dict[str, Any] = {}
    """Keyword arguments of `train`."""
    model_params: dict[str, Any] = {}
    """The class's constructor, or the argument of that name."""
    dataset: str | None = None
    """A local path, as is `validation`."""
    validation: str | None = None
    evaluate: str | None = None
    """The folder of an artifact to judge on the validation data, in place of training."""
    run: str = ""
    """The run key."""
    attempt: int = 1


class Reported(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The code called `report`. Of calls in quick succession some are left out, never the last."""

    step: float
    total: float | None = None
    scores: dict[str, float | None] = {}
    """None for NaN and infinities."""


class Trained(msgspec.Struct, frozen=True, tag=True):
    """The artifact is in `output`. Only `destroy` and exit handlers are still to run: a failure there costs nothing,
    and the child's end is to be waited for with a deadline before `output` is read."""

    scores: dict[str, float]
    """In the author's order: the first is the metric unless the manifest names one."""


class Judged(msgspec.Struct, frozen=True, tag=True):
    """What the artifact in `evaluate` scores today."""

    scores: dict[str, float]


class CannotJudge(msgspec.Struct, frozen=True, tag=True):
    """The code has no way to judge an older artifact; the message says what is missing."""

    message: str


class Breach(msgspec.Struct, frozen=True, tag=True):
    """The folder breaks the contract (`BadContract`)."""

    message: str
    """What is wrong, in which file and line, and what to do."""


class NoScores(msgspec.Struct, frozen=True, tag=True):
    """The code ran and returned no scores, or one that is not a finite number."""

    message: str


class Raised(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The author's code raised."""

    message: str
    traceback: str = ""
    """From the author's first line on."""


class Exited(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The author's code raised SystemExit, as `sys.exit` does. `os._exit` leaves no message."""

    message: str
    code: int


Outcome = Trained | Judged | CannotJudge | Breach | NoScores | Raised | Exited
FromChild = Reported | Outcome


class StopSoon(msgspec.Struct, frozen=True, tag=True):
    """To the child: `report` returns True from now on."""


decode_from_child = msgspec.json.Decoder(FromChild).decode
decode_train_config = msgspec.json.Decoder(TrainConfig).decode
