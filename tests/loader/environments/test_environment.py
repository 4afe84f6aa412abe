from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from loader.environments.environment import Environments
from tests.loader.shop import SILENT, Shop, say


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_release_without_requirements_shares_pawls_own(shop: Shop) -> None:
    environment = shop.environments.build(None, SILENT)
    assert (environment.python, environment.id) == (Path(sys.executable), None)
    assert environment.packages["msgspec"] == "0.22.0"


def test_the_packages_asked_for_are_there_and_recorded(shop: Shop) -> None:
    shop.offer("Cold.Brew", "1.2", module="brew", requires="milk>1")
    shop.offer("milk", "2.0")
    environment = shop.build("cold_brew==1.2\n")
    assert say(environment, "import brew; print(brew.version)") == "1.2"
    assert environment.packages["cold-brew"] == "1.2"
    assert environment.packages["milk"] == "2.0"


def test_the_worker_finds_what_it_needs(shop: Shop) -> None:
    environment = shop.build("")
    assert set(environment.packages) == {"msgspec", "greenlet", "onnxruntime-gpu"}


def test_pawls_own_packages_do_not_leak_in(shop: Shop) -> None:
    shop.environments = shop.open({"PYTHONPATH": str(Path.cwd()), "VIRTUAL_ENV": sys.prefix})
    environment = shop.build("")
    assert say(environment, "import starlette") == "ModuleNotFoundError: No module named 'starlette'"


def test_modules_are_compiled_when_built(shop: Shop) -> None:
    shop.offer("milk", "2.0")
    shop.environments = shop.open({"PYTHONDONTWRITEBYTECODE": "1"})
    path = Path(say(shop.build("milk"), "import milk; print(milk.__cached__)"))
    assert path.is_file()


def test_equal_requirements_share_an_environment(shop: Shop) -> None:
    shop.offer("milk", "2.0")
    one = shop.environments.build(shop.write("milk  # fresh\n\n", model="Iris"), SILENT)
    other = shop.environments.build(shop.write("# as ever\nmilk\n", model="Wine"), SILENT)
    assert one == other
    assert shop.on_disk() == {one.id}


def test_a_later_start_finds_it_again_without_building(shop: Shop) -> None:
    first = shop.build("")
    reports: list[str] = []
    again = shop.open(timeout_s=0).build(shop.write(""), reports.append)
    assert (again, reports) == (first, [])


def test_builds_of_the_same_at_the_same_time_are_one(shop: Shop) -> None:
    reports: list[str] = []
    path = shop.write("")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: shop.environments.build(path, reports.append), range(4)))
    assert len({result.id for result in results}) == 1
    assert [report.split(" (")[0] for report in reports if "building" in report] == ["building the environment"]


@pytest.mark.parametrize("asked", ["onnxruntime==1.20.0", "onnxruntime-gpu==1.20.0", "onnxruntime_openvino", "scorer"])
def test_onnxruntime_is_always_pawls_build(shop: Shop, asked: str) -> None:
    shop.offer("onnxruntime", "1.20.0")
    shop.offer("onnxruntime-gpu", "1.20.0", module="onnxruntime")
    shop.offer("scorer", "1.0", requires="onnxruntime==1.20.0")
    environment = shop.build(asked)
    assert say(environment, "import onnxruntime as o; print(o.name, o.version)") == "onnxruntime-gpu 1.31.1"
    assert [name for name in environment.packages if "onnxruntime" in name] == ["onnxruntime-gpu"]


def test_what_is_built_and_what_is_overruled_is_reported(shop: Shop) -> None:
    shop.offer("milk", "2.0")
    reports: list[str] = []
    shop.environments.build(shop.write("milk==2.0\nonnxruntime==1.20\n"), reports.append)
    assert reports[0] == "building the environment (milk==2.0, onnxruntime==1.20)…"
    assert reports[1] == "onnxruntime==1.20 is not installed: ONNX Runtime is Pawl's own, onnxruntime-gpu==1.31.1"
    assert reports[2].startswith("the environment is built: 4 packages in ")


def test_included_files_and_constraints_count(shop: Shop) -> None:
    shop.offer("milk", "1.0")
    shop.offer("milk", "2.0")
    shop.write("milk\n", "more/base.txt")
    shop.write("milk<2\n", "limits.txt")
    assert shop.build("-r more/base.txt\n--constraint=limits.txt\n").packages["milk"] == "1.0"
    shop.write("milk>1\n", "limits.txt")
    assert shop.build("-r more/base.txt\n--constraint=limits.txt\n").packages["milk"] == "2.0"


def test_prereleases_come_only_when_asked_for(shop: Shop) -> None:
    shop.offer("milk", "1.0")
    shop.offer("milk", "2.0b1")
    assert shop.build("milk").packages["milk"] == "1.0"
    assert shop.build("--pre\nmilk").packages["milk"] == "2.0b1"


def test_what_does_not_resolve_cannot_heal_and_says_why(shop: Shop) -> None:
    shop.offer("milk", "2.0")
    failure = shop.fail("milk==99.1")
    assert "requirements.txt: No solution found when resolving dependencies: Because" in str(failure)
    assert "milk==99.1" in str(failure)
    assert not failure.heals
    assert shop.on_disk() == set()


def test_what_the_worker_needs_gives_way_to_what_the_author_asks_for(shop: Shop) -> None:
    shop.offer("greenlet", "3.1.1")
    packages = shop.build("greenlet==3.1.1").packages
    assert packages["greenlet"] == "3.1.1"
    assert packages["msgspec"] == "0.22.0", "the rest stays as it is in Pawl"


def test_it_gives_way_to_what_the_authors_packages_need_too(shop: Shop) -> None:
    shop.offer("msgspec", "0.18.6")
    shop.offer("greenlet", "3.1.1")
    shop.offer("milk", "2.0", requires="msgspec<0.19")
    shop.offer("tea", "1.0", requires="greenlet<3.2")
    packages = shop.build("milk\ntea").packages
    assert (packages["msgspec"], packages["greenlet"]) == ("0.18.6", "3.1.1")


def test_what_is_too_old_for_the_worker_is_refused_with_what_to_do(shop: Shop) -> None:
    shop.offer("msgspec", "0.18.0")
    failure = shop.fail("msgspec==0.18.0")
    assert str(failure).endswith("(msgspec>=0.18.6: what Pawl's own part of the worker needs)")
    assert not failure.heals


def test_a_constraint_on_onnxruntime_gives_way(shop: Shop) -> None:
    shop.write("onnxruntime-gpu==1.20\nonnxruntime==1.20\n", "limits.txt")
    assert shop.build("-c limits.txt\n").packages["onnxruntime-gpu"] == "1.31.1"


def test_bad_syntax_cannot_heal_and_names_the_line(shop: Shop) -> None:
    failure = shop.fail("milk=2")
    assert 'no such comparison operator "="' in str(failure)
    assert "/.tmp-" not in str(failure)
    assert not failure.heals


def test_an_index_out_of_reach_may_heal(shop: Shop) -> None:
    gone = {"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    shop.environments = shop.open(gone)
    failure = shop.fail("milk")
    assert "127.0.0.1:9" in str(failure)
    assert failure.heals


def test_a_build_has_a_deadline(shop: Shop) -> None:
    shop.environments = shop.open(timeout_s=0.001)
    failure = shop.fail("")
    assert "within the time allowed" in str(failure)
    assert failure.heals
    assert shop.on_disk() == set()


def offer_a_source_that_hangs(shop: Shop) -> Path:
    """A source package whose build writes its process id to the file returned, prints, and never ends."""
    started = shop.folder / "started"
    script = (
        f"import os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\nprint('x' * 100_000)\ntime.sleep(600)"
    )
    source = shop.folder / "source"
    (source / "slow-1.0").mkdir(parents=True)
    (source / "slow-1.0" / "backend.py").write_text(script)
    (source / "slow-1.0" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    build = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    (source / "slow-1.0" / "pyproject.toml").write_text(build)
    subprocess.run(["tar", "czf", shop.wheels / "slow-1.0.tar.gz", "-C", source, "slow-1.0"], check=True, timeout=60)
    return started


def wait_for_a_number(path: Path) -> int:
    deadline = time.monotonic() + 100
    while not (path.is_file() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} was never written"
        time.sleep(0.01)
    return int(path.read_text())


def is_running(pid: int) -> bool:
    """Whether the process still does anything; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 100
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


def test_build_scripts_die_at_the_deadline(shop: Shop) -> None:
    started = offer_a_source_that_hangs(shop)
    shop.environments = shop.open(timeout_s=3)
    assert "within the time allowed" in str(shop.fail("slow"))
    wait_until_gone(wait_for_a_number(started))


def test_closing_stops_a_build(shop: Shop) -> None:
    started = offer_a_source_that_hangs(shop)
    failures: list[ReleaseFailed] = []
    builder = threading.Thread(target=lambda: failures.append(shop.fail("slow")))
    builder.start()
    script = wait_for_a_number(started)
    shop.environments.close()
    builder.join(timeout=100)
    assert [failure.heals for failure in failures] == [Heals.MAYBE]
    wait_until_gone(script)
    assert "stopped" in str(shop.fail("slow"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-r ../../secret.txt", "lies outside the folder"),
        ("-c /etc/hosts", "lies outside the folder"),
        ("-r gone.txt", "no such file"),
        ("-e .", "folders are not installed"),
        ("./wheel", "folders are not installed"),
        ("wheels/milk-2.0-py3-none-any.whl", "no such file"),
        ("milk-2.0-py3-none-any.whl", "no such file"),
        ("../milk-2.0-py3-none-any.whl", "lies outside the folder"),
        ("milk @ file:///milk.whl", "this kind of address is not taken"),
        ("milk[cold]@../milk", "folders are not installed"),
        ("git+file:///milk.git", "this kind of address is not taken"),
        ("hg+https://host/milk", "this kind of address is not taken"),
        ("--find-links ../wheels", "lies outside the folder"),
        ("--find-links wheels", "no such folder"),
        ("--index-url=file:///simple", "an index is an http or https address"),
        ("--target /tmp", "this option is not taken"),
        ("--use-feature=fast-deps", "this option is not taken"),
        ("milk --config-settings=a=b", "this option is not taken"),
        ("milk --index-url=https://host/simple", "put it into a line of its own"),
        ("--hash=sha256:00", "only after a requirement"),
        ("--index-url", "has no value"),
        ("--index-url 'https://host/simple", "the quotes don't match"),
        ("milk==${VERSION}", "in addresses only"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_reason(shop: Shop, line: str, words: str) -> None:
    failure = shop.fail(f"milk==2.0\n{line}\n")
    assert words in str(failure)
    assert line in str(failure)
    assert not failure.heals


def test_a_link_out_of_the_folder_is_no_way_out(shop: Shop) -> None:
    (shop.folder / "secret.txt").write_text("milk")
    shop.write("", "there/nothing.txt")
    (shop.folder / "models" / "Iris" / "link.txt").symlink_to(shop.folder / "secret.txt")
    assert "lies outside the folder" in str(shop.fail("-r link.txt"))


def test_files_that_include_each_other_are_read_once(shop: Shop) -> None:
    shop.write("-r requirements.txt\n", "base.txt")
    assert "onnxruntime-gpu" in shop.build("-r base.txt\n").packages


def test_what_a_crash_left_is_cleared_at_the_start(shop: Shop) -> None:
    whole = shop.build("")
    (shop.root / ".tmp-half" / "bin").mkdir(parents=True)
    shop.open()
    assert shop.on_disk() == {whole.id}


def test_pruning_removes_what_is_not_kept(shop: Shop) -> None:
    shop.offer("milk", "2.0")
    kept, dropped = shop.build(""), shop.build("milk")
    assert kept.id is not None
    shop.environments.prune({kept.id})
    assert shop.on_disk() == {kept.id}
    assert shop.build("milk") == dropped


def test_a_real_package_comes_from_the_real_index(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "envs", dict(os.environ), timeout_s=100)
    path = tmp_path / "requirements.txt"
    path.write_text("six==1.17.0")
    environment = environments.build(path, SILENT)
    code = "import six, onnxruntime, msgspec, greenlet; print(six.__version__, onnxruntime.get_available_providers())"
    assert say(environment, code).startswith("1.17.0 [")
    assert environment.packages["six"] == "1.17.0"
