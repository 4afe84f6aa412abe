from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import DatasetUnavailable, Heals
from loader.artifacts.datasets.cache import DatasetCache
from loader.artifacts.datasets.datasets import Datasets, fingerprint_of_path
from loader.artifacts.files.object_stores import connect
from tests.emulators import LOGIN, Door, address, gcs_address
from tests.serving import ROOT
from tests.waiting import wait_for
from tests.webdata import DataServer, data_server

TABLE = b"a,b\n" + b"1,2\n" * 100_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[DataServer]:
    with data_server(tmp_path) as server:
        server.content["/data/train.csv"] = TABLE
        server.headers = {"ETag": '"one"'}
        yield server


def datasets(tmp_path: Path, web: DataServer, max_bytes: int = 10**9, timeout_s: float = 60.0) -> Datasets:
    return Datasets(tmp_path / "cache", max_bytes, timeout_s, web.context)


def failure(call: object, *arguments: object) -> DatasetUnavailable:
    assert callable(call)
    with pytest.raises(DatasetUnavailable) as caught:
        call(*arguments)
    return caught.value


# --- In the folder ---


def test_a_file_s_fingerprint_is_git_s_id() -> None:
    assert fingerprint_of_path("./data//train.csv", {"data/train.csv": "abc", "etls.py": "def"}) == "abc"


def test_a_folder_s_fingerprint_changes_with_its_files_alone() -> None:
    files = {"data/a": "1", "data/b": "2", "etls.py": "3", "data2/a": "4"}
    before = fingerprint_of_path("data/", files)
    assert fingerprint_of_path("data", {**files, "etls.py": "x", "data2/a": "x"}) == before
    for other in ({**files, "data/a": "x"}, {**files, "data/c": "1"}, {"data/b": "1", "data/a": "2"}):
        assert fingerprint_of_path("data", other) != before


@pytest.mark.parametrize(
    ("path", "why"),
    [("../other/x", "put it there"), ("/etc/passwd", "put it there"), ("none.csv", "push it too"), ("..", "put it")],
)
def test_what_is_not_in_the_folder_is_told(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "Iris").mkdir()
    for error in (
        failure(fingerprint_of_path, path, {"x.csv": "1"}),
        failure(Datasets(tmp_path / "cache", 1).fetch, path, tmp_path / "Iris"),
    ):
        assert (why in str(error), error.heals) == (True, Heals.NEVER)


def test_a_path_is_found_in_the_folder_unless_a_link_leads_out(tmp_path: Path) -> None:
    folder = tmp_path / "Iris"
    (folder / "data").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    assert Datasets(tmp_path / "cache", 1).fetch("data", folder) == folder / "data"
    assert "put it there" in str(failure(Datasets(tmp_path / "cache", 1).fetch, "out", folder))


# --- https ---


def test_a_file_comes_once_per_content_under_its_name(tmp_path: Path, web: DataServer) -> None:
    first = datasets(tmp_path, web).fetch(web.url("/data/train.csv"), tmp_path)
    bodies = web.bodies
    again = datasets(tmp_path, web).fetch(web.url("/data/train.csv"), tmp_path)
    assert (first.name, first.read_bytes(), again) == ("train.csv", TABLE, first)
    web.headers = {"ETag": '"two"'}
    assert datasets(tmp_path, web).fetch(web.url("/data/train.csv"), tmp_path) == first
    assert (first.stat().st_mode & 0o777, bodies >= 1) == (0o444, True)


def test_what_is_there_is_not_read_again(tmp_path: Path, web: DataServer) -> None:
    url = web.url("/data/train.csv")
    path = datasets(tmp_path, web).fetch(url, tmp_path)
    web.content["/data/train.csv"] = b"x" * len(TABLE)  # under the same ETag: nobody looks
    assert datasets(tmp_path, web).fetch(url, tmp_path) == path
    assert path.read_bytes() == TABLE


@pytest.mark.parametrize(
    ("headers", "other"),
    [
        ({"ETag": '"one"'}, {"ETag": '"two"'}),
        (
            {"Last-Modified": "Mon, 30 Nov 2026 09:00:00 GMT"},
            {"Last-Modified": "Mon, 30 Nov 2026 09:00:01 GMT"},
        ),
    ],
)
def test_a_fingerprint_is_the_server_s_version(
    tmp_path: Path, web: DataServer, headers: dict[str, str], other: dict[str, str]
) -> None:
    url, ours = web.url("/data/train.csv"), datasets(tmp_path, web)
    web.headers = headers
    before = ours.fingerprint(url, {})
    assert datasets(tmp_path / "elsewhere", web).fingerprint(url, {}) == before
    web.headers = other
    assert ours.fingerprint(url, {}) != before
    web.headers = headers
    web.content["/data/train.csv"] = TABLE[1:]
    assert ours.fingerprint(url, {}) != before


@pytest.mark.parametrize("length", [None, ""])
def test_without_a_version_the_content_is_the_fingerprint(tmp_path: Path, web: DataServer, length: str | None) -> None:
    url, ours = web.url("/data/train.csv"), datasets(tmp_path, web)
    web.headers = {} if length is None else {"Content-Length": length}
    before = ours.fingerprint(url, {})
    assert datasets(tmp_path / "elsewhere", web).fingerprint(url, {}) == before
    assert ours.fetch(url, tmp_path, before).read_bytes() == TABLE
    web.content["/data/train.csv"] = TABLE.replace(b"1", b"3")
    assert ours.fingerprint(url, {}) != before


def test_a_run_reads_what_it_was_asked_for_or_nothing(tmp_path: Path, web: DataServer) -> None:
    url, ours = web.url("/data/train.csv"), datasets(tmp_path, web)
    fingerprint = ours.fingerprint(url, {})
    assert ours.fetch(url, tmp_path, fingerprint).exists()
    web.headers = {"ETag": '"two"'}
    error = failure(ours.fetch, url, tmp_path, fingerprint)
    assert ("has changed since the run was asked for" in str(error), error.heals) == (True, Heals.NEVER)


@pytest.mark.parametrize(
    ("status", "what", "heals"),
    [
        (401, "may not be read (401", Heals.NEVER),
        (403, "may not be read (403", Heals.NEVER),
        (404, "is not there (404", Heals.NEVER),
        (410, "is not there (410", Heals.NEVER),
        (416, "is answered by 416", Heals.NEVER),
        (204, "is answered by 204", Heals.NEVER),
        (429, "is not to be had now (429", Heals.WITH_MACHINE),
        (503, "is not to be had now (503", Heals.WITH_MACHINE),
    ],
)
def test_what_is_refused_is_told_without_what_is_secret(
    tmp_path: Path, web: DataServer, status: int, what: str, heals: Heals
) -> None:
    web.status = status
    url = web.url("/data/train.csv?sig=a-signature", "ada:a-password@")
    for call in (datasets(tmp_path, web).fingerprint, datasets(tmp_path, web).fetch):
        error = failure(call, url, tmp_path)
        assert (what in str(error), error.heals) == (True, heals), error
        assert f"https://***@127.0.0.1:{web.port}/data/train.csv?*** " in str(error)
        assert "model.yaml" in str(error) or "see to the server" in str(error)


def test_a_login_in_the_address_is_shown_to_its_own_server(tmp_path: Path, web: DataServer) -> None:
    datasets(tmp_path, web).fetch(web.url("/data/train.csv", "ada:a-password@"), tmp_path)
    assert set(web.logins) == {"Basic YWRhOmEtcGFzc3dvcmQ="}


def test_redirects_are_followed_and_take_no_login_elsewhere(tmp_path: Path, web: DataServer) -> None:
    (tmp_path / "other").mkdir()
    with data_server(tmp_path / "other") as other:
        other.content["/moved.csv"] = TABLE
        web.context.load_verify_locations(other.certificate)
        web.redirect = other.url("/moved.csv")
        path = datasets(tmp_path, web).fetch(web.url("/data/train.csv", "ada:a-password@"), tmp_path)
        assert (path.name, path.read_bytes()) == ("train.csv", TABLE)
        assert set(other.logins) == {""}


@pytest.mark.parametrize(
    ("to", "what"), [("http://127.0.0.1/x", "without https"), ("/data/train.csv", "redirects without end")]
)
def test_redirects_that_lead_nowhere_are_told(tmp_path: Path, web: DataServer, to: str, what: str) -> None:
    web.redirect = to
    error = failure(datasets(tmp_path, web).fetch, web.url("/data/train.csv"), tmp_path)
    assert (what in str(error), error.heals) == (True, Heals.NEVER)


def test_what_changes_while_it_is_read_is_read_again_on_the_next_try(tmp_path: Path, web: DataServer) -> None:
    web.after = lambda: web.headers.update(ETag=f'"{uuid.uuid4()}"')
    error = failure(datasets(tmp_path, web).fetch, web.url("/data/train.csv"), tmp_path)
    assert ("changed while it was read" in str(error), error.heals) == (True, Heals.WITH_MACHINE)
    web.after = lambda: None
    assert datasets(tmp_path, web).fetch(web.url("/data/train.csv"), tmp_path).read_bytes() == TABLE


def test_what_is_cut_short_is_nothing(tmp_path: Path, web: DataServer) -> None:
    web.cut = 1
    error = failure(datasets(tmp_path, web).fetch, web.url("/data/train.csv"), tmp_path)
    assert ("could not be read" in str(error), error.heals) == (True, Heals.WITH_MACHINE)
    assert list((tmp_path / "cache" / "content").iterdir()) == []


def test_what_stalls_has_an_end(tmp_path: Path, web: DataServer) -> None:
    web.hold = threading.Event()
    ours = datasets(tmp_path, web, timeout_s=1.0)
    error = failure(ours.fetch, web.url("/data/train.csv"), tmp_path)
    assert ("DATASET_TIMEOUT_S" in str(error), error.heals) == (True, Heals.WITH_MACHINE)


@pytest.mark.parametrize("url", ["http://h/x.csv", "ftp://h/x.csv", "file:///etc/passwd", "https://h:x/y"])
def test_addresses_of_other_kinds_are_refused(tmp_path: Path, url: str) -> None:
    assert failure(Datasets(tmp_path / "cache", 1).fetch, url, tmp_path).heals is Heals.NEVER


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    error = failure(Datasets(tmp_path / "cache", 1).fetch, "https://127.0.0.1:1/x.csv", tmp_path)
    assert ("could not be read" in str(error), error.heals) == (True, Heals.WITH_MACHINE)


# --- The cache ---


def test_what_was_not_used_for_longest_goes_first_and_what_is_in_use_stays(tmp_path: Path, web: DataServer) -> None:
    for name in "abcd":
        web.content[f"/{name}"] = name.encode() * 1_000_000
    size = 3_100_000  # room for three
    ours = datasets(tmp_path, web, size)
    paths = {name: ours.fetch(web.url(f"/{name}"), tmp_path) for name in "abc"}
    for age, name in enumerate("bac"):
        os.utime(paths[name].parents[1], (age, age))
    in_use = datasets(tmp_path, web, size)
    ours.close()
    in_use.fetch(web.url("/b"), tmp_path)
    os.utime(paths["b"].parents[1], (0, 0))
    other = datasets(tmp_path, web, size)
    other.fetch(web.url("/d"), tmp_path)
    assert {name for name, path in paths.items() if path.exists()} == {"b", "c"}


def test_what_has_no_place_is_refused_by_whether_it_ever_will(tmp_path: Path, web: DataServer) -> None:
    web.content["/b"] = b"b" * len(TABLE)
    ours = datasets(tmp_path, web, len(TABLE) + 1000)
    ours.fetch(web.url("/data/train.csv"), tmp_path)
    error = failure(datasets(tmp_path, web, len(TABLE) + 1000).fetch, web.url("/b"), tmp_path)
    assert ("wait for them" in str(error), error.heals) == (True, Heals.WITH_MACHINE)
    ours.close()
    error = failure(datasets(tmp_path, web, len(TABLE) - 1).fetch, web.url("/b"), tmp_path)
    assert ("raise DATASET_CACHE_GB" in str(error), error.heals) == (True, Heals.NEVER)


def test_a_body_larger_than_the_room_ends_there_though_nobody_said_how_large(tmp_path: Path, web: DataServer) -> None:
    web.headers["Content-Length"] = ""
    error = failure(datasets(tmp_path, web, len(TABLE) - 1).fetch, web.url("/data/train.csv"), tmp_path)
    assert "raise DATASET_CACHE_GB" in str(error)


def test_what_a_run_wrote_into_is_fetched_again(tmp_path: Path, web: DataServer) -> None:
    ours = datasets(tmp_path, web)
    path = ours.fetch(web.url("/data/train.csv"), tmp_path)
    ours.close()
    path.chmod(0o644)
    path.write_bytes(b"x" * len(TABLE))
    assert datasets(tmp_path, web).fetch(web.url("/data/train.csv"), tmp_path).read_bytes() == TABLE


def test_two_that_fetch_the_same_at_a_time_read_it_once(tmp_path: Path, web: DataServer) -> None:
    web.hold = threading.Event()
    url = web.url("/data/train.csv")
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(datasets(tmp_path, web).fetch, url, tmp_path) for _ in range(2)]
        wait_for(lambda: len(web.logins) == 3, "both looks, and a download")
        web.hold.set()
        first, second = (one.result(60) for one in both)
    assert first == second
    assert len(web.logins) == 4  # and the look after the download


def test_who_waits_for_another_fetch_gives_up_when_its_patience_is_over(tmp_path: Path) -> None:
    waits: list[float] = []
    with DatasetCache(tmp_path, 10**9).alone("address", 1.0):
        with (
            pytest.raises(DatasetUnavailable, match=r"for 30 s") as caught,
            DatasetCache(tmp_path, 10**9, waits.append).alone("address", 30.0),
        ):
            pass
        with DatasetCache(tmp_path, 10**9, waits.append).alone("another", 30.0):
            pass
    assert caught.value.heals
    assert sum(waits) == pytest.approx(30.0, abs=0.5)


def test_a_fetch_that_is_killed_leaves_nothing_that_passes_for_a_dataset(tmp_path: Path, web: DataServer) -> None:
    web.hold = threading.Event()
    url = web.url("/data/train.csv")
    code = (
        "import ssl, sys; from pathlib import Path; from loader.artifacts.datasets.datasets import Datasets;"
        "cache, url, certificate = sys.argv[1:]; context = ssl.create_default_context(cafile=certificate);"
        "Datasets(Path(cache), 10**9, 60.0, context).fetch(url, Path('.'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), url, str(web.certificate)]
    process = subprocess.Popen(command, cwd=ROOT)
    content = tmp_path / "cache" / "content"
    while not list(content.glob(".tmp-*/files/train.csv")):
        assert process.poll() is None
        web.held.wait(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    web.hold.set()
    (left,) = content.iterdir()
    os.utime(left, (0, 0))
    assert datasets(tmp_path, web).fetch(url, tmp_path).read_bytes() == TABLE
    assert not left.exists()


# --- Stores ---


@pytest.fixture(params=["s3", "gs"])
def stored(request: pytest.FixtureRequest) -> str:
    """An address under which nothing is yet."""
    endpoint = request.getfixturevalue("s3_endpoint" if request.param == "s3" else "gcs_endpoint")
    return (address if request.param == "s3" else gcs_address)(endpoint, uuid.uuid4().hex)


def write(where: str, name: str, content: bytes) -> str:
    """The file's address."""
    files, path = connect(where)
    with files.open_output_stream(f"{path}/{name}", compression=None) as stream:
        stream.write(content)
    before, question, query = where.partition("?")
    return f"{before}/{name}{question}{query}"


def test_a_file_of_a_store_comes_as_it_is(tmp_path: Path, stored: str) -> None:
    content = gzip.compress(TABLE)
    where = write(stored, "train.csv.gz", content)
    ours = Datasets(tmp_path / "cache", 10**9)
    path = ours.fetch(where, tmp_path, ours.fingerprint(where, {}))
    assert (path.name, path.read_bytes()) == ("train.csv.gz", content)
    assert Datasets(tmp_path / "cache", 10**9).fetch(where, tmp_path) == path


def test_all_under_a_folder_of_a_store_comes(tmp_path: Path, stored: str) -> None:
    for name in ("2026/11/a.csv", "2026/12/b.csv", "c"):
        write(stored, name, name.encode())
    path = Datasets(tmp_path / "cache", 10**9).fetch(stored, tmp_path)
    found = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert found == {name: name.encode() for name in ("2026/11/a.csv", "2026/12/b.csv", "c")}


def test_a_store_s_fingerprint_changes_with_the_content(tmp_path: Path, stored: str) -> None:
    where = write(stored, "train.csv", b"one")
    ours = Datasets(tmp_path / "cache", 10**9)
    file, folder = ours.fingerprint(where, {}), ours.fingerprint(stored, {})
    assert (ours.fingerprint(where, {}), ours.fingerprint(stored, {})) == (file, folder)
    write(stored, "train.csv", b"two")
    assert ours.fingerprint(where, {}) != file
    changed = ours.fingerprint(stored, {})
    write(stored, "more.csv", b"")
    assert len({folder, changed, ours.fingerprint(stored, {})}) == 3


def test_what_a_store_lacks_is_told(tmp_path: Path, stored: str) -> None:
    error = failure(Datasets(tmp_path / "cache", 1).fetch, stored, tmp_path)
    assert ("is not there" in str(error), error.heals) == (True, Heals.NEVER)


def test_a_store_that_forbids_or_hangs_is_told(tmp_path: Path, s3_endpoint: str) -> None:
    door = Door(s3_endpoint)
    where = address(door.endpoint, "x.csv")
    door.turn("forbid")
    error = failure(Datasets(tmp_path / "cache", 1).fetch, where, tmp_path)
    assert ("may not be read" in str(error), error.heals) == (True, Heals.NEVER)
    assert LOGIN.split(":")[1] not in str(error)
    door.turn("hang")
    error = failure(Datasets(tmp_path / "cache", 1, timeout_s=0.5).fetch, where, tmp_path)
    assert ("DATASET_TIMEOUT_S" in str(error), error.heals) == (True, Heals.WITH_MACHINE)
    door.close()
