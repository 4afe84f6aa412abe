"""What is measured on a GPU is tried on a CPU here."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import gpu
from bench.figures import figures_file
from bench.inputs.images import IMAGES
from bench.load import closed
from bench.load.endpoint import Endpoint, Wire
from bench.peers.common import pack_row, probabilities
from bench.report import page
from bench.report.publish import fits
from bench.report.sections.gpu import section


class Answers(BaseHTTPRequestHandler):
    """Echoes; every fifth answer is a refusal."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        self.send_response(503 if self.asked % 5 == 0 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_the_generator_without_wrk_counts_and_times_answers() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            wire = Wire("/", pack_row, probabilities)
            load = closed.load(Endpoint(f"http://127.0.0.1:{server.server_port}/", wire), b"{}" * 999, 3, 0.5)
        finally:
            server.shutdown()
            thread.join()
    assert load.broken == 0
    assert 0 < load.requests <= Answers.asked <= load.requests + 3
    assert load.refused == pytest.approx(Answers.asked / 5, abs=3)
    assert 0 < load.p50_us <= load.p99_us <= load.most_us <= 0.5e6


def test_a_server_that_is_not_there_is_told() -> None:
    load = closed.load(Endpoint("http://127.0.0.1:9/", Wire("/", pack_row, probabilities)), b"", 2, 0.1)
    assert (load.requests, load.broken) == (0, 2)


@pytest.mark.parametrize("has_wrk", [False, True])
def test_it_runs_on_a_cpu_and_that_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_wrk: bool
) -> None:
    if has_wrk and shutil.which("wrk") is None:
        pytest.skip("there is no wrk here")
    monkeypatch.setattr(figures_file, "RESULTS", tmp_path)
    monkeypatch.setattr(gpu, "ALONE_S", 0.05)
    if not has_wrk:
        monkeypatch.setattr(gpu, "load_generator", lambda: closed.load)
    gpu.main(device="cpu", model="network", connections="2", seconds=1, gateways=1, replicas=1, max_batch=16)
    [path] = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    assert kept["part"] == "smoke-gpu"
    assert figures_file.newest("gpu", fits) is None
    [sample] = kept["models"]["network"]["samples"]
    assert 1 <= sample["batch"] <= 2
    assert sample["errors"] == 0
    assert sample["alone"] > 0
    shown = "\n".join(section(kept))
    assert "a 784-2048-2048-10 network, on CPUExecutionProvider" in shown
    assert f"| {sample['rate'] / sample['alone']:.2f} |" in shown


def test_an_image_is_told_from_another_and_survives_the_way_to_the_model() -> None:
    rows = IMAGES.rows(4)
    answers = IMAGES.answers(rows)
    apart = abs(answers[:, None] - answers[None]).max(axis=2)
    assert all(apart[one, other] > gpu._TOLERANCE for one in range(4) for other in range(one))
    namespace: dict[str, type] = {}
    exec(gpu.IMAGE_ETLS, namespace)
    classifier = namespace["Classifier"]({"model": IMAGES.session})
    for row, right in zip(rows, answers, strict=True):
        found = classifier.transform_predict(json.loads(gpu._pack_image(row.tolist()))["variables"])
        assert found["probabilities"] == pytest.approx(right, abs=1e-5)


def test_the_page_says_so_as_long_as_no_gpu_was_seen() -> None:
    assert "Nothing of Pawl has been measured on a GPU yet" in page.render({})


def test_files_that_came_without_their_history_are_measured_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_file, "ROOT", tmp_path)
    assert figures_file.commit() == "unknown"
