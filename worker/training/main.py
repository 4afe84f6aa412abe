"""The life of a run's child: load the author's code, train or judge, say how it went, end."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, Protocol

from ..errors import ContractBroken, JudgingImpossible, LoadFailed, ScoresMissing
from ..model.entry import find_entry, module_name
from ..model.importing import import_module, remedy
from ..model.pickles import look_in
from ..process.exits import give_up, leave
from ..tracebacks import AuthorTracebacks, bounded, in_words
from ..wire.training import (
    Breach,
    CannotJudge,
    Exited,
    Judged,
    NoScores,
    Outcome,
    Raised,
    TrainConfig,
    Trained,
    decode_train_config,
)
from .channel import Channel, ParentGone
from .class_form import ClassForm
from .function_form import FunctionForm
from .output import flush_libraries
from .report import Report
from .stopping import Stopped, Stopping, end_by

_MOST_STRAYS = 3


class Form(Protocol):
    """A way to write training code."""

    @property
    def place(self) -> str: ...
    @property
    def takes_report(self) -> bool: ...
    def train(self, report: Callable[..., bool], /) -> dict[str, float]: ...
    def judge(self, artifact: str) -> dict[str, float]: ...
    def close(self) -> None: ...


def main(channel: Channel) -> NoReturn:
    """Ends the process: with status 0, once the outcome is said, or by the signal that stopped it."""
    stopping = Stopping()
    try:
        _work(decode_train_config(channel.read_config()), channel, stopping)
    except ParentGone:
        os._exit(0)
    except Stopped as stopped:
        flush_libraries()
        end_by(stopped.number)
    except BaseException:
        give_up()
    flush_libraries()
    leave(0)


def _work(config: TrainConfig, channel: Channel, stopping: Stopping) -> None:
    tracebacks = AuthorTracebacks(config.folder, config.root)
    report = Report(channel, stopping)
    form: Form | None = None
    try:
        try:
            form = _load(config, tracebacks)
            stopping.is_reported = form.takes_report
            outcome = _run(form, config, report)
        except BaseException as error:
            cause = _cause(error)
            if isinstance(cause, Stopped):
                raise cause from None
            outcome = _failure(error, cause, tracebacks)
        stopping.is_reported = True  # what is left to do is ours, and short
        report.flush()
        channel.say(outcome)
    finally:
        if form is not None:
            form.close()


def _load(config: TrainConfig, tracebacks: AuthorTracebacks) -> Form:
    os.chdir(config.folder)
    look_in(config.folder)
    module = import_module(module_name(config.folder), config.folder, config.root, tracebacks)
    entry = find_entry(module, config.entry)
    if inspect.isclass(entry):
        return ClassForm(module, entry, config, tracebacks)
    return FunctionForm(module, entry, config)


def _run(form: Form, config: TrainConfig, report: Report) -> Outcome:
    if config.evaluate is not None:
        return Judged(form.judge(config.evaluate))
    before = os.listdir(config.folder)
    scores = form.train(report)
    if not _holds_files(config.output):
        raise ContractBroken(
            f"{form.place}: it left nothing in output; write the model's files to that folder"
            f"{_strays(config.folder, before)}"
        )
    return Trained(scores)


def _holds_files(folder: str) -> bool:
    """However deep: `os.walk` gives up a thousand folders deep."""
    folders = [folder]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as found:  # the code may have removed it
            for entry in found:
                if not entry.is_dir():
                    return True
                if not entry.is_symlink():
                    folders.append(entry.path)
    return False


def _strays(folder: str, before: Sequence[str]) -> str:
    """What is in the folder that wasn't before."""
    found = sorted(set(os.listdir(folder)) - {*before, "__pycache__"})
    more = f" and {len(found) - _MOST_STRAYS} more" if len(found) > _MOST_STRAYS else ""
    return f", not to the working directory ({', '.join(found[:_MOST_STRAYS])}{more})" if found else ""


def _cause(error: BaseException) -> BaseException:
    """What the author's code raised, where there is such a thing."""
    return error.__cause__ or error if isinstance(error, LoadFailed) else error


def _failure(error: BaseException, cause: BaseException, tracebacks: AuthorTracebacks) -> Outcome:
    if isinstance(cause, SystemExit):
        return _exited(cause, tracebacks)
    match error:
        case ContractBroken() | LoadFailed(__cause__=None):
            return Breach(_placed(str(error), tracebacks.where(error)))
        case ScoresMissing():
            return NoScores(bounded(str(error)))
        case JudgingImpossible():
            return CannotJudge(bounded(str(error)))
        case LoadFailed():
            return Raised(message=bounded(str(error)), traceback=tracebacks.traceback(cause))
    advice = f"; {remedy(error)}" if isinstance(error, ModuleNotFoundError) else ""
    return Raised(
        message=_placed(in_words(error) + advice, tracebacks.where(error)), traceback=tracebacks.traceback(error)
    )


def _exited(error: SystemExit, tracebacks: AuthorTracebacks) -> Exited:
    code = error.code if isinstance(error.code, int) else int(error.code is not None)
    said = f" with {in_words(error).removeprefix('SystemExit: ')!r}" if isinstance(error.code, str) else ""
    message = f"the code ended its process by sys.exit{said} (status {code}); return the scores instead"
    return Exited(message=_placed(message, tracebacks.where(error)), code=code)


def _placed(message: str, place: str) -> str:
    return bounded(f"{place}: {message}" if place else message)
