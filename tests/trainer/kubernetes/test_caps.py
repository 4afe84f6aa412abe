"""What an operator lets runs ask of the cluster."""

from __future__ import annotations

import msgspec
import pytest

from core.manifest.train import Train
from core.runs.states import Reason
from trainer.kubernetes.caps import Caps, cores_of, patterns

OWN = "pawl:1"


def refusal(caps: Caps, **train: object) -> str:
    """What is said; empty: nothing is."""
    failure = caps.refusal(msgspec.convert(train, Train), OWN)
    assert failure is None or failure.reason is Reason.BAD_CONTRACT
    assert failure is None or not failure.heals
    return "" if failure is None else failure.message


@pytest.mark.parametrize(
    ("caps", "train"),
    [
        (Caps(), {"resources": {"cpu": 64, "memory": "500Gi", "gpu": 8}}),
        (Caps(cpu="4"), {"resources": {"cpu": 4}}),
        (Caps(cpu="500m"), {"resources": {"cpu": "500m"}}),
        (Caps(memory="2Gi"), {"resources": {"memory": "2Gi"}}),
        (Caps(gpu=1), {"resources": {"gpu": 1}}),
        (Caps(gpu=0), {}),
        (Caps(), {"image": OWN}),
        (Caps(images=("registry.example/ml/*",)), {"image": "registry.example/ml/torch:2"}),
        (Caps(env_from=("team-*",)), {"env_from": ["team-a", "secret/team-b", "configmap/team-c"]}),
        (Caps(env_from=("configmap/*",)), {"env_from": ["configmap/endpoints"]}),
    ],
)
def test_what_is_within_them_is_let_through(caps: Caps, train: dict[str, object]) -> None:
    assert refusal(caps, **train) == ""


@pytest.mark.parametrize(
    ("caps", "train", "message"),
    [
        (Caps(cpu="4"), {"resources": {"cpu": 4.5}}, "train.resources.cpu is 4.5, more than this server allows"),
        (Caps(cpu="500m"), {"resources": {"cpu": "501m"}}, "TRAIN_MAX_CPU is 500m"),
        (Caps(memory="2G"), {"resources": {"memory": "2Gi"}}, "TRAIN_MAX_MEMORY is 2G"),
        (Caps(memory="2Gi"), {"resources": {"memory": 2**31 + 1}}, "TRAIN_MAX_MEMORY is 2Gi"),
        (Caps(gpu=0), {"resources": {"gpu": 1}}, "TRAIN_MAX_GPU is 0"),
        (Caps(), {"image": "other:1"}, "train.image names other:1"),
        (Caps(images=("registry.example/ml/*",)), {"image": "registry.example/other:1"}, "TRAIN_IMAGES is registry"),
        (Caps(), {"env_from": ["pawl"]}, "TRAIN_ENV_FROM is empty"),
        (Caps(env_from=("team-*",)), {"env_from": ["team-a", "secret/pawl"]}, "train.env_from names secret/pawl"),
        (Caps(env_from=("configmap/*",)), {"env_from": ["endpoints"]}, "train.env_from names endpoints"),
        (Caps(env_from=("configmap/*",)), {"env_from": ["secret/endpoints"]}, "secret/endpoints"),
    ],
)
def test_what_is_beyond_them_says_which_and_whom_to_ask(caps: Caps, train: dict[str, object], message: str) -> None:
    said = refusal(caps, **train)
    assert message in said
    assert "operator" in said


def test_patterns_are_joined_by_commas_or_spaces() -> None:
    assert patterns(" a*, b c,d ") == ("a*", "b", "c", "d")
    assert patterns("  ") == ()


def test_cores_are_told_whole_or_in_thousandths() -> None:
    assert [cores_of(text) for text in ("2", 0.5, "250m")] == [2.0, 0.5, 0.25]
