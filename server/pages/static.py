"""The files that pages need, named by their content, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import STATIC

_HERE = Path(__file__).parent
FILES = (
    *(_HERE / "static" / name for name in ("pawl.css", "pawl.js", "monitoring.js", "docs.css", "docs.js", "pawl.svg")),
    *(_HERE / "vendor" / "htmx" / name for name in ("htmx.min.js", "hx-csp.min.js")),
    *(_HERE / "vendor" / "uplot" / name for name in ("uPlot.iife.min.js", "uPlot.min.css")),
    *(_HERE / "vendor" / "swagger-ui" / name for name in ("swagger-ui.css", "swagger-ui-bundle.js")),
)


class _File:
    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.digest = hashlib.sha256(self.content).hexdigest()[:16]
        self.media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)


class Static:
    """Serves them, and knows where."""

    def __init__(self, paths: Iterable[Path] = FILES) -> None:
        self._files: dict[str, _File] = {}
        self._keys: dict[str, str] = {}
        for path in paths:
            file = _File(path)
            self._keys[path.name] = f"{file.digest}/{path.name}"
            self._files[self._keys[path.name]] = file

    def path(self, name: str) -> str:
        """Where the file is, below the base path."""
        return STATIC.template.replace("{digest}/{name}", self._keys[name])

    def packed_size(self, name: str) -> int:
        """Bytes of the file as it is sent to who takes it compressed."""
        return len(self._files[self._keys[name]].compressed)

    def routes(self) -> list[Route]:
        return [Route(STATIC.template, self._serve)]

    def _serve(self, request: Request) -> Response:
        file = self._files.get("{digest}/{name}".format(**request.path_params))
        if file is None:
            raise HTTPException(404, "there is no such file")
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "vary": "Accept-Encoding",
            "x-content-type-options": "nosniff",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.compressed, media_type=file.media_type, headers=headers | {"content-encoding": "gzip"})
        return Response(file.content, media_type=file.media_type, headers=headers)
