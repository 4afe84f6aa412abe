"""A server as a pod of deploy/k8s runs it, without a cluster: with its mounts and its user, which takes root."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import pytest

from tests.serving import ROOT, Server, serving

PROGRAMS = ("unshare", "mount", "chroot", "setpriv")
UID = 12345
"""One that /etc/passwd doesn't know."""

_OURS = {"data", "dev", "models", "proc", "sys", "tmp"}

needs_mounts = pytest.mark.skipif(
    os.getuid() != 0 or not all(map(shutil.which, PROGRAMS)),
    reason="NO POD'S MOUNTS HERE: they take root, and apt-get install util-linux",
)


def as_pod(data: Path, models: Path, uid: int = UID) -> tuple[str, ...]:
    """The program that becomes another with a read-only root but for /data and /tmp, as a user of the group 0 that has
    no capabilities and gains none. `data` is at /data, `models` at /models."""
    root = "/mnt"  # of a mount namespace that ends with the program
    lines = ["set -e", f"mount -t tmpfs -o mode=0755 tmpfs {root}", *_binds(root)]
    lines += [f"mkdir {root}/data {root}/models {root}/proc {root}/dev {root}/tmp"]
    lines += [f"mount --rbind /{name} {root}/{name}" for name in ("proc", "dev")]
    lines += [f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp", f"mount --bind {quote(str(data))} {root}/data"]
    lines += [f"mount --bind -o ro {quote(str(models))} {root}/models", f"mount -o remount,ro {root}"]
    user = f"--reuid={uid} --regid=0 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs"
    lines += [f"""exec chroot {root} setpriv {user} -- sh -c 'cd {ROOT}; exec "$@"' "$@" """]
    return "unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines), "sh", "sh"


def _binds(root: str) -> Iterator[str]:
    """What shows below `root` what there is at the root, but for what is the pod's own."""
    for entry in sorted(Path("/").iterdir()):
        if entry.is_symlink():
            yield f"ln -s {os.readlink(entry)} {root}{entry}"
        elif entry.is_dir() and entry.name not in _OURS:
            yield f"mkdir {root}{entry}; mount --rbind -o ro {entry} {root}{entry}"
    for path in (Path(sys.base_prefix), ROOT):
        yield from _opened(root, path)


def _opened(root: str, path: Path) -> Iterator[str]:
    """What shows `path` to every user, where a folder above it is closed to others, as root's home is."""
    closed = [above for above in path.parents if not above.stat().st_mode & stat.S_IXOTH]
    if closed:
        yield f"mount -t tmpfs -o mode=0755 tmpfs {root}{closed[-1]}"
        yield f"(umask 022; mkdir -p {root}{path}); mount --rbind -o ro {path} {root}{path}"


def volume(path: Path) -> Path:
    """An empty volume as Kubernetes hands it out for `fsGroup: 0`: the group may write to it."""
    path.mkdir()
    path.chmod(0o2775)
    return path


@contextmanager
def pod(data: Path, models: Path, *, ready: bool = True, git: str = "/models", **settings: str) -> Iterator[Server]:
    """A server whose data is in the folder `data` and whose repository is `models`; an empty `git`: the examples."""
    inside = {"DATA_DIR": "/data", "HOME": "/", "XDG_CACHE_HOME": "/tmp/.cache", **settings}
    with serving(data, git or None, ready=ready, by=as_pod(data, models), **inside) as server:
        yield server
