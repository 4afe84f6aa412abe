"""What an API server refuses: objects that break their schema, strictly, and the rules that no schema holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from tests.cluster import strict
from tests.cluster.objects import Problem

VERSION = "1.37"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_LONGEST_VARIABLE = 131_072


def check(object: Mapping[str, Any]) -> None:
    """Raises Problem."""
    try:
        strict.validate(object, VERSION)
    except jsonschema.ValidationError as error:
        where = ".".join(map(str, error.path))
        raise Problem(400, "BadRequest", f"strict decoding error: {where}: {error.message}") from error
    wrong = list(_wrong(object))
    if wrong:
        name = object["metadata"]["name"]
        raise Problem(422, "Invalid", f'{object["kind"]} "{name}" is invalid: {"; ".join(wrong)}')


def _wrong(object: Mapping[str, Any]) -> Iterator[str]:
    metadata = object["metadata"]
    if not _NAME.fullmatch(metadata["name"]):
        yield f"metadata.name: {metadata['name']!r}"
    yield from _wrong_metadata(metadata)
    if object["kind"] == "Job":
        template = object["spec"]["template"]
        yield from _wrong_metadata(template.get("metadata", {}))
        if template["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
            yield "spec.template.spec.restartPolicy: Required value: valid values: OnFailure, Never"
        yield from _wrong_pod(template["spec"])


def _wrong_metadata(metadata: Mapping[str, Any]) -> Iterator[str]:
    for key, value in metadata.get("labels", {}).items():
        if not _KEY.fullmatch(key) or not _LABEL.fullmatch(value):
            yield f"metadata.labels: {key}={value}"
    if sum(len(key) + len(value.encode()) for key, value in metadata.get("annotations", {}).items()) > 256 * 1024:
        yield "metadata.annotations: Too long: may not be more than 262144 bytes"


def _wrong_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        for mount in container.get("volumeMounts", ()):
            if mount["name"] not in volumes:
                yield f"volumeMounts: Not found: {mount['name']!r}"
        for variable in container.get("env", ()):
            if len(variable.get("value", "").encode()) > _LONGEST_VARIABLE:
                yield f"env: {variable['name']}: the container would not start: argument list too long"
        resources = container.get("resources", {})
        for amounts in resources.values():
            for what, amount in amounts.items():
                if not _QUANTITY.fullmatch(amount):
                    yield f"resources: {what}: {amount!r}: quantities must match the regular expression"
        asked, limits = resources.get("requests", {}), resources.get("limits", {})
        if any("/" in what and amount != limits.get(what) for what, amount in asked.items()):
            yield "resources: limit must be set for non overcommitable resources"
        yield from _unrestricted(pod, container)


def _unrestricted(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[str]:
    """Pod security, level restricted."""
    of_pod, of_container = pod.get("securityContext", {}), container.get("securityContext", {})
    if of_container.get("allowPrivilegeEscalation") is not False:
        yield 'violates PodSecurity "restricted": allowPrivilegeEscalation != false'
    if "ALL" not in of_container.get("capabilities", {}).get("drop", ()):
        yield 'violates PodSecurity "restricted": unrestricted capabilities'
    if not (of_container.get("runAsNonRoot") or of_pod.get("runAsNonRoot")):
        yield 'violates PodSecurity "restricted": runAsNonRoot != true'
    if (of_container.get("seccompProfile") or of_pod.get("seccompProfile", {})).get("type") not in (
        "RuntimeDefault",
        "Localhost",
    ):
        yield 'violates PodSecurity "restricted": seccompProfile'
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    if any(set(volume) - {"name"} - allowed for volume in pod.get("volumes", ())):
        yield 'violates PodSecurity "restricted": restricted volume types'
