from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tests.worker.models import mlp
from tests.worker.processes import serving, write_model

NETWORK = """
import numpy as np

class Network:
    def __init__(self, onnx):
        self.network = onnx["network"]

    def transform_predict(self, variables):
        if variables.get("fail"):
            raise ValueError(variables["fail"])
        row = np.array([variables["x"]], dtype=np.float32)
        first = self.network.run(None, {"x": row})[0]
        if variables.get("fail_late"):
            raise ValueError(variables["fail_late"])
        second = self.network.run(None, {"x": row})[0]
        return {"n": variables["n"], "first": first[0], "second": second[0]}
"""


def network(root: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(mlp(write_model(root, NETWORK) / "network.onnx"))


def variables(n: int, **more: Any) -> dict[str, Any]:
    return {"n": n, "x": [n, 1.0, -n, 0.5], **more}


def test_calls_of_a_list_s_elements_are_merged_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    session = network(tmp_path)
    many = [variables(n) for n in range(300)]
    with serving(tmp_path, NETWORK) as worker:
        status, answers = worker.ask(json.dumps({"variables": many}))
        assert status == 200
        assert [answer["n"] for answer in answers] == list(range(300))
        for each, answer in zip(many, answers, strict=True):
            [alone, *_] = session.run(None, {"x": np.array([each["x"]], dtype=np.float32)})
            np.testing.assert_allclose(answer["first"], alone[0], rtol=1e-4, atol=1e-6)
            assert answer["first"] == answer["second"]
        counted = worker.status_page.counters()
        assert (counted["calls"], counted["rows"]) == (600, 600)
        assert counted["batches"] <= 12


def test_lists_of_several_callers_and_single_requests_get_their_own_answers(tmp_path: Path) -> None:
    network(tmp_path)
    with serving(tmp_path, NETWORK) as worker, worker.connect() as gateway:
        sent = {}
        for start in range(0, 2000, 40):
            many = [variables(n) for n in range(start, start + 39)]
            sent[gateway.send(json.dumps({"variables": many}))] = [each["n"] for each in many]
            sent[gateway.send({"variables": variables(start + 39)})] = start + 39
        for _ in range(len(sent)):
            frame = gateway.receive()
            answer = json.loads(frame.body)
            got = [each["n"] for each in answer] if isinstance(answer, list) else answer["n"]
            assert got == sent.pop(frame.id)


def test_a_list_fails_with_the_first_of_its_elements_that_failed(tmp_path: Path) -> None:
    network(tmp_path)
    many = [variables(n) for n in range(100)]
    many[70]["fail"] = "at once"
    many[30]["fail_late"] = "after its first call"
    with serving(tmp_path, NETWORK) as worker:
        status, answer = worker.ask(json.dumps({"variables": many}))
        assert (status, answer["error"]["index"]) == (500, 30)
        assert "after its first call" in answer["error"]["message"]
        assert worker.ask({"variables": variables(1)})[0] == 200


def test_a_class_that_keeps_state_gets_the_elements_of_a_list_one_at_a_time(tmp_path: Path) -> None:
    stateful = NETWORK.replace("row = np", "self.last = variables['n']; row = np").replace(
        '"n": variables["n"]', '"n": self.last'
    )
    network(tmp_path)
    with serving(tmp_path, stateful) as worker:
        status, answers = worker.ask(json.dumps({"variables": [variables(n) for n in range(50)]}))
        assert (status, [answer["n"] for answer in answers]) == (200, list(range(50)))
        assert worker.status_page.counters()["batches"] == 100
