"""The cost of a worker's start is measured on real starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import record, start
from bench.sections.start import section


def test_a_start_and_its_parts_are_measured_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_RESULTS", tmp_path)
    start.main(starts=1)
    [path] = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    assert all(cost["cpu_ms"] > 0 for cost in kept["programs"] + kept["workers"])
    assert all(cost["memory_mb"] > 1 for cost in kept["workers"])
    page = "\n".join(section(kept))
    assert "| a plain class |" in page
    assert "| … and onnxruntime |" in page
