"""What training tells those who decide what is served: accepted artifacts, and states of runs, by code key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from core.decisions import Decisions
from core.release import Artifact
from core.runs.runs import RunResult
from core.runs.states import RunState
from loader.artifacts.records import RunRecords
from trainer.records.record_names import verdict


class AcceptedArtifacts:
    """For the loop's own thread."""

    def __init__(self) -> None:
        self.is_read = False
        """Whether the store was read; until then nobody knows what there is."""
        self.states: Mapping[str, str] = {}
        """Of each code key that was ever trained, the state of its newest run."""
        self.run_keys: Mapping[str, str] = {}
        """The keys of those runs."""
        self._known: dict[str, dict[str, tuple[datetime, Artifact]]] = {}

    def add(self, result: RunResult) -> bool:
        """Whether that is news."""
        if result.state is not RunState.SUCCEEDED or not result.artifact or result.own:
            return False
        runs = self._known.setdefault(result.code_key, {})
        entry = (result.ended_at, Artifact(result.artifact, result.run))
        is_news = runs.get(result.run) != entry
        runs[result.run] = entry
        return is_news

    def remove(self, result: RunResult) -> bool:
        """What the run left is no longer kept. Whether that is news."""
        return self._known.get(result.code_key, {}).pop(result.run, None) is not None

    def decisions(self) -> Decisions:
        """What training has decided so far."""
        artifacts = self.newest_first() if self.is_read else None
        return Decisions(artifacts=artifacts, runs=self.states, run_keys=self.run_keys)

    def newest_first(self) -> Mapping[str, tuple[Artifact, ...]]:
        return {
            code_key: tuple(artifact for _, artifact in sorted(runs.values(), key=lambda run: run[0], reverse=True))
            for code_key, runs in self._known.items()
        }


def read_results(records: RunRecords, models: Iterable[str]) -> list[RunResult]:
    """What the store says became of the models' runs. Blocks. Raises StoreUnavailable."""
    found = []
    for model in models:
        for run in records.list(model):
            name = verdict(run.names)
            content = records.get(model, run.key, name) if name in run.names else None
            if content is not None:
                found.append(msgspec.json.decode(content, type=RunResult))
    return found
