from __future__ import annotations

import os
from pathlib import Path

from core.process import resources as machine

MEMINFO = "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\n"


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_a_control_group_the_machine_counts(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert machine.memory(tmp_path, meminfo) == machine.Memory(limit=1000 * 1024, used=600 * 1024)
    assert machine.processors(tmp_path) == len(os.sched_getaffinity(0))


def test_the_limit_of_a_version_2_group_counts_without_its_page_cache(tmp_path: Path) -> None:
    group = written(
        tmp_path,
        memory_DOT_max="500000",
        memory_DOT_current="300000",
        memory_DOT_stat="anon 1\ninactive_file 70000\nactive_file 30000\n",
    )
    meminfo = written(tmp_path, meminfo=MEMINFO) / "meminfo"
    assert machine.memory(group, meminfo) == machine.Memory(limit=500000, used=200000, limited=True)
    assert machine.memory(group, meminfo).free == 300000


def test_the_limit_of_a_version_1_group_counts(tmp_path: Path) -> None:
    group = written(
        tmp_path,
        memory__memory_DOT_limit_in_bytes="500000",
        memory__memory_DOT_usage_in_bytes="300000",
        memory__memory_DOT_stat="inactive_file 1\ntotal_inactive_file 30000\ntotal_active_file 20000\n",
    )
    meminfo = written(tmp_path, meminfo=MEMINFO) / "meminfo"
    assert machine.memory(group, meminfo) == machine.Memory(limit=500000, used=250000, limited=True)


def test_a_group_without_a_limit_of_its_own_does_not_count(tmp_path: Path) -> None:
    meminfo = written(tmp_path, meminfo=MEMINFO) / "meminfo"
    assert machine.memory(written(tmp_path, memory_DOT_max="max", memory_DOT_current="3"), meminfo).limit == 1000 * 1024
    version_1 = written(tmp_path, memory__memory_DOT_limit_in_bytes=str(2**62), memory__memory_DOT_usage_in_bytes="3")
    assert machine.memory(version_1, meminfo).limit == 1000 * 1024


def test_a_processor_quota_counts_rounded_up(tmp_path: Path) -> None:
    assert machine.processors(written(tmp_path, cpu_DOT_max="50000 100000")) == 1
    assert machine.processors(written(tmp_path, cpu_DOT_max="max 100000")) == len(os.sched_getaffinity(0))


def test_a_worker_has_the_processors_but_one_for_onnxruntime() -> None:
    assert [machine.onnx_threads(number, 1) for number in (1, 2, 8)] == [1, 1, 7]
    assert machine.onnx_threads(8, 2) == 3
