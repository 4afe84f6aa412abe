"""`scripts/bench quick --against COMMIT` and `--auth keys`: two Pawls side by side, asked in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median

import typer

from bench.contenders.contender import CannotStart
from bench.contenders.edition import OURS, Edition, edition_of
from bench.contenders.models_server import serving_files, wait_ready
from bench.figures import figures_file
from bench.figures.rounds import Spread
from bench.inputs.models import MODELS, Model
from bench.load import wrk
from bench.load.endpoint import Endpoint
from bench.machine import processes
from bench.machine.screen import console
from bench.measure import BROKEN
from bench.peers import pawl
from tests.admin_actions import act
from tests.processes import descendants
from tests.serving import Server

CONNECTIONS = 32
_READY_S = 120.0
_WARM_UP_S = 2.0
_MOST_FOR_KEYS = 1.05
"""CPU time of a request with a key, times that of one without."""


@dataclass(frozen=True)
class Side:
    """One of the two."""

    edition: Edition = OURS
    auth: str = ""
    """The setting AUTH; empty: as it is by default, so that anybody may ask."""


@dataclass(frozen=True)
class Turn:
    """What one short run cost, and how quick it was."""

    cpu_us: float
    """CPU time of a request in all of the server's processes."""
    rate: float
    """Good answers a second."""


@dataclass(frozen=True)
class Comparison:
    """Ours to the other, turn by turn, of one model."""

    model: str
    cpu: Spread
    rate: Spread

    @classmethod
    def of(cls, model: str, ours: Sequence[Turn], other: Sequence[Turn]) -> Comparison:
        """Both as often as the other, in the order of the turns."""
        pairs = list(zip(ours, other, strict=True))
        return cls(
            model,
            _spread([one.cpu_us / two.cpu_us for one, two in pairs]),
            _spread([one.rate / two.rate for one, two in pairs]),
        )

    @property
    def is_worse(self) -> bool:
        """Whether not even one turn of ours took as little CPU time as the other's."""
        return min(self.cpu.rounds) > 1

    def __str__(self) -> str:
        verdict = "[red]worse in every turn[/red]" if self.is_worse else "no worse beyond the turns' spread"
        return f"{self.model:<8} CPU time of a request [bold]{self.cpu}[/bold], rate {self.rate}: {verdict}"


def compare(commit: str, seconds: float, turns: int) -> None:
    """Print how this checkout compares with `commit`; exit 1 where it costs more in every turn."""
    compared = _compared(lambda: (Side(), Side(edition_of(commit))), commit, seconds, turns)
    if any(each.is_worse for each in compared):
        raise typer.Exit(1)


def compare_auth(auth: str, seconds: float, turns: int) -> None:
    """Print what it costs to ask with a key; exit 1 where that is more CPU time than it may be."""
    compared = _compared(lambda: (Side(auth=auth), Side()), f"AUTH unset, with AUTH={auth}", seconds, turns)
    if any(each.cpu.value > _MOST_FOR_KEYS for each in compared):
        raise typer.Exit(1)


def _compared(sides: Callable[[], tuple[Side, Side]], other: str, seconds: float, turns: int) -> list[Comparison]:
    try:
        chosen = sides()
        compared = [_compare(model, *chosen, seconds, turns) for model in MODELS.values()]
    except BROKEN as error:
        console.print(f"[red]{type(error).__name__}: {error}[/red]")
        raise typer.Exit(1) from error
    console.print(f"{figures_file.commit()} to {other}, {turns} turns of {seconds:g} s each: median (least-most)")
    for each in compared:
        console.print(str(each))
    figures = {f"{each.model}: {what}": spread.rounds for each in compared for what, spread in _spreads(each).items()}
    figures_file.write("against", {"against": other, "figures": figures})
    return compared


def _compare(model: Model, ours: Side, other: Side, seconds: float, turns: int) -> Comparison:
    sides = {"ours": ours, "other": other}
    taken: dict[str, list[Turn]] = {name: [] for name in sides}
    with _serving(model, sides) as servers:
        for number in range(turns):
            for name in sides if number % 2 else reversed(sides):
                taken[name].append(turn(*servers[name], model, seconds))
            told = ", ".join(f"{name} {each[-1].cpu_us:.1f} µs, {each[-1].rate:,.0f}/s" for name, each in taken.items())
            console.print(f"[dim]{model.name}, {number + 1}/{turns}[/dim] {told}")
    return Comparison.of(model.name, taken["ours"], taken["other"])


@contextmanager
def _serving(model: Model, sides: Mapping[str, Side]) -> Iterator[Mapping[str, tuple[Server, Endpoint]]]:
    """All of them, warm. Raises CannotStart and WrongAnswer."""
    with ExitStack() as stack:
        servers = {}
        for name, side in sides.items():
            settings = {"AUTH": side.auth} if side.auth else {}
            server = stack.enter_context(serving_files(pawl.files("Model", model), side.edition, **settings))
            try:
                wait_ready(server, _READY_S)
            except TimeoutError as error:
                raise CannotStart(str(error)) from error
            wire = replace(pawl.WIRE, headers=_credential(server)) if side.auth else pawl.WIRE
            servers[name] = server, Endpoint(f"{server.base}/Model", wire)
        for server, asked in servers.values():
            asked.check(model)
            turn(server, asked, model, _WARM_UP_S)
        yield servers


def _credential(server: Server) -> Mapping[str, str]:
    """A key that may ask models, as a header."""
    made = act(server, "POST", "keys", {"name": "bench", "scopes": ["predict"]})
    return {"Authorization": f"Bearer {made.json['key']}"}


def turn(server: Server, asked: Endpoint, model: Model, seconds: float) -> Turn:
    body = asked.wire.pack(model.rows(1)[0].tolist())
    pids = descendants(server.process.pid)
    before = processes.cpu(pids)
    load = wrk.load(asked, body, CONNECTIONS, seconds)
    used = processes.difference(before, processes.cpu(pids))
    if not load.requests or load.errors:
        raise CannotStart(f"{load.errors} of {load.requests} requests failed")
    return Turn(1e6 * sum(used.values()) / load.requests, load.rate)


def _spread(ratios: Sequence[float]) -> Spread:
    return Spread(median(ratios), tuple(ratios))


def _spreads(compared: Comparison) -> Mapping[str, Spread]:
    return {"CPU time": compared.cpu, "rate": compared.rate}
