"""A model that misbehaves as its request says, and callers who wait for it in the background."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx

from tests.repos import Repo
from tests.serving import Answer, Server
from tests.waiting import PATIENCE_S, wait_for

ETLS = '''
import ctypes, os, re, resource, signal, subprocess, sys, threading, time


class Risky:
    """Edition EDITION."""

    def transform_predict(self, variables):
        if "begun" in variables:
            open(variables["begun"], "a").write("x")
        while "until" in variables and not os.path.exists(variables["until"]):
            time.sleep(0.01)
        said = getattr(self, "do_" + variables.get("do", "nothing"))(variables)
        return {"pid": os.getpid(), "edition": EDITION, "said": said}

    def do_nothing(self, variables):
        pass

    def do_exit(self, variables):
        os._exit(3)

    def do_segfault(self, variables):
        ctypes.string_at(0)

    def do_kill(self, variables):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_leave(self, variables):
        sys.exit(1)

    def do_interrupt(self, variables):
        raise KeyboardInterrupt

    def do_spin(self, variables):
        while True:
            pass

    def do_sleep(self, variables):
        time.sleep(variables.get("seconds", 1000))

    def do_wait_for_ever(self, variables):
        threading.Event().wait()

    def do_hold_the_gil_later(self, variables):
        def hold():
            time.sleep(0.1)
            self.do_hold_the_gil(variables)
        threading.Thread(target=hold, daemon=True).start()

    def do_hold_the_gil(self, variables):
        while True:  # a signal ends the sleep
            ctypes.PyDLL(None).sleep(1000)

    def do_match_for_ever(self, variables):
        re.match("(a|aa)+$", "a" * 100 + "b")

    def do_take_memory(self, variables):
        self.__dict__["taken"] = bytearray(variables["mb"] * 2**20)
        self.taken[::4096] = b"x" * len(self.taken[::4096])
        time.sleep(variables.get("seconds", 1000))

    def do_print(self, variables):
        for _ in range(variables["lines"]):
            print("x" * 100)

    def do_print_for_ever(self, variables):
        def shout():
            while True:
                print("y" * 1000)
        threading.Thread(target=shout, daemon=True).start()

    def do_print_oddly(self, variables):
        sys.stdout.write("no newline " * 10_000)
        sys.stdout.flush()
        sys.stdout.buffer.write(bytes(range(256)) * 100)
        sys.stdout.buffer.flush()
        sys.stdout.close()
        os.close(1)

    def do_start_processes(self, variables):
        forked = os.fork()
        if not forked:
            time.sleep(1000)
            os._exit(0)
        return [forked, subprocess.Popen(["sleep", "1000"]).pid]

    def do_escape(self, variables):
        return subprocess.Popen(["sleep", "1000"], start_new_session=True).pid

    def do_start_threads(self, variables):
        for _ in range(10):
            threading.Thread(target=time.sleep, args=(1000,)).start()

    def do_take_over(self, variables):
        os.chdir("/")
        os.umask(0)
        sys.setrecursionlimit(10**9)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)

    def do_open_files(self, variables):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = [open("/dev/null") for _ in range(max(10_000, soft))]
'''


def write_risky(repo: Repo, model: str, edition: int = 1, **serve: Any) -> None:
    """A folder of the model; `serve`: what its `model.yaml` says."""
    repo.write(f"{model}/etls.py", ETLS.replace("EDITION", str(edition)))
    lines = "".join(f"  {key}: {value}\n" for key, value in serve.items())
    repo.write(f"{model}/model.yaml", f"serve:\n{lines}" if lines else "{}\n")


def ask(server: Server, model: str, **variables: Any) -> Future[Answer]:
    """The answer to come to a request that has been sent."""
    url, body = httpx.URL(server.base), json.dumps({"variables": variables}).encode()
    sock = socket.create_connection((url.host, url.port or 80), timeout=PATIENCE_S)
    head = f"POST {url.path}/{model} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/json\r\n"
    sock.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    future: Future[Answer] = Future()
    threading.Thread(target=_receive, args=(sock, future), daemon=True).start()
    return future


def _receive(sock: socket.socket, future: Future[Answer]) -> None:
    with sock:
        response = http.client.HTTPResponse(sock, method="POST")
        try:
            response.begin()
            future.set_result(Answer(response.status, httpx.Headers(response.getheaders()), response.read()))
        except (http.client.HTTPException, OSError) as error:
            future.set_exception(error)
        finally:
            response.close()


class Held:
    """A request that is under way in the author's code until `let_go`, then does what it says."""

    def __init__(self, folder: Path, server: Server, model: str, **variables: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._server, self._model = server, model
        self._until = folder / "until"
        begun = folder / "begun"
        self.answer = ask(server, model, begun=str(begun), until=str(self._until), **variables)
        wait_for(begun.exists, "the request's beginning", lambda: server.log)

    def queue(self, count: int, **variables: Any) -> list[Future[Answer]]:
        """Requests that wait behind it at the worker."""
        queued = [ask(self._server, self._model, **variables) for _ in range(count)]
        # Whoever answers this has passed them on: they came before.
        assert self._server.request("GET", f"{self._server.url}/healthz").status == 200
        return queued

    def let_go(self) -> Answer:
        self._until.touch()
        return self.answer.result(60)
