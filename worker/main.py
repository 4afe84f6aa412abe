"""A worker's life: load the model, say what it is, serve it until the daemon says to drain."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping

import msgspec

from .errors import LoadFailed
from .formats.codecs import CODECS
from .formats.pawl_json.variables import Decode
from .model.model import Model, load_model
from .model.pickles import look_in
from .onnx.batch_wait import BatchWait
from .process.channel import Channel, DaemonGone
from .process.exits import give_up
from .process.reports import Reports
from .serving.elements import one_by_one, together
from .serving.loop import Loop
from .serving.scorer import Scorer
from .tracebacks import AuthorTracebacks, in_words
from .tracing.batches import TracedBatchWait
from .tracing.requests import traced
from .wire.frames import Format
from .wire.memory import give_back, keep_what_is_freed
from .wire.messages import Failed, Noticed, Ready, WorkerConfig, decode_config
from .wire.spans import CONTEXT_SIZE, TRACED
from .wire.status_page import StatusPage

_BACKLOG = 128


def main(channel: Channel, status_page: StatusPage, die_with_parent: Callable[[], None]) -> int:
    """The exit status. The config may be there at once, or come hours later: this may be a warm worker, started before
    there is a release for it."""
    try:
        config = decode_config(channel.read_line())
        return _work(config, channel, status_page, die_with_parent)
    except DaemonGone:
        return 0
    except BaseException:
        give_up()


def _work(config: WorkerConfig, channel: Channel, status_page: StatusPage, die_with_parent: Callable[[], None]) -> int:
    began = time.monotonic()
    batch_wait = _batch_wait(config, channel, status_page)
    tracebacks = AuthorTracebacks(config.folder, config.root)
    try:
        os.chdir(config.folder)
        look_in(config.folder)
        model = load_model(config, batch_wait, tracebacks)
        listener = _listen(config.socket)
    except BaseException as error:
        channel.say_at_once(_failure(error, tracebacks))
        return 1
    try:
        loop = _loop(config, channel, status_page, batch_wait, tracebacks, model, listener)
        _let_children_go(loop, die_with_parent)
        _keep_what_was_loaded()
        channel.say_at_once(Ready(msgspec.structs.replace(model.description, load_s=time.monotonic() - began)))
        loop.run()
    finally:
        model.close()
    return 0


def _batch_wait(config: WorkerConfig, channel: Channel, status_page: StatusPage) -> BatchWait:
    def notice(message: str) -> None:
        channel.say(Noticed(message))

    return TracedBatchWait(status_page, notice, channel.say_traced) if config.traces else BatchWait(status_page, notice)


def _loop(
    config: WorkerConfig,
    channel: Channel,
    status_page: StatusPage,
    batch_wait: BatchWait,
    tracebacks: AuthorTracebacks,
    model: Model,
    listener: socket.socket,
) -> Loop:
    can_interleave = model.description.concurrent and not config.threads
    run_many = together if can_interleave else one_by_one
    reports = Reports(channel.say, tracebacks)
    decoders: Mapping[int, Decode] = {Format.PAWL_JSON: model.decode}
    scores = {
        format: Scorer(model.predict, decode, CODECS[format], reports, run_many).score
        for format, decode in decoders.items()
    }
    of_traced = {format | TRACED: traced(score, config.model, channel.say_traced) for format, score in scores.items()}
    return Loop(
        listener,
        channel,
        status_page,
        batch_wait,
        {**scores, **of_traced},
        threads=config.threads,
        concurrent=model.description.concurrent,
        max_batch=config.max_batch,
        max_body=config.max_body + CONTEXT_SIZE,
    )


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(_BACKLOG)
    return listener


def _failure(error: BaseException, tracebacks: AuthorTracebacks) -> Failed:
    if isinstance(error, LoadFailed):
        cause = error.__cause__
        return Failed(message=str(error), traceback=tracebacks.traceback(cause) if cause else "", heals=error.heals)
    place = tracebacks.where(error)
    message = f"{place}: {in_words(error)}" if place else in_words(error)
    return Failed(message=message, traceback=tracebacks.traceback(error), heals=True)


def _let_children_go(loop: Loop, die_with_parent: Callable[[], None]) -> None:
    """Have a child that the author's code forks close its copies of our connections, die with us, and handle signals
    as Python does by default."""
    parent = os.getpid()

    def before() -> None:
        nonlocal parent
        parent = os.getpid()

    def in_child() -> None:
        loop.close()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        die_with_parent()
        if os.getppid() != parent:  # it died before it could take us along
            os._exit(0)

    os.register_at_fork(before=before, after_in_child=in_child)


def _keep_what_was_loaded() -> None:
    """Exempt what was loaded from garbage collection, return the memory that loading took to the system, and have the
    allocator keep the memory that requests take for the next ones."""
    gc.collect()
    gc.freeze()
    give_back()
    keep_what_is_freed()
