"""Who sees which variables in the pod of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.serving import ROOT

ASK = """
import json, os, sys
from trainer.attempt.pod import take_logins
environ = json.load(sys.stdin)
taken = take_logins(environ)
json.dump({"own": environ, "code": dict(taken.of_code), "builds": dict(taken.of_builds)}, sys.stdout)
"""


def taken(**environ: str) -> dict[str, Mapping[str, str]]:
    """In a process of its own, which nobody may look into from then on."""
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, input=json.dumps(environ), capture_output=True, text=True, cwd=ROOT, check=True)
    found: dict[str, Mapping[str, str]] = json.loads(done.stdout)
    return found


def test_the_login_for_the_store_is_the_process_s_and_that_for_the_index_the_builds() -> None:
    found = taken(HOME="/work", PAWL_STORE_AWS_ACCESS_KEY_ID="store", PAWL_INDEX_UV_INDEX_URL="index", TEAM="a")
    assert found["code"] == {"HOME": "/work", "TEAM": "a"}
    assert found["builds"] == {"HOME": "/work", "TEAM": "a", "UV_INDEX_URL": "index"}
    assert found["own"]["AWS_ACCESS_KEY_ID"] == "store"


@pytest.mark.parametrize(
    "identity",
    [
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/pawl"},
        {
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/secrets/token",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        },
        {
            "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/token",
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
        },
    ],
    ids=lambda identity: next(iter(identity)),
)
def test_the_identity_of_the_pod_is_the_process_s_alone(identity: dict[str, str]) -> None:
    found = taken(**identity, AWS_REGION="eu-central-1")
    assert found["own"].items() >= identity.items()
    assert found["code"] == found["builds"] == {"AWS_REGION": "eu-central-1"}


def test_a_login_of_the_folder_s_own_is_the_code_s() -> None:
    found = taken(AWS_ACCESS_KEY_ID="team", AZURE_CLIENT_ID="team")
    assert found["code"] == {"AWS_ACCESS_KEY_ID": "team", "AZURE_CLIENT_ID": "team"}
