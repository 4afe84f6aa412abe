"""Files whose every call ends in time, and whose failures are ours, with nothing secret in them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core.errors import PawlError, StoreUnavailable
from core.redaction import redact, secrets_in, without_login
from loader.artifacts.files.deadlines import Deadlines, Late
from loader.artifacts.files.files import Files, Stored, Tree

T = TypeVar("T")


class GuardedFiles:
    """`call_s`: seconds that a call may take; `bytes_per_s`: the rate below which what is large is too slow."""

    def __init__(
        self, files: Files, address: str, *, call_s: float = 30.0, bytes_per_s: float = 1e6, deadlines: Deadlines
    ) -> None:
        self._files = files
        self._address = without_login(address)
        self._secrets = secrets_in(address)
        self._call_s = call_s
        self._bytes_per_s = bytes_per_s
        self._deadlines = deadlines

    def read(self, name: str) -> bytes:
        return self._run_on_it(lambda: self._files.read(name), f"{name} could not be read")

    def read_each(self, names: Sequence[str]) -> list[bytes | None]:
        seconds = self._call_s * (1 + len(names) / 50)
        return self._run(lambda: self._files.read_each(names), f"{len(names)} files could not be read", seconds)

    def write(self, name: str, content: bytes) -> None:
        self._run(lambda: self._files.write(name, content), f"{name} could not be written")

    def create(self, name: str, content: bytes) -> bool:
        return self._run(lambda: self._files.create(name, content), f"{name} could not be written")

    def put(self, tree: Tree) -> None:
        seconds = self._call_s * (1 + len(tree.files) / 50) + tree.size / self._bytes_per_s
        self._run(lambda: self._files.put(tree), f"{tree.at} could not be stored", seconds)

    def touch(self, name: str) -> None:
        self._run_on_it(lambda: self._files.touch(name), f"{name} could not be written")

    def get(self, file: Stored, into: Path) -> None:
        seconds = self._call_s + file.size / self._bytes_per_s
        self._run_on_it(lambda: self._files.get(file, into), f"{file.name} could not be read", seconds)

    def local(self, name: str) -> Path | None:
        return self._files.local(name)

    def files(self, under: str) -> list[Stored]:
        return self._run(lambda: self._files.files(under), f"{under} could not be listed")

    def folders(self, under: str) -> list[str]:
        return self._run(lambda: self._files.folders(under), f"{under} could not be listed")

    def find(self, names: Sequence[str]) -> list[Stored]:
        return self._run(lambda: self._files.find(names), "it could not be listed")

    def remove(self, at: str, first: str) -> None:
        self._run_on_it(lambda: self._files.remove(at, first), f"{at} could not be removed", self._call_s * 10)

    def tidy(self) -> None:
        self._run(self._files.tidy, "it could not be tidied", self._call_s * 10)

    def _run_on_it(self, work: Callable[[], T], failure: str, seconds: float | None = None) -> T:
        """Also raises FileNotFoundError: it may not be there."""

        def look() -> tuple[T] | FileNotFoundError:
            try:
                return (work(),)
            except FileNotFoundError as error:
                return error

        found = self._run(look, failure, seconds)
        if isinstance(found, FileNotFoundError):
            raise found
        return found[0]

    def _run(self, work: Callable[[], T], failure: str, seconds: float | None = None) -> T:
        try:
            return self._deadlines.run(work, seconds or self._call_s)
        except PawlError:
            raise
        except Late as error:
            raise StoreUnavailable(f"{failure} in the store {self._address}: {error}; {_SLOW}") from error
        except Exception as error:
            what, to_do = _words(error)
            text = f"{failure} in the store {self._address}: {what}; {to_do}"
            raise StoreUnavailable(redact(text, self._secrets)) from error


_SLOW = "see whether the store answers at all"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_DENIALS = ("access_denied", "accessdenied", "forbidden", "permission", "unauthorized", "authoriz", "403", "401")


def _words(error: Exception) -> tuple[str, str]:
    """What went wrong, and what to do."""
    text = " ".join(str(error).split())[:500] or type(error).__name__
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL:
        return text, "make room there, or raise its quota"
    if number in _FORBIDDEN or any(word in text.lower() for word in _DENIALS):
        return text, "let Pawl read and write there"
    return text, "see to the store and to what ARTIFACTS says"
