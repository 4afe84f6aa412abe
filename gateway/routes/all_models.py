"""One body to every live model, and their answers side by side: of the formats, only Pawl's own JSON can be joined."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

import msgspec

from gateway.http.refusals import Refused
from gateway.routes.dispatch import Dispatch
from gateway.routes.route_table import Target
from worker.wire.client import Answer

Answers = Mapping[str, Answer]

_Fields = dict[str, msgspec.Raw]
_decode_fields = msgspec.json.Decoder(_Fields).decode
_decode_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.encode
_MALFORMED = b'{"error":{"code":"malformed_json"'
"""How a worker's answer to a body begins that it can't read; a model may refuse others with a 400, too."""


async def score_all(dispatch: Dispatch, targets: Mapping[str, Target], body: bytes, format: int) -> dict[str, Answer]:
    """The answers of all `targets` by model, in their order; where one is refused, its refusal is its answer."""
    answers = await asyncio.gather(*(_score(dispatch, target, body, format) for target in targets.values()))
    return dict(zip(targets, answers, strict=True))


async def _score(dispatch: Dispatch, target: Target, body: bytes, format: int) -> Answer:
    try:
        return await dispatch.score(target, body, format)
    except Refused as refused:
        return Answer(refused.status, refused.body)


def malformed(answers: Answers) -> Answer | None:
    """The one answer to a body that no model could read."""
    if answers and all(answer.body.startswith(_MALFORMED) for answer in answers.values()):
        return next(iter(answers.values()))
    return None


def side_by_side(answers: Answers) -> bytes:
    """`{"Model": answer, …}`; the answers are copied as they are."""
    return b"{" + b",".join(_encode(model) + b":" + answer.body for model, answer in answers.items()) + b"}"


def flat(answers: Answers) -> bytes:
    """The fields of all answers in one object or, when the answers are lists, in one list, element by element.

    Where two models answer with the same field, the later in the alphabet wins. What is not an object, errors among
    them, stays under its model's name.
    """
    good = [answer.body for answer in answers.values() if answer.status == 200]
    if good and all(body.startswith(b"[") for body in good):
        return b"[" + b",".join(map(_merge, _rows(answers))) + b"]"
    return _merge(answers)


def _merge(answers: Answers) -> bytes:
    merged: _Fields = {}
    for model, answer in answers.items():
        merged.update(_fields(model, answer))
    return _encode(merged)


def _fields(model: str, answer: Answer) -> _Fields:
    if answer.status == 200:
        with contextlib.suppress(msgspec.DecodeError):
            return _decode_fields(answer.body)
    return {model: msgspec.Raw(answer.body)}


def _rows(answers: Answers) -> Iterator[Answers]:
    """The answers to each element of a list of variables: an error is the answer to each."""
    lists = {model: _decode_elements(answer.body) for model, answer in answers.items() if answer.status == 200}
    for index in range(min(map(len, lists.values()))):
        yield {
            model: Answer(200, bytes(lists[model][index])) if model in lists else answer
            for model, answer in answers.items()
        }
