"""A verdict as a program reads it in a pipe: a line for each thing that is told, its name, a tab, and the thing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pawl.check.outline import outline
from pawl.check.printing import ADVICE, TAKES, in_words
from pawl.check.verdict import Trial, Verdict
from pawl.terminal.text import printable
from worker.wire.messages import Description


def print_lines(verdict: Verdict) -> None:
    """Nothing is cut; of what has several lines, each is one."""
    for name, told in _lines(verdict):
        for line in told.splitlines():
            sys.stdout.write(f"{name}\t{printable(line).expandtabs(4)}\n")
    sys.stdout.flush()


def _lines(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "model", verdict.model
    yield "verdict", in_words(verdict)
    yield "took", f"{verdict.seconds:.1f} s"
    yield "about", verdict.about
    yield "not tried", verdict.untrained
    if verdict.release is not None:
        yield from (("route", f"POST {route}") for route in verdict.routes)
        yield from (("uses", folder) for folder in verdict.uses)
        yield "environment", verdict.requirements or "Pawl's own: there is no requirements.txt"
    if verdict.description is not None:
        yield from _of_description(verdict.description)
        if verdict.failure is None and not verdict.trials:
            yield "examples", ADVICE
    for trial in verdict.trials:
        yield from _of_trial(trial)
    yield from (("not pushed", f"{one.path}: {one.why}") for one in verdict.unpushed)
    if verdict.unpushed_more:
        yield "not pushed", f"and {verdict.unpushed_more} more"
    if verdict.failure is not None:
        yield f"failed at {verdict.failure.stage}", verdict.failure.message
        if not verdict.trials:  # what is wrong with these is told with them
            yield "detail", verdict.failure.detail


def _of_description(description: Description) -> Iterator[tuple[str, str]]:
    fields = outline(description.variables_schema) if description.variables_schema else []
    yield "variables", "\n".join(fields or [TAKES[description.takes]])
    yield "answer", "\n".join(outline(description.answer_schema) if description.answer_schema else [])
    yield "loaded", f"in {description.load_s:.2f} s, by Python {description.python}"
    yield "interleaved", _yes_or_no(description.concurrent, description.why)
    for one in description.sessions:
        yield "merged", f"{one.session}.onnx: {_yes_or_no(one.merged, one.why)}, {one.provider}"


def _of_trial(trial: Trial) -> Iterator[tuple[str, str]]:
    said = f"failed: {trial.fault or 'no reason given'}" if not trial.ok else "passed"
    yield f"example {trial.index}", f"{said} ({trial.milliseconds:.1f} ms)"
    yield "detail", trial.traceback


def _yes_or_no(is_so: bool, why: str) -> str:
    return ("yes" if is_so else "no") + (f": {why}" if why else "")
