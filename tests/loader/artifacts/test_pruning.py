from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from loader.artifacts.files.files import Files, Stored
from loader.artifacts.pruning import RECENT, YOUNG_S, InUse, prune, unused
from loader.artifacts.store import ArtifactStore

IDS = st.sampled_from("abcdefghijkl")


@given(
    there=st.dictionaries(IDS, st.floats(0, 2 * YOUNG_S)),
    live=st.frozensets(IDS),
    pinned=st.frozensets(IDS),
    asked=st.frozensets(IDS),
    recent=st.dictionaries(st.text(max_size=3), st.lists(IDS, unique=True)),
)
def test_what_goes_is_old_and_neither_live_nor_pinned_nor_recent_nor_asked_for(
    there: dict[str, float],
    live: frozenset[str],
    pinned: frozenset[str],
    asked: frozenset[str],
    recent: dict[str, list[str]],
) -> None:
    gone = set(unused([Stored(id, 1, at) for id, at in there.items()], InUse(live, pinned, recent, asked), 2 * YOUNG_S))
    for id, changed in there.items():
        is_recent = any(id in ids[:RECENT] for ids in recent.values())
        is_kept = id in live or id in pinned or id in asked or is_recent or changed >= YOUNG_S
        assert (id not in gone) == is_kept


def test_a_release_that_came_again_takes_no_other_s_place() -> None:
    assert InUse(recent={"Iris": ["a", "a", "a", "b", "c", "d"]}).ids == {"a", "b", "c"}


def test_pruning_removes_what_nothing_uses(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    ids = []
    for number in range(3):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "weights").write_text(str(number))
        ids.append(store.put(tmp_path / "out"))
    newest = max(artifact.changed for artifact in store.list())
    assert prune(store, InUse(live=frozenset(ids[:1])), newest) == []
    assert set(prune(store, InUse(live=frozenset(ids[:1])), newest + YOUNG_S + 1)) == set(ids[1:])
    assert [artifact.name for artifact in store.list()] == ids[:1]


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
