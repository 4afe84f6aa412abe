from __future__ import annotations

import signal
import socket
from pathlib import Path

from tests.cluster.sandbox import HAS_BUBBLEWRAP, Container, Mount, start
from tests.trainer.kubernetes.test_job import fetch
from tests.waiting import PATIENCE_S, wait_for


def test_it_ends_when_it_is_told_to_in_the_middle_of_a_fetch(tmp_path: Path) -> None:
    """As the first process of its container: a run that is cancelled then does not hold its place for its grace."""
    container = fetch()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        given = {one["name"]: one["value"] for one in container["env"]}
        given["PAWL_GIT_PATH"] = f"http://127.0.0.1:{silent.getsockname()[1]}/models.git"
        volumes = []
        for mount in container["volumeMounts"]:
            (tmp_path / mount["name"]).mkdir()
            volumes.append(Mount(tmp_path / mount["name"], mount["mountPath"]))
        output = tmp_path / "output"
        process = start(Container(container["command"], given, volumes, volumes, 1000, output), HAS_BUBBLEWRAP)
        try:
            with silent.accept()[0]:
                process.signal(signal.SIGTERM)
                wait_for(lambda: process.status() is not None, "its end", output.read_text)
        finally:
            process.kill()
    assert process.status() == 128 + signal.SIGTERM
