"""The server finds the API server, its namespace and its image as a pod does: by what Kubernetes mounts there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest
import yaml

from tests.cluster.api import TOKEN
from tests.cluster.cluster import NAMESPACE, cluster
from tests.cluster.installation import Installation
from tests.cluster.kubelet import IMAGE
from tests.cluster.objects import PODS
from tests.deploy.pods import needs_mounts
from tests.emulators import s3
from tests.githttp import git_server
from tests.serving import Server, serving
from trainer.kubernetes.api_server import ACCOUNT

POD = "pawl-6d5f4c7b9-x2x4z"

TRAIN = """
from pathlib import Path

def train(output):
    Path(output, "weight.txt").write_text("3")
    return 1.0
"""
ETLS = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"]}
"""

pytestmark = needs_mounts


class InstalledInPod(Installation):
    """Without a KUBECONFIG and without TRAIN_IMAGE."""

    def _started(self) -> Server:
        (named,) = yaml.safe_load(Path(self.settings["KUBECONFIG"]).read_text())["clusters"]
        host, _, port = named["cluster"]["server"].removeprefix("https://").partition(":")
        account = self.data.with_name("account")
        account.mkdir(exist_ok=True)
        for name, content in {"token": TOKEN, "namespace": NAMESPACE}.items():
            (account / name).write_text(content)
        certificate = Path(f"{named['cluster']['certificate-authority']}.crt")
        (account / "ca.crt").write_bytes(certificate.read_bytes())
        settings = {name: value for name, value in self.settings.items() if name not in ("KUBECONFIG", "TRAIN_IMAGE")}
        where = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        return self._stack.enter_context(serving(self.data, by=with_account(account), **settings, **where))


def with_account(account: Path) -> tuple[str, ...]:
    """The program that becomes another with that folder as its service account's, and the pod's host name."""
    place = ACCOUNT.parent.parent.resolve()  # /var/run/secrets
    lines = ["set -e", f"echo {POD} > /proc/sys/kernel/hostname", f"mount -t tmpfs tmpfs {place.parent}"]
    lines += [f"mkdir -p {place}/{ACCOUNT.parent.name}", f"cp -r {quote(str(account))} {place}/{ACCOUNT.parent.name}/"]
    lines += [f"mv {place}/{ACCOUNT.parent.name}/{account.name} {place}/{ACCOUNT.parent.name}/{ACCOUNT.name}"]
    lines += ['exec "$@"']
    return "unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", "\n".join(lines), "sh"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    with cluster(tmp_path) as one, git_server(tmp_path / "git") as git, s3() as endpoint:
        own = {
            "metadata": {"name": POD},
            "spec": {"containers": [{"name": "pawl", "image": IMAGE}]},
            "status": {"phase": "Succeeded"},  # nothing is to be started for it
        }
        one.objects.create(PODS, NAMESPACE, own)
        made = InstalledInPod(tmp_path, one, git, endpoint)
        try:
            yield made
        finally:
            made.close()


def test_a_commit_is_trained_as_a_job_with_the_servers_image(here: Installation) -> None:
    here.push("Scale", train_py=TRAIN, etls_py=ETLS)
    run = here.run("Scale", "succeeded")["run"]
    here.server.wait_live("Scale", "v1")
    assert here.server.score("Scale", x=2) == {"scaled": 6.0}
    (job,) = here.jobs(run)
    assert job["metadata"]["namespace"] == NAMESPACE
    assert {one["image"] for one in job["spec"]["template"]["spec"]["containers"]} == {IMAGE}
