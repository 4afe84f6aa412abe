"""`python -m server.process.health`: whether the server that this environment sets answers; for a container.

Exit code: 0 when `/healthz` answers 200, 1 when not.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import unquote, urlsplit

from core.errors import PawlError
from core.paths import HEALTH
from core.settings.reading import read_settings
from server.process.listening import url_of

_PATIENCE_S = 4.0


class Unhealthy(PawlError):
    """The server does not answer, or not with 200."""


def main() -> int:
    try:
        settings = read_settings(os.environ)
        _ask(url_of(settings.host, settings.port))
    except PawlError as error:
        print(f"pawl: {error}", file=sys.stderr)
        return 1
    return 0


def _ask(url: str) -> None:
    address = urlsplit(url)
    connection = HTTPConnection(unquote(address.hostname or ""), address.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", HEALTH.template)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise Unhealthy(f"{url}{HEALTH.template} does not answer: {error}") from error
    finally:
        connection.close()
    if status != 200:
        raise Unhealthy(f"{url}{HEALTH.template} answers {status}")


if __name__ == "__main__":
    sys.exit(main())
