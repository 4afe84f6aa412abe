"""Who may do what: decided from Roles as they are shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.objects import Problem

ROLE = Path(__file__).parents[2] / "deploy" / "k8s" / "base" / "role.yaml"


@dataclass(frozen=True)
class Asked:
    verb: str
    group: str
    resource: str
    """`pods`, or `pods/log`."""


class Access:
    def __init__(self, rules: Sequence[Mapping[str, Any]], user: str) -> None:
        self.user = user
        self.rules = rules
        self.asked: list[Asked] = []
        """All that was ever asked for."""
        self.refused: set[Asked] = set()

    def check(self, asked: Asked, namespace: str) -> None:
        """Raises Problem."""
        self.asked.append(asked)
        if not any(_allows(rule, asked) for rule in self.rules):
            self.refused.add(asked)
            group = f'in API group "{asked.group}" in the namespace "{namespace}"'
            what = f'cannot {asked.verb} resource "{asked.resource}" {group}'
            raise Problem(403, "Forbidden", f'{asked.resource} is forbidden: User "{self.user}" {what}')


def shipped_rules(path: Path = ROLE) -> list[dict[str, Any]]:
    return [rule for document in yaml.safe_load_all(path.read_text()) for rule in document["rules"]]


def without(rules: Sequence[Mapping[str, Any]], asked: Asked) -> list[Mapping[str, Any]]:
    """The rules but for that verb on that resource."""
    return [
        {**rule, "verbs": [verb for verb in rule["verbs"] if verb != asked.verb]}
        if asked.resource in rule["resources"] and asked.group in rule["apiGroups"]
        else rule
        for rule in rules
    ]


def granted(rules: Sequence[Mapping[str, Any]]) -> list[Asked]:
    return [
        Asked(verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def _allows(rule: Mapping[str, Any], asked: Asked) -> bool:
    return asked.verb in rule["verbs"] and asked.group in rule["apiGroups"] and asked.resource in rule["resources"]
