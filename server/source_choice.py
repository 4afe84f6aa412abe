"""Which source the settings name."""

from __future__ import annotations

from pathlib import Path

from core.errors import SettingError
from core.settings.settings import Settings
from loader.releases.live_file import LiveFile
from loader.sources.git.remote import Remote, parse_address
from loader.sources.git.source import GitSource
from loader.sources.source import Source
from server.process.data_dir import DataDir

LOCAL = Path("models_serve")


def followed(settings: Settings) -> str:
    """What is followed, without its credentials. Raises SettingError."""
    if not settings.git_path:
        return str(LOCAL.absolute())
    address = parse_address(settings.git_path)
    return " ".join((address.url, settings.git_branch, settings.git_folder.strip("/"))).rstrip()


def open_source(settings: Settings, home: DataDir, live_file: LiveFile) -> Source:
    """The repository at `gitPath`, or the local folder. Raises SettingError."""
    if not settings.git_path:
        return _local(live_file)
    remote = Remote(
        url=settings.git_path,
        branch=settings.git_branch,
        folder=settings.git_folder,
        user=settings.usergit,
        password=settings.gitpassword,
        ssh_key_file=settings.git_ssh_key_file,
        known_hosts_file=settings.git_known_hosts_file,
        fetch_timeout_s=settings.fetch_timeout_s,
        max_bytes=settings.fetch_max_mb * 2**20,
    )
    return GitSource(remote, home.path)


def _local(live_file: LiveFile) -> Source:
    folder = LOCAL.absolute()
    if not folder.is_dir():
        raise SettingError(
            f"there is nothing to serve: gitPath names no repository, and there is no folder {folder}; set gitPath, or "
            f"start where that folder is, or make one: each folder in it that holds an etls.py is a model"
        )
    from loader.sources.local.source import LocalSource

    return LocalSource(folder, live_file.seen, forgotten=live_file.forgotten)
