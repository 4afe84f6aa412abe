"""What git makes of the operator's configuration, asked of git itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loader.sources.git.lfs.http_settings import Reach, reach
from loader.sources.git.mirror.git import ask


class Operator:
    """The configuration that `environment` tells git."""

    def __init__(self, environment: Callable[[], Mapping[str, str]]) -> None:
        self._environment = environment

    def value(self, key: str) -> str:
        """The last value of that key; "" for none."""
        return self._ask("config", "--null", "--get", key).partition("\0")[0]

    def rewritten(self, url: str) -> str:
        """The address that git would use instead of `url`, by `url.….insteadOf`."""
        return self._ask("ls-remote", "--get-url", "--", url).removesuffix("\n") or url

    def reach(self, url: str) -> Reach:
        found = self._ask("config", "--null", "--get-urlmatch", "http", url)
        pairs = (line.partition("\n") for line in found.split("\0") if line)
        return reach(url, {key: value for key, _, value in pairs})

    def _ask(self, *arguments: str) -> str:
        return ask(arguments, self._environment())
