from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from tests.worker.models import config, mlp, one_node
from worker.errors import LoadFailed
from worker.onnx import provider
from worker.onnx.open_file import Opened, open_file
from worker.wire.messages import Merging

HAS_GPU = any(Path(each).exists() for each in provider.GPU_FILES)
HAS_CUDA_BUILD = provider.CUDA in onnxruntime.get_available_providers()

without_gpu = pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
cuda_build_alone = pytest.mark.skipif(HAS_GPU or not HAS_CUDA_BUILD, reason="takes a CUDA build and no GPU")


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine seems to have a GPU, and has none."""
    monkeypatch.setattr(provider, "GPU_FILES", (str(tmp_path),))


def opened(path: Path, notices: list[str], **changes: Any) -> Opened:
    return open_file(path, config(**changes), notices.append)


@without_gpu
def test_auto_is_the_cpu_where_there_is_no_gpu(
    tmp_path: Path, notices: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    found = opened(mlp(tmp_path / "m.onnx"), notices, device="auto")
    assert (found.provider, found.device, notices) == ("CPUExecutionProvider", None, [])
    assert capfd.readouterr() == ("", "")


@without_gpu
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_without_a_gpu_fails(tmp_path: Path, notices: list[str], device: str) -> None:
    said = f"device {device} was asked for, but no NVIDIA GPU is visible here; set the device to cpu or auto"
    with pytest.raises(LoadFailed, match=said) as caught:
        opened(mlp(tmp_path / "m.onnx"), notices, device=device)
    assert not caught.value.heals


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "auto:1"])
def test_an_unknown_device_is_refused(tmp_path: Path, notices: list[str], device: str) -> None:
    with pytest.raises(LoadFailed, match=f"device '{device}' is unknown"):
        opened(mlp(tmp_path / "m.onnx"), notices, device=device)


@cuda_build_alone
@pytest.mark.usefixtures("a_driver")
def test_a_silent_fallback_is_an_error_that_names_the_library(
    tmp_path: Path, notices: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    said = r"device cuda was asked for, but m\.onnx does not run there: .* fell back to CPUExecutionProvider: .*\.so"
    with pytest.raises(LoadFailed, match=said):
        opened(mlp(tmp_path / "m.onnx"), notices, device="cuda")
    assert notices == []
    assert capfd.readouterr() == ("", "")


@cuda_build_alone
@pytest.mark.usefixtures("a_driver")
def test_with_auto_a_fallback_is_told(tmp_path: Path, notices: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    found = opened(mlp(tmp_path / "m.onnx"), notices, device="auto")
    assert (found.provider, found.device) == ("CPUExecutionProvider", None)
    assert found.session.get_providers() == ["CPUExecutionProvider"]
    assert not found.session._enable_fallback  # a GPU that fails while serving can't be had here
    [said] = notices
    assert said.startswith("m.onnx runs on the CPU although there is a GPU: ONNX Runtime fell back")
    assert ".so" in said
    assert capfd.readouterr() == ("", "")


@cuda_build_alone
@pytest.mark.usefixtures("a_driver")
def test_a_file_that_is_at_fault_itself_is_not_blamed_on_the_gpu(
    tmp_path: Path, notices: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    for device in ("auto", "cuda"):
        with pytest.raises(LoadFailed, match=r"m\.onnx can't be opened .*Teleport"):
            opened(one_node(tmp_path / "m.onnx", "Teleport"), notices, device=device)
    assert notices == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("a_driver")
def test_a_build_without_cuda_beside_a_gpu_is_told(
    tmp_path: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    path = mlp(tmp_path / "m.onnx")
    opened(path, notices, device="cpu")
    assert notices == []
    opened(path, notices, device="auto")
    assert notices == ["m.onnx runs on the CPU although there is a GPU: this ONNX Runtime is built without CUDA"]
    with pytest.raises(LoadFailed, match="this ONNX Runtime is built without CUDA"):
        opened(path, notices, device="cuda")


class Ran:
    """A session as it says where it runs."""

    def __init__(self, *providers: str, **nodes: int) -> None:
        self._providers, self._nodes = providers, nodes

    def get_providers(self) -> tuple[str, ...]:
        return self._providers

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [Part(name, count) for name, count in self._nodes.items()]


class Part:
    def __init__(self, name: str, count: int) -> None:
        self.ep_name, self._count = name, count

    def get_nodes(self) -> list[None]:
        return [None] * self._count


BOTH = (provider.CUDA, provider.CPU)


def test_a_session_that_runs_on_cuda_is_one_with_nodes_there() -> None:
    assert provider.why_not_on_cuda(Ran(*BOTH, CUDAExecutionProvider=3, CPUExecutionProvider=1)) is None
    assert provider.why_not_on_cuda(Ran(*BOTH)) is None
    told = provider.why_not_on_cuda(Ran(*BOTH, CPUExecutionProvider=1))
    assert told == "CUDA has none of the operators that the model consists of"


def test_the_nodes_of_each_provider_are_counted(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry(provider.RECORD, "1")
    path = mlp(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    nodes = provider.nodes_of(session)
    assert list(nodes) == ["CPUExecutionProvider"]
    assert nodes["CPUExecutionProvider"] >= 3


@cuda_build_alone
@pytest.mark.usefixtures("a_driver")
def test_a_gpu_is_asked_for_by_number_and_with_a_limit() -> None:
    [(name, options), fallback] = provider.providers_for("cuda:3", 512)
    assert (name, fallback) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert (options["device_id"], options["gpu_mem_limit"]) == (3, 512 * 2**20)  # type: ignore[index]
    [(_, unlimited), _] = provider.providers_for("auto")
    assert "gpu_mem_limit" not in unlimited
    assert unlimited["device_id"] == 0  # type: ignore[index]


def test_what_is_left_to_the_cpu_is_told() -> None:
    def runs(**nodes: int) -> str:
        return Merging(session="m", merged=True, why="", provider=provider.CUDA, nodes=nodes).runs

    assert runs() == runs(CUDAExecutionProvider=7) == "m.onnx on CUDAExecutionProvider"
    told = runs(CUDAExecutionProvider=7, CPUExecutionProvider=2)
    assert told == "m.onnx on CUDAExecutionProvider (all but 2 of its 9 nodes)"
