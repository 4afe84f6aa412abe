from __future__ import annotations

from loader.controller.progress import Progress


def test_a_stage_begins_its_step_and_a_line_about_what_takes_long_goes_on_with_it() -> None:
    news: list[str | None] = []
    progress = Progress("Model", lambda: news.append(progress.doing))
    progress.begin("release")
    progress.tell("environment")
    progress.tell("building the environment (pandas)…")
    assert (progress.release, progress.step) == ("release", "environment")
    assert news == ["environment", "building the environment (pandas)…"]
    progress.swap()
    assert progress.is_swapping
    progress.end()
    assert (progress.doing, progress.step, progress.is_swapping) == (None, None, False)
    assert list(progress.seconds) == ["environment", "swap"]
    assert news[-1] is None


def test_what_is_about_to_be_done_takes_the_place_of_nothing() -> None:
    progress = Progress("Model")
    progress.expect("about to be tried again")
    assert progress.doing == "about to be tried again"
    progress.tell("load")
    progress.expect("about to be tried again")
    assert progress.doing == "load"
    progress.rest()
    assert (progress.doing, progress.step) == (None, "start")


def test_each_release_has_seconds_of_its_own() -> None:
    progress = Progress("Model")
    progress.begin("one")
    progress.tell("load")
    progress.begin("two")
    assert (progress.release, dict(progress.seconds)) == ("two", {})
