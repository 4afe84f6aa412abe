"""A verdict as its author reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pawl.check.outline import outline
from pawl.check.verdict import CheckFailure, Trial, Verdict
from worker.wire.messages import Description, Merging

TAKES = {
    "nothing": "none; what is sent is ignored",
    "dict": "a dict, as sent",
    "dataframe": "a DataFrame of one row",
    "typed": "as the annotation of transform_predict says",
    "bytes": "the body of the request, as it is",
    "onnx": "one row for each input",
}
ADVICE = (
    'there are none: nothing proves a release before it goes live; put some into examples.json, such as '
    '[{"variables": {…}, "expect": {…}}]'
)  # fmt: skip


def show(verdict: Verdict, console: Console) -> None:
    """Texts come from the author's folder: none of them is taken for markup."""
    console.print(_headline(verdict), *([Text(verdict.about)] if verdict.about else []), sep="\n", soft_wrap=True)
    if verdict.release is not None:
        console.print()
        console.print(_table(verdict))
    if verdict.untrained:
        console.print()
        console.print(Text.assemble(("Not tried: ", "yellow"), verdict.untrained), soft_wrap=True)
    if verdict.unpushed:
        console.print()
        console.print(_unpushed(verdict), soft_wrap=True)
    if verdict.failure is not None and not verdict.trials:  # what is wrong with these is told with them
        console.print()
        console.print(_failure(verdict.failure), soft_wrap=True)


def _unpushed(verdict: Verdict) -> RenderableType:
    lines = [f"  {one.path}: {one.why}" for one in verdict.unpushed]
    lines += [f"  and {verdict.unpushed_more} more"] if verdict.unpushed_more else []
    return Group(Text("The server would not get this as it lies here:", style="yellow"), _lines(lines))


def _table(verdict: Verdict) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, content in _rows(verdict):
        table.add_row(label, content)
    return table


def in_words(verdict: Verdict) -> str:
    if verdict.untrained:
        return "can be trained, and has not been trained"
    return "can be served" if verdict.ok else "can't be served as it is"


def _headline(verdict: Verdict) -> Text:
    mark = ("✓ ", "green") if verdict.ok else ("✗ ", "red")
    return Text.assemble(mark, (verdict.model, "bold"), f" {in_words(verdict)} ({verdict.seconds:.1f} s)")


def _rows(verdict: Verdict) -> Iterator[tuple[str, RenderableType]]:
    yield "Routes", _lines(f"POST {route}" for route in verdict.routes)
    if verdict.uses:
        yield "Uses", Text(", ".join(verdict.uses))
    yield "Environment", Text(verdict.requirements or "Pawl's own: there is no requirements.txt")
    if verdict.description is not None:
        yield from _description_rows(verdict.description)
        if verdict.trials or verdict.failure is None:
            yield "Examples", _trials(verdict.trials) if verdict.trials else Text(ADVICE)


def _description_rows(description: Description) -> Iterator[tuple[str, RenderableType]]:
    fields = outline(description.variables_schema) if description.variables_schema else []
    yield "Variables", _lines(fields or [TAKES[description.takes]])
    if description.answer_schema and (fields := outline(description.answer_schema)):
        yield "Answer", _lines(fields)
    yield "Loaded", Text(f"in {description.load_s:.2f} s, by Python {description.python}")
    yield "Interleaved", _yes_or_no(description.concurrent, description.why)
    yield "Merged", _merging(description.sessions)


def _merging(sessions: tuple[Merging, ...]) -> RenderableType:
    if not sessions:
        return Text("nothing to merge: it has no ONNX session")
    return Group(
        *(
            Text.assemble(f"{one.session}.onnx: ", _yes_or_no(one.merged, one.why), (f"  {one.provider}", "dim"))
            for one in sessions
        )
    )


def _yes_or_no(is_so: bool, why: str) -> Text:
    return Text.assemble(("yes", "green") if is_so else ("no", "yellow"), f": {why}" if why else "")


def _trials(trials: tuple[Trial, ...]) -> RenderableType:
    return Group(*(part for trial in trials for part in _trial(trial)))


def _trial(trial: Trial) -> Iterator[RenderableType]:
    mark = ("✓", "green") if trial.ok else ("✗", "red")
    yield Text.assemble(mark, f" {trial.index}  ", (f"{trial.milliseconds:.1f} ms", "dim"), f"  {trial.fault or ''}")
    if trial.traceback:
        yield Padding(Text(trial.traceback.rstrip(), style="dim"), (0, 0, 0, 5), expand=False)


def _failure(failure: CheckFailure) -> RenderableType:
    message = Text.assemble((f"Failed at {failure.stage}: ", "bold red"), failure.message)
    if not failure.detail or failure.detail.strip() in failure.message:
        return message
    return Group(message, Padding(Text(failure.detail.rstrip(), style="dim"), (1, 0, 0, 4), expand=False))


def _lines(lines: Iterator[str] | list[str]) -> Text:
    return Text("\n".join(lines))
