"""Of custom resources that are not ours, the fields that deploy/k8s uses; every other one is refused."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_DURATION: Schema = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}


def _resource(version: str, kind: str, spec: Schema) -> Schema:
    metadata = _object(("name", "namespace"), name=_TEXT, namespace=_TEXT, labels=_TEXTS, annotations=_TEXTS)
    return _object(
        ("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": version},
        kind={"const": kind},
        metadata=metadata,
        spec=spec,
    )


# https://gateway-api.sigs.k8s.io/reference/spec
_ROUTE = _object(
    ("rules",),
    parentRefs=_array(_object(("name",), name=_TEXT, namespace=_TEXT, sectionName=_TEXT)),
    hostnames=_array(_TEXT),
    rules=_array(
        _object(
            matches=_array(
                _object(path=_object(("type", "value"), type={"enum": ["Exact", "PathPrefix"]}, value=_TEXT))
            ),
            backendRefs=_array(_object(("name", "port"), name=_TEXT, port=_NUMBER)),
        )
    ),
)

# https://keda.sh/docs/latest/reference/scaledobject-spec; the metadata of a trigger are texts.
_SCALED = _object(
    ("scaleTargetRef", "triggers"),
    scaleTargetRef=_object(("name",), name=_TEXT),
    minReplicaCount=_NUMBER,
    maxReplicaCount=_NUMBER,
    cooldownPeriod=_NUMBER,
    pollingInterval=_NUMBER,
    advanced=_object(
        horizontalPodAutoscalerConfig=_object(
            behavior=_object(scaleDown=_object(stabilizationWindowSeconds=_NUMBER)),
        )
    ),
    fallback=_object(
        ("failureThreshold", "replicas"),
        failureThreshold=_NUMBER,
        replicas=_NUMBER,
        behavior={"enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]},
    ),
    triggers=_array(
        _object(
            ("type", "metadata"),
            type={"enum": ["cpu", "prometheus"]},
            metricType={"enum": ["Utilization", "AverageValue"]},
            metadata=_TEXTS,
        )
    ),
)

# https://prometheus-operator.dev/docs/api-reference/api
_MONITOR = _object(
    ("selector", "endpoints"),
    selector=_object(matchLabels=_TEXTS),
    endpoints=_array(_object(port=_TEXT, path=_TEXT, interval=_DURATION, scrapeTimeout=_DURATION)),
)
_RULES = _object(
    ("groups",),
    groups=_array(
        _object(
            ("name", "rules"),
            name=_TEXT,
            interval=_DURATION,
            rules=_array(
                {
                    "oneOf": [
                        _object(
                            ("alert", "expr"),
                            alert=_TEXT,
                            expr=_TEXT,
                            labels=_TEXTS,
                            annotations=_TEXTS,
                            **{"for": _DURATION},
                        ),
                        _object(("record", "expr"), record=_TEXT, expr=_TEXT, labels=_TEXTS),
                    ]
                }
            ),
        )
    ),
)

SCHEMAS = {
    "HTTPRoute": _resource("gateway.networking.k8s.io/v1", "HTTPRoute", _ROUTE),
    "ScaledObject": _resource("keda.sh/v1alpha1", "ScaledObject", _SCALED),
    "ServiceMonitor": _resource("monitoring.coreos.com/v1", "ServiceMonitor", _MONITOR),
    "PrometheusRule": _resource("monitoring.coreos.com/v1", "PrometheusRule", _RULES),
}
