"""Object stores by their addresses: S3, Google Cloud Storage, Azure. The one module that imports pyarrow.

It does so where an address is used: pyarrow takes a part of a second and 60 MB, which most servers never need.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("s3", "gs", "abfs", "abfss")
_S3_OPTIONS = frozenset({"region", "endpoint_override", "scheme"})
_AZURE_OPTIONS = frozenset({"endpoint_override", "scheme"})
_CONNECT_S = 10.0
_RETRY_LIMIT_S = 20


def connect(address: str) -> tuple[Any, str]:
    """A `pyarrow.fs.FileSystem`, and the path that the address means in it.

    Who may do what comes from the address, or from where each store's own tools look for it (`AWS_ACCESS_KEY_ID`,
    `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_CLIENT_ID`, the machine's or the pod's identity). Raises ValueError for an
    address that isn't one, and what pyarrow raises.
    """
    scheme = urlsplit(address).scheme
    if scheme == "s3":
        return _s3(address)
    if scheme in ("abfs", "abfss"):
        return _azure(address)
    if scheme not in SCHEMES:
        raise ValueError(f"addresses of stores begin with {', '.join(f'{one}://' for one in SCHEMES)}")
    from pyarrow import fs

    if "retry_limit_seconds" not in address:
        address += f"{'&' if '?' in address else '?'}retry_limit_seconds={_RETRY_LIMIT_S}"
    files, path = fs.FileSystem.from_uri(address)
    return files, path.rstrip("/")


def list_folder(files: Any, path: str) -> list[Any]:
    """`pyarrow.fs.FileInfo` of what is in it and its folders; none where it isn't there."""
    from pyarrow import fs

    found: list[Any] = files.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    return found


def _s3(address: str) -> tuple[Any, str]:
    from pyarrow import fs

    parts = urlsplit(address)
    options = _options(parts.query, _S3_OPTIONS)
    login, _, bucket = parts.netloc.rpartition("@")
    key, _, secret = login.partition(":")
    files = fs.S3FileSystem(
        access_key=unquote(key) or None,
        secret_key=unquote(secret) or None,
        region=options.get("region") or _region(bucket, "endpoint_override" in options),
        endpoint_override=options.get("endpoint_override"),
        scheme=options.get("scheme", "https"),
        connect_timeout=_CONNECT_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
        allow_delayed_open=True,  # a small file is one request
    )
    return files, f"{bucket}{unquote(parts.path)}".rstrip("/")


def _azure(address: str) -> tuple[Any, str]:
    """`abfs://CONTAINER[:KEY]@ACCOUNT[.dfs.core.windows.net]/PATH`; other hosts by `endpoint_override`."""
    from pyarrow import fs

    parts = urlsplit(address)
    options = _options(parts.query, _AZURE_OPTIONS)
    login, _, host = parts.netloc.rpartition("@")
    container, _, key = login.partition(":")
    if not container:
        raise ValueError("addresses of Azure are abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
    key = unquote(key) or os.environ.get("AZURE_STORAGE_KEY", "")
    elsewhere, scheme = options.get("endpoint_override"), options.get("scheme", "https")
    if scheme != "https" and not key:
        raise ValueError("without https, Azure takes a key alone: abfs://CONTAINER:KEY@ACCOUNT/PATH")
    files = fs.AzureFileSystem(
        account_name=host.split(".")[0],
        account_key=key or None,
        blob_storage_authority=elsewhere,
        dfs_storage_authority=elsewhere,
        blob_storage_scheme=scheme,
        dfs_storage_scheme=scheme,
    )
    return files, f"{container}{unquote(parts.path)}".rstrip("/")


def _options(query: str, known: frozenset[str]) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - known:
        raise ValueError(f"the address has {', '.join(sorted(unknown))}; it takes {', '.join(sorted(known))}")
    return options


def _region(bucket: str, is_elsewhere: bool) -> str | None:
    """None where pyarrow finds it in the environment."""
    if any(os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")):
        return None
    if is_elsewhere or any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")):
        return "us-east-1"
    from pyarrow import fs

    return str(fs.resolve_s3_region(bucket))
