"""`python -m trainer.fetch_code`: a pod's first container. It fetches the commit of the attempt in PAWL_SPEC, and
leaves the code and the spec where the second finds them.

It sees the login for the repository and nothing of the store; the second, the other way round. Exit code 1: the last
line of what it prints says why.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.errors import PawlError
from core.release import Revision
from core.runs.runs import RunSpec
from core.settings.reading import read_settings
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from trainer.demand.code_folders import CodeFolders

SPEC = "PAWL_SPEC"


class CodeChanged(PawlError):
    """What the commit holds is not what the run is for."""


def main(environ: Mapping[str, str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _end)
    try:
        spec = msgspec.json.decode(environ[SPEC], type=RunSpec)
        fetch(spec, _remote(environ, spec.commit))
    except (PawlError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end(number: int, _: object) -> None:
    """As the signal would, were this not the first process of its container, which the kernel spares."""
    os._exit(128 + number)


def fetch(spec: RunSpec, remote: Remote) -> None:
    """Raises PawlError, OSError."""
    data = Path(spec.data_dir)
    (data / "run").mkdir(parents=True, exist_ok=True)
    source = GitSource(remote, data)
    try:
        revision = _revision(source, spec)
        CodeFolders(Path(spec.root).parent, source.check_out).put(revision)
    finally:
        source.close()
    folder = Path(spec.home) / f"a{spec.attempt}"
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".spec.tmp"
    aside.write_bytes(msgspec.json.encode(spec))
    aside.rename(folder / "spec.json")


def _revision(source: GitSource, spec: RunSpec) -> Revision:
    """Of the commit, or, where the remote gives only whole branches, of the followed one or its history."""
    head = source.look()
    candidate = head.models.get(spec.model)
    if candidate is None or candidate.version.commit != spec.commit:
        candidate = source.resolve(spec.model, spec.commit)
    if candidate.revision is None:
        raise candidate.failure or CodeChanged(f"{spec.model} can't be read at commit {spec.commit}")
    if candidate.revision.code_key != spec.code_key:
        raise CodeChanged(
            f"the code of {spec.model} at commit {spec.commit} has the key {candidate.revision.code_key}, not "
            f"{spec.code_key}: the pod's image has another Pawl than the server; see to TRAIN_IMAGE"
        )
    return candidate.revision


def _remote(environ: Mapping[str, str], commit: str) -> Remote:
    """Raises SettingError."""
    settings = read_settings({name: value for name, value in environ.items() if name != SPEC})
    return Remote(
        url=settings.git_path,
        branch=settings.git_branch,
        folder=settings.git_folder,
        commit=commit,
        user=settings.usergit,
        password=settings.gitpassword,
        ssh_key_file=settings.git_ssh_key_file,
        known_hosts_file=settings.git_known_hosts_file,
        fetch_timeout_s=settings.fetch_timeout_s,
        max_bytes=settings.fetch_max_mb * 2**20,
    )


if __name__ == "__main__":
    status = main(os.environ)
    sys.stderr.flush()
    os._exit(status)  # whatever a thread of the source still waits for
