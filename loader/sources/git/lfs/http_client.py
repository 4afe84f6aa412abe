"""The loader's one HTTP client: it reaches servers as git does, and shows a login to the repository's host alone."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import httpx

from loader.sources.git.lfs.http_settings import Reach
from loader.sources.git.remote import Remote


class Unanswered(Exception):
    """A server gave no answer that could be taken; says why, without credentials."""


@dataclass(frozen=True)
class Request:
    """What is asked of a server."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that are meant for this host and for no other."""
    content: bytes | None = None
    """What is posted."""


class Web:
    """Sends requests, and follows redirects. Each use has connections of its own."""

    def __init__(self, remote: Remote, reach: Callable[[str], Reach], home: str) -> None:
        """`home`: where the repository really is."""
        self._remote = remote
        self._reach = reach
        self._home = home
        self._clients: dict[Reach, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def whole(self, request: Request, most: int) -> bytes:
        """The answer, of so many bytes at most. Raises Unanswered."""
        content = bytearray()
        async with self.answer(request) as pieces:
            async for piece in pieces:
                content += piece
                if len(content) > most:
                    raise Unanswered(f"the server's answer is longer than {most:,} bytes")
        return bytes(content)

    @asynccontextmanager
    async def answer(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer piece by piece. Raises Unanswered."""
        try:
            for _ in range(_MOST_REDIRECTS):
                async with self._sent(request) as answer:
                    if not answer.has_redirect_location:
                        answer.raise_for_status()
                        yield answer.aiter_raw(_PIECE)
                        return
                request = _redirected(request, answer.headers["location"])
        except httpx.HTTPStatusError as error:
            raise Unanswered(f"the server answered {error.response.status_code}") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ssl.SSLError) as error:
            raise Unanswered(self._remote.scrub(" ".join(str(error).split()) or type(error).__name__)) from error
        raise Unanswered("the server redirects without end")

    @asynccontextmanager
    async def _sent(self, request: Request) -> AsyncIterator[httpx.Response]:
        reach = self._reach(request.url)
        client = self._client(reach)
        headers = {**request.headers, **self._headers(request.url, reach), **request.own, "Accept-Encoding": "identity"}
        method = "GET" if request.content is None else "POST"
        auth = self._auth(request.url, headers)
        async with client.stream(method, request.url, content=request.content, headers=headers, auth=auth) as answer:
            yield answer

    def _client(self, reach: Reach) -> httpx.AsyncClient:
        if reach not in self._clients:
            context = _context(reach)
            timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
            self._clients[reach] = httpx.AsyncClient(
                verify=context, proxy=_proxy(reach, context), timeout=timeout, trust_env=False
            )
        return self._clients[reach]

    def _headers(self, url: str, reach: Reach) -> Mapping[str, str]:
        name, colon, value = reach.header.partition(":")
        return {name.strip(): value.strip()} if colon and _origin(url) == _origin(self._home) else {}

    def _auth(self, url: str, headers: Mapping[str, str]) -> httpx.Auth:
        """Never None, for then a login that stands in the address would be shown."""
        login = self._remote.login
        own = any(name.lower() == "authorization" for name in headers)
        if login is None or own or _origin(url) != _origin(self._remote.address.url):
            return httpx.Auth()
        return httpx.BasicAuth(login.user, login.password)


_MOST_REDIRECTS = 5
_PIECE = 1 << 20
_CONNECT_S = 20.0
_SILENCE_S = 60.0


def _redirected(request: Request, location: str) -> Request:
    """The same asked elsewhere; Git LFS means a POST to stay one."""
    url = httpx.URL(request.url).join(location)
    if url.scheme not in ("https", "http"):
        raise Unanswered(f"the server redirects to an address of {url.scheme or 'no scheme'}")
    if request.url.lower().startswith("https:") and url.scheme == "http":
        raise Unanswered("the server redirects from https to http, where anybody may read and change what comes")
    own = request.own if _origin(str(url)) == _origin(request.url) else {}
    return replace(request, url=str(url), own=own)


def _origin(url: str) -> tuple[str, str, int | None]:
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port


def _context(reach: Reach) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=reach.authorities or None, capath=reach.authorities_folder or None)
        if reach.certificate:
            # An empty password, so that nobody is asked for one on a terminal.
            context.load_cert_chain(reach.certificate, reach.key or None, password="")
    except OSError as error:
        named = ", ".join(filter(None, (reach.authorities, reach.authorities_folder, reach.certificate, reach.key)))
        raise Unanswered(f"git's certificates ({named}) can't be read: {error}") from error
    if not reach.verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy(reach: Reach, context: ssl.SSLContext) -> httpx.Proxy | None:
    if not reach.proxy:
        return None
    scheme = reach.proxy.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        raise Unanswered(f"the proxy is one of {scheme}; Git LFS takes those of http and https")
    return httpx.Proxy(reach.proxy, ssl_context=context if scheme == "https" else None)
