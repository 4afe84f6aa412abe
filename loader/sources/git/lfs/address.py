"""Where the followed repository's Git LFS server is.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md
"""

from __future__ import annotations

from core.errors import SettingError
from core.redaction import without_login
from loader.files.git_objects import MirrorDamaged
from loader.sources.git.lfs.operator_settings import Operator
from loader.sources.git.mirror.mirror import Mirror
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.git.remote import Remote, parse_address


class NoLfsServer(Exception):
    """There is none that we would ask; says why."""


class LfsAddress:
    """What the operator's git configuration names, else `.lfsconfig` at the head, else the repository's own."""

    def __init__(self, remote: Remote, mirror: Mirror, operator: Operator) -> None:
        self._remote = remote
        self._mirror = mirror
        self._operator = operator

    def find(self) -> str:
        """The address of its API, free of credentials. Raises NoLfsServer."""
        named = self._operator.value("lfs.url") or self._named_by_the_repository()
        if named:
            return _web_address(self._operator.rewritten(named))
        home = self._operator.rewritten(self._remote.address.url)
        if self._remote.address.scheme == "file":
            raise NoLfsServer(f"{self._remote.address.path} does not hold its content; run git lfs fetch there")
        if not home.startswith(("https://", "http://")):
            raise NoLfsServer(
                "Git LFS is not read over ssh; set gitPath to the repository's https address, or lfs.url in .lfsconfig"
            )
        return home.rstrip("/").removesuffix(".git") + ".git/info/lfs"

    def _named_by_the_repository(self) -> str:
        try:
            with self._mirror.reading() as objects:
                return self._setting(objects)
        except (MirrorDamaged, ValueError) as error:
            raise NoLfsServer(f".lfsconfig can't be read: {error}") from error

    def _setting(self, objects: MirrorObjects) -> str:
        head = self._mirror.head(objects)
        entries = objects.tree(objects.root(head)) if head else ()
        file = next((entry for entry in entries if entry.name == b".lfsconfig" and entry.is_file), None)
        if file is None:
            return ""
        if objects.size(file.id) > _LONGEST_CONFIGURATION:
            raise ValueError(f"it is longer than {_LONGEST_CONFIGURATION:,} bytes")
        return objects.setting(file.id, "lfs.url")


_LONGEST_CONFIGURATION = 65_536


def _web_address(url: str) -> str:
    try:
        address = parse_address(url)
    except SettingError:
        address = None
    if address is None or not address.is_web:
        raise NoLfsServer(f"lfs.url is {without_login(url)!r}; it takes the address of a server of http or https")
    return address.url.rstrip("/")
