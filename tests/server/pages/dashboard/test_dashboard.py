from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from core.manifest.manifest import Manifest, Serve
from core.manifest.train import Train
from core.runs.states import Reason, RunState
from core.steering import Pin
from server.pages.dashboard.overview.action_note import action_note
from server.pages.dashboard.overview.configuration import configuration
from server.pages.dashboard.overview.failure import failure_view
from server.pages.dashboard.overview.on_its_way import shown_steps
from server.pages.dashboard.overview.overview import sentence, stats
from server.pages.dashboard.runs.curves import curves
from server.pages.dashboard.runs.run_rows import run_row
from server.pages.facts import CommitText, ModelFacts
from server.state import PinnedTo
from server.steering.actions.actions import Action, ActionState
from tests.server.states import failure, live, model
from trainer.catalogue.views import Reported, RunView

NOW = datetime(2026, 3, 12, 14, 34, tzinfo=UTC)
RUN = RunView(run="0123456789ab", model="fraud", state=RunState.RUNNING, commit="f" * 40, queued_at=NOW)
DETAIL = """Traceback (most recent call last):
  File "/data/releases/fraud/1497/fraud/etls.py", line 27, in transform_predict
    row = features.row(variables)
  File "/data/releases/fraud/1497/fraud/features.py", line 41, in summarise
    return math.log1p(statistics.median(history))
           ^^^^^^^^^^
  File "/usr/lib/python3.11/statistics.py", line 451, in median
    raise StatisticsError("no median for empty data")
statistics.StatisticsError: no median for empty data"""


def test_one_sentence_says_what_is_live_since_when_and_whose() -> None:
    facts = ModelFacts(
        state=model("fraud", live()),
        commit=CommitText("Lower the threshold", "risk-team", NOW),
        live_since=NOW - timedelta(minutes=32),
    )
    said = sentence(facts, NOW)
    assert said.since is not None
    assert (said.version, said.commit, said.since.clock, said.author) == ("v3", "0123456", "14:02", "risk-team")
    assert said.takes == "1 worker, 50 MB"
    assert said.next == "The next push goes live once its examples pass."
    assert sentence(ModelFacts(state=model("fraud", None)), NOW).version == ""


def test_the_sentence_says_what_the_next_push_will_do() -> None:
    facts = ModelFacts(state=model("fraud", live()))
    pin = Pin(model="fraud", release="r", version="v3")
    assert "unpinned" in sentence(replace(facts, pin=pin), NOW).next
    held = msgspec.structs.replace(model("fraud", live()), pin=PinnedTo(version="v3", commit="c", folder_gone=True))
    assert sentence(ModelFacts(state=held, pin=pin), NOW).next == "It is served until it is unpinned."
    trained = msgspec.structs.replace(live(), manifest=Manifest(train=Train()))
    assert "run is accepted" in sentence(ModelFacts(state=model("fraud", trained)), NOW).next


def test_where_nothing_is_live_the_page_says_what_is_waited_for() -> None:
    untrained = msgspec.structs.replace(model("fraud", None), training=RUN)
    rejected = msgspec.structs.replace(untrained, training=msgspec.structs.replace(RUN, state=RunState.REJECTED))
    states = (model("fraud", None), model("fraud", None, doing="starting"), untrained, rejected)
    assert [sentence(ModelFacts(state=one), NOW).next for one in states] == [
        "a push passes",
        "the version on its way has passed",
        "run 0123456789ab is accepted",
        "run 0123456789ab is accepted by hand, or a push passes",
    ]


def test_a_failure_names_the_place_in_the_models_own_code() -> None:
    failed = failure("example 3 of examples.json: no median\nmore of it", detail=DETAIL)
    view = failure_view(ModelFacts(state=model("fraud", live(), failed=failed)), NOW)
    assert view is not None
    assert (view.where, view.said, view.more) == (
        "features.py:41",
        "example 3 of examples.json: no median",
        "more of it",
    )
    assert (view.frames, view.tries, view.stays) == (3, "tried 1 time", "v3 stays live.")
    marked = [line.text.strip() for line in view.traceback if line.is_culprit]
    assert marked[0].startswith('File "/data/releases/fraud/1497/fraud/features.py", line 41')
    assert len(marked) == 3
    assert "\n".join(line.text for line in view.traceback) == DETAIL


def test_a_failure_says_its_place_once_and_not_where_the_release_lies() -> None:
    detail = f"""Traceback (most recent call last):
  File "/data/releases/fraud/{"0a" * 10}/fraud/etls.py", line 2, in <module>
    import lacking
ModuleNotFoundError: No module named 'lacking'"""
    failed = failure("etls.py, line 2: no module named 'lacking'", detail=detail)
    view = failure_view(ModelFacts(state=model("fraud", live(), failed=failed)), NOW)
    assert view is not None
    assert (view.where, view.said) == ("etls.py:2", "no module named 'lacking'")
    assert view.traceback[1].text == '  File "fraud/etls.py", line 2, in <module>'


def test_a_failure_without_a_traceback_names_no_place() -> None:
    failed = failure("requirements.txt: no such package", detail="resolver says\nmuch")
    view = failure_view(ModelFacts(state=model("fraud", None, failed=failed)), NOW)
    assert view is not None
    assert (view.where, view.frames, view.stays) == ("", 0, "Nothing is live.")
    assert failure_view(ModelFacts(state=model("fraud", live())), NOW) is None


@pytest.mark.parametrize("now", ["fetch", "check_out", "environment", "start", "prove", "swap"])
def test_the_steps_before_the_one_in_hand_are_done_and_those_after_it_wait(now: str) -> None:
    found = shown_steps(now, {"fetch": 0.4, "environment": 21.8})
    words = [step.word for step in found]
    assert words == ["Fetch", "Check out", "Environment", "Start", "Prove", "Swap"]
    place = words.index(now.replace("_", " ").capitalize())
    assert [step.how for step in found] == ["done"] * place + ["now"] + [""] * (5 - place)
    assert found[0].says == "0.4 s"
    assert found[5].says == ("in hand" if now == "swap" else "waits")


def test_configuration_says_where_each_value_comes_from() -> None:
    manifest = Manifest(serve=Serve(replicas=2, timeout_s=5), train=Train(params={"depth": 6}))
    settings = {"variables": "dict", "device": "auto"}
    found = configuration(msgspec.structs.replace(live(), manifest=manifest), settings)
    lines = {line.key: line for line in found}
    assert all(line.value for line in found)
    assert (lines["serve.replicas"].value, lines["serve.replicas"].source) == ("2", "model.yaml")
    assert (lines["serve.timeout_s"].value, lines["serve.timeout_s"].source) == ("5", "model.yaml")
    assert (lines["serve.max_batch"].value, lines["serve.max_batch"].source) == ("64", "default")
    assert (lines["serve.device"].value, lines["serve.device"].source) == ("auto", "the server's DEVICE")
    assert (lines["serve.memory_mb"].value, lines["serve.memory_mb"].source) == ("no limit", "default")
    assert lines["requests run"].source == "found out: its methods change nothing"
    assert lines["train.params"].value == "depth: 6"


def test_a_run_says_how_it_ended_and_how_long_it_took() -> None:
    began = NOW - timedelta(minutes=30)
    run = RunView(
        run="0123456789ab",
        model="fraud",
        state=RunState.REJECTED,
        reason=Reason.BELOW_TARGET,
        message="auc is 0.884, below 0.9",
        commit="f" * 40,
        scores={"auc": 0.88412},
        queued_at=began,
        began_at=began,
        ended_at=began + timedelta(minutes=17),
    )
    row = run_row(run, NOW)
    assert (row.chip.word, row.took, row.says) == ("rejected", "17 min", "BelowTarget: auc is 0.884, below 0.9")
    assert row.scores == (("auc", "0.8841"),)
    going = msgspec.structs.replace(
        run, state=RunState.RUNNING, reason=None, message="", ended_at=None, step=3, total=9
    )
    assert (run_row(going, NOW).how_far, run_row(going, NOW).took) == ("step 3 of 9", "30 min")


def test_a_curve_begins_and_ends_where_the_run_did() -> None:
    points = [Reported(step=float(step), scores={"auc": step / 1000, "loss": None}) for step in range(1000)]
    found = {curve.name: curve for curve in curves(points)}
    assert found["auc"].path.startswith("M0.0 100.0L")
    assert found["auc"].path.endswith("L100.0 0.0")
    assert found["auc"].path.count("L") < 200
    assert found["auc"].rows[0] == ("0", "0")
    assert found["auc"].rows[-1] == ("999", "0.999")
    assert found["auc"].says == "auc went from 0 to 0.999 in 1000 reports"
    assert found["loss"].path == ""


def test_stats_are_never_a_number_alone() -> None:
    assert all(one.against for one in stats(ModelFacts(state=model("fraud", live()))))
    assert [one.value for one in stats(ModelFacts(state=model("fraud", None)))] == ["\N{EN DASH}"] * 5


def test_an_action_says_what_became_of_it() -> None:
    going = Action(id="a", action="rollback", model="fraud", version="v1", step="check_out", at=NOW)
    done = msgspec.structs.replace(going, state=ActionState.DONE, step=None, message="v1 is live")
    failed = msgspec.structs.replace(done, state=ActionState.FAILED, message="no memory.", withdrawn=True)
    notes = [action_note(one) for one in (going, done, failed)]
    assert [note.strong for note in notes] == [
        "Rollback v1: running, check out.",
        "Rollback v1: done.",
        "Rollback v1: failed.",
    ]
    assert [note.goes_on for note in notes] == [True, False, False]
    assert [note.kind for note in notes] == ["info", "good", "bad"]
    assert notes[2].text == "no memory. It was taken back."
