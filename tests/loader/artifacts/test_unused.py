from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from loader.artifacts.files.files import Files, Stored
from loader.artifacts.store import ArtifactStore
from loader.artifacts.unused import RECENT, UNRECORDED_S, YOUNG_S, InUse, remove, unused

IDS = st.sampled_from("abcdefghijkl")
NOW = 2 * UNRECORDED_S


@given(
    there=st.dictionaries(IDS, st.floats(0, NOW)),
    live=st.frozensets(IDS),
    undecided=st.frozensets(IDS),
    decided=st.frozensets(IDS),
    recent=st.dictionaries(st.text(max_size=3), st.lists(IDS, unique=True)),
)
def test_what_goes_is_old_and_neither_live_nor_recent_nor_undecided(
    there: dict[str, float],
    live: frozenset[str],
    undecided: frozenset[str],
    decided: frozenset[str],
    recent: dict[str, list[str]],
) -> None:
    in_use = InUse(live, dict(recent), undecided, decided)
    gone = set(unused([Stored(id, 1, at) for id, at in there.items()], in_use, NOW))
    for id, changed in there.items():
        is_recent = any(id in ids[:RECENT] for ids in recent.values())
        age = YOUNG_S if id in decided else UNRECORDED_S
        is_kept = id in live or id in undecided or is_recent or changed >= NOW - age
        assert (id not in gone) == is_kept


def test_a_release_that_came_again_takes_no_other_s_place() -> None:
    assert InUse(recent={"Iris": ["a", "a", "a", "b", "c", "d"]}).ids == {"a", "b", "c"}


def test_what_is_unused_is_removed_and_the_rest_stays_whole(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    ids = []
    for number in range(3):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "weights").write_text(str(number))
        ids.append(store.put(tmp_path / "out"))
    newest = max(artifact.changed for artifact in store.list())
    in_use = InUse(live=frozenset(ids[:1]), decided=frozenset(ids))
    assert unused(store.list(), in_use, newest) == []
    found = unused(store.list(), in_use, newest + YOUNG_S + 1)
    assert set(remove(store, found)) == set(ids[1:])
    assert [artifact.name for artifact in store.list()] == ids[:1]
    store.fetch(ids[0], tmp_path / "fetched")


def test_an_artifact_that_is_put_again_is_young_again(tmp_path: Path) -> None:
    import os

    from loader.artifacts.files.place import open_files

    store = ArtifactStore(open_files("", tmp_path))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_text("w")
    id = store.put(tmp_path / "out")
    os.utime(tmp_path / "artifacts" / "artifacts" / id / "manifest.json", (0, 0))
    store.put(tmp_path / "out")
    assert store.list()[0].changed > 0
