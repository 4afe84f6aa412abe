"""Traced batches: a batch has one span, linked to the spans of the requests that it ran calls of."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from ..onnx.batch_wait import BatchWait
from ..onnx.batcher import Batch, Call
from ..wire.spans import Span, Traced
from ..wire.status_page import StatusPage
from .requests import CURRENT, Say, TracedRequest


class TracedBatchWait(BatchWait):
    """Remembers which traced request makes a call."""

    def __init__(self, status_page: StatusPage, notice: Callable[[str], None], say: Say) -> None:
        super().__init__(status_page, notice, partial(TracedBatch, say))

    def wait(self, call: Call) -> None:
        call.request = CURRENT.get()
        super().wait(call)


class TracedBatch(Batch):
    """Says how long it took, where a request is traced that waits for it."""

    __slots__ = ("_say",)

    def __init__(self, say: Say, calls: list[Call]) -> None:
        super().__init__(calls)
        self._say = say

    def run(self) -> None:
        began_ns = time.time_ns()
        super().run()
        requests = list(dict.fromkeys(call.request for call in self.calls if call.request is not None))
        if requests:
            self._say(Traced([self._span(requests, began_ns)]))

    def _span(self, requests: list[TracedRequest], began_ns: int) -> Span:
        """A child of the oldest request's, for a span has one parent; what it is to the others, links say."""
        context = requests[0].context.child()
        for request in requests:
            request.batches.append(context.ids)
        return Span(
            name=f"batch {self.session.name}",
            ids=context.ids,
            parent=requests[0].context.span.hex(),
            began_ns=began_ns,
            ended_ns=time.time_ns(),
            attributes={
                "pawl.session": self.session.name,
                "pawl.batch.calls": len(self.calls),
                "pawl.batch.rows": self.rows,
            },
            links=[request.context.ids for request in requests],
            failed=all(call.failed for call in self.calls),
        )
