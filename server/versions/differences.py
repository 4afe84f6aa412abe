"""How two versions differ in what they ran in, how they scored and what they answered: pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from loader.releases.proofs import Answered, Proof
from server.versions.views import AnswerDiff, EnvironmentView, PackagesDiff, ScoreDiff


def packages_diff(before: EnvironmentView | None, after: EnvironmentView | None) -> PackagesDiff | None:
    if before is None or after is None:
        return None
    old, new = before.packages, after.packages
    return PackagesDiff(
        added={name: version for name, version in new.items() if name not in old},
        removed={name: version for name, version in old.items() if name not in new},
        changed={name: (old[name], new[name]) for name in new if name in old and old[name] != new[name]},
    )


def scores_diff(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, ScoreDiff]:
    return {
        name: ScoreDiff(before=before.get(name), after=after.get(name)) for name in dict.fromkeys([*before, *after])
    }


def answers_diff(before: Proof | None, after: Proof | None) -> list[AnswerDiff]:
    """Example by example: those of the later version first, then those that only the earlier one has."""
    old, new = _by_variables(before), _by_variables(after)
    return [_answer_diff(old.get(key), new.get(key)) for key in dict.fromkeys([*new, *old])]


def _by_variables(proof: Proof | None) -> dict[bytes, Answered]:
    """By what was asked, since examples may come and go; of two that ask the same, the first."""
    found: dict[bytes, Answered] = {}
    for answered in () if proof is None else proof.answers:
        found.setdefault(msgspec.json.encode(answered.variables, order="sorted"), answered)
    return found


def _answer_diff(before: Answered | None, after: Answered | None) -> AnswerDiff:
    known = before or after
    assert known is not None
    return AnswerDiff(
        variables=known.variables,
        before=None if before is None else before.answer,
        after=None if after is None else after.answer,
        same=None if before is None or after is None else before.answer == after.answer,
    )
