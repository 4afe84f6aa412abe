"""The server of Git LFS over http and https.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import httpx

from core.errors import ReleaseFailed
from loader.files.pointer import Pointer, failed
from loader.repository.remote import Remote


class LfsServer:
    """Downloads large files. The login goes to the repository's own host and to no other."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._end = time.monotonic() + remote.fetch_timeout_s
        # As git: the system's authorities, or the file that is named for git.
        authorities = os.environ.get("GIT_SSL_CAINFO") or None
        context = ssl.create_default_context(cafile=authorities)
        self._client = httpx.Client(verify=context, follow_redirects=True, timeout=httpx.Timeout(60.0, connect=20.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def download(self, pointers: Sequence[Pointer]) -> Iterator[tuple[Pointer, Iterator[bytes]]]:
        """Each file as a stream, to be read before the next. Raises ReleaseFailed."""
        for first in range(0, len(pointers), _BATCH):
            batch = pointers[first : first + _BATCH]
            found = self._ask(batch)
            for pointer in batch:
                yield pointer, self._stream(pointer, _action(pointer, found.get(pointer.oid)))

    def _ask(self, pointers: Sequence[Pointer]) -> Mapping[str, Any]:
        """What the server says of each object, by its hash."""
        body = {
            "operation": "download",
            "transfers": ["basic"],
            "hash_algo": "sha256",
            "objects": [{"oid": pointer.oid, "size": pointer.size} for pointer in pointers],
        }
        url = self._remote.address.url.rstrip("/").removesuffix(".git") + ".git/info/lfs/objects/batch"
        headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        try:
            answer = self._client.post(url, json=body, headers=headers, auth=self._auth(url, headers))
            answer.raise_for_status()
            return {one["oid"]: one for one in answer.json()["objects"]}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise self._failure(pointers[0], error) from error

    def _stream(self, pointer: Pointer, action: Mapping[str, Any]) -> Iterator[bytes]:
        headers = {str(name): str(value) for name, value in (action.get("header") or {}).items()}
        url = str(action["href"])
        try:
            with self._client.stream("GET", url, headers=headers, auth=self._auth(url, headers)) as answer:
                answer.raise_for_status()
                for piece in answer.iter_bytes(1 << 20):
                    if time.monotonic() > self._end:
                        raise failed(pointer, "takes too long to come from Git LFS; raise FETCH_TIMEOUT_S")
                    yield piece
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failure(pointer, error) from error

    def _auth(self, url: str, headers: Mapping[str, str]) -> httpx.Auth:
        login = self._remote.login
        own = any(name.lower() == "authorization" for name in headers)
        if login is None or own or not url.startswith(f"{self._remote.address.origin}/"):
            return httpx.Auth()
        return httpx.BasicAuth(login.user, login.password)

    def _failure(self, pointer: Pointer, error: Exception) -> ReleaseFailed:
        if isinstance(error, httpx.HTTPStatusError):
            why = f"the server answered {error.response.status_code}"
        else:
            why = self._remote.scrub(" ".join(str(error).split()) or type(error).__name__)
        return failed(pointer, f"could not be had from Git LFS ({why}); check that the login may read it there")


_MEDIA_TYPE = "application/vnd.git-lfs+json"
_BATCH = 100


def _action(pointer: Pointer, found: Any) -> Mapping[str, Any]:
    try:
        action = found["actions"]["download"]
        assert str(action["href"]).startswith(("https://", "http://"))
    except (TypeError, KeyError, AssertionError) as error:
        said = found.get("error", {}).get("message") if isinstance(found, dict) else None
        message = f"is not in Git LFS on the server ({said or 'no way to download it was given'}); git lfs push it"
        raise failed(pointer, message) from error
    return dict(action)
