"""What keeps up with other daemons that write to the same database."""

from __future__ import annotations

from functools import partial

from registry.listener import Listener
from registry.shared_events import SharedEvents
from registry.topics import Topic
from server.daemon import BackgroundTask
from server.parts.operating import OperatingParts
from server.parts.serving import ServingParts
from server.registry_part import RegistryPart
from server.training.assembly import TrainingParts


def build_sharing(
    database_url: str,
    registry_part: RegistryPart,
    serving: ServingParts,
    training: TrainingParts,
    operating: OperatingParts,
) -> list[BackgroundTask]:
    """Nothing for a database of this daemon's own."""
    sessions, runs = operating.access.shared, training.shared
    if sessions is None:
        return []
    events = SharedEvents(registry_part.registry, registry_part.log)
    heard = {
        Topic.DECISIONS: serving.steered.hasten,
        Topic.KEYS: operating.access.keyring.hasten,
        Topic.SESSIONS: sessions.hasten,
        Topic.EVENTS: events.hasten,
    }
    tasks = [BackgroundTask("events of other daemons", events.run), BackgroundTask("ended sessions", sessions.run)]
    if runs is not None:
        heard[Topic.RUNS] = runs.hasten
        tasks.append(BackgroundTask("runs of all daemons", partial(runs.run, training.training.trainer.wake)))
    return [*tasks, BackgroundTask("notices of other daemons", Listener(database_url, heard).run)]
