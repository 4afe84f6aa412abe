"""OpenTelemetry's standard variables, as far as they decide whether and which requests are traced.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. What they say of the exporter
(address, headers, time limits) its own library reads.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec

from gateway.messages import Sampling

log = logging.getLogger("pawl.traces")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_INSTALL = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
_PROTOCOL = "http/protobuf"
_SAMPLERS = {
    "always_on": (1.0, False),
    "always_off": (0.0, False),
    "parentbased_always_on": (1.0, True),
    "parentbased_always_off": (0.0, True),
    "traceidratio": (None, False),
    "parentbased_traceidratio": (None, True),
}
"""The share by each name, None for the argument's, and whether callers decide."""
_DEFAULT_SAMPLER = "parentbased_always_on"


def sampling(environ: Mapping[str, str]) -> Sampling | None:
    """Which requests are traced; None where nobody asks for traces, or they can't be sent. Then the log says why."""
    if not _is_asked_for(environ):
        return None
    if missing := [package for package in _PACKAGES if not _is_installed(package)]:
        log.warning("requests are not traced: %s is not installed; pip install %s", missing[0], _INSTALL)
        return None
    protocol = _value(environ, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or _value(environ, "OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in ("", _PROTOCOL):
        log.warning("requests are not traced: the protocol is %s; Pawl speaks %s", protocol, _PROTOCOL)
        return None
    return _sampling(_value(environ, "OTEL_TRACES_SAMPLER"), _value(environ, "OTEL_TRACES_SAMPLER_ARG"))


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    if _value(environ, "OTEL_SDK_DISABLED") == "true":
        return False
    exporter = _value(environ, "OTEL_TRACES_EXPORTER")
    has_address = any(_value(environ, name) for name in _ENDPOINTS)
    return exporter == "otlp" or (exporter == "" and has_address)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package around it is not there
        return False


def _sampling(name: str, argument: str) -> Sampling:
    if name and name not in _SAMPLERS:
        known = ", ".join(_SAMPLERS)
        log.warning("OTEL_TRACES_SAMPLER is %s; one of %s is taken, and now %s", name, known, _DEFAULT_SAMPLER)
    share, heeds_parent = _SAMPLERS.get(name, _SAMPLERS[_DEFAULT_SAMPLER])
    return Sampling(share=_share(argument) if share is None else share, heeds_parent=heeds_parent)


def _share(argument: str) -> float:
    try:
        share = float(argument or 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        log.warning("OTEL_TRACES_SAMPLER_ARG is %s; a number from 0 to 1 is taken, and now 1", argument)
        return 1.0
    return share


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip().lower()
