"""Secrets of odd characters, planted wherever a secret may be, are in nothing that the server says or starts."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.githttp import GitServer, git_server
from tests.loader.index import failing_index
from tests.processes import command_line
from tests.repos import Repo
from tests.serving import Server, echo, serving

WORD = "planted-secret"
"""In every secret twice, so that a part of one is found too."""
SECRET = f"""{WORD}-%41 /@:#?&"'<ö\\-{WORD}"""
ENCODED = quote(SECRET, safe="")
SETTINGS = {
    "ADMIN_TOKEN": f"""{WORD}/@:#?&"'<%41-{WORD}""",
    "WEBHOOK_SECRET": SECRET,
    "DATABASE_URL": f"postgresql://keeper:{ENCODED}@127.0.0.1:1/none?connect_timeout=2&application_name={WORD}",
    "PIP_EXTRA_INDEX_URL": f"https://ci:{ENCODED}@127.0.0.1:9/simple",
    "UV_HTTP_RETRIES": "0",
    "LOG_LEVEL": "debug",
}
OURS = ("gitPath", "gitpassword", "ADMIN_TOKEN", "WEBHOOK_SECRET", "DATABASE_URL")
"""What no other process may have in its environment; the index's address is any model's, like all that is not ours."""
REQUIREMENTS = {
    "Index": "--index-url https://ci:{}@127.0.0.1:9/simple\nnever",
    "Token": "--index-url https://{}@127.0.0.1:9/simple\nnever",
    "Extra": "--extra-index-url https://ci:{}@127.0.0.1:9/simple\nnever",
    "Links": "--find-links https://ci:{}@127.0.0.1:9/wheels\nnever",
    "Wheel": "never @ https://ci:{}@127.0.0.1:9/never-1.0-py3-none-any.whl",
    "Query": "never @ https://127.0.0.1:9/never-1.0-py3-none-any.whl?sig={}",
    "Commit": "never @ git+https://oauth2:{}@127.0.0.1:9/team/never.git@v1.0",
    "Option": "--bogus https://ci:{}@127.0.0.1:9/simple",
    "Scheme": "never @ ftp://ci:{}@127.0.0.1:9/never.whl",
}
PLANTED = {name: text.format(ENCODED) for name, text in REQUIREMENTS.items()} | {
    f"{name}Odd": text.format(f"{WORD}-/@:?&ö-{WORD}") for name, text in REQUIREMENTS.items()
}
PATHS = (
    *("", "/docs", "/openapi.json", "/all", "/Echo", "/Echo/v1", "/Echo/v9", "/Index", "/Index/v1", "/Nobody", "/%ff"),
    *("/-/sync", "/-/sync?wait=x", "/-/api/models", "/-/api/models/Index", "/-/api/models/Nobody", "/-/api/events"),
    *("/-/api/events?limit=x", "/-/api/models/Index/retry", "/-/api/nothing"),
)


@pytest.fixture(scope="module", params=["in gitPath", "in gitpassword"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, GitServer, Repo]]:
    """Models' secrets are planted once: they are the same wherever the repository's is."""
    home = tmp_path_factory.mktemp("planted")
    is_in_path = request.param == "in gitPath"
    repo = Repo(home / "work")
    repo.write("Echo/etls.py", echo("one"))
    for name, text in (PLANTED if is_in_path else {"Index": PLANTED["Index"]}).items():
        repo.write(f"{name}/etls.py", echo(name)).write(f"{name}/requirements.txt", text)
    repo.commit()
    repo.bare(home / "git" / "models")
    with git_server(home / "git", user="ada", password=SECRET) as git:
        url = git.url("models", f"ada:{ENCODED}@" if is_in_path else "ada@")
        login = {} if is_in_path else {"gitpassword": SECRET}
        with serving(home / "data", url, **login, **SETTINGS) as server:
            yield server, git, repo


@pytest.mark.timeout(300)  # twenty environments are tried, again and again
def test_planted_secrets_are_in_no_answer_no_log_no_argument_and_no_environment(
    served: tuple[Server, GitServer, Repo],
) -> None:
    server, git, repo = served
    server.wait(lambda: len(failed(server)) == len(server.models()) - 1, "the failures")
    server.wait(lambda: "trying again" in server.log, "that the database is away")
    look_everywhere(server)

    git.status = 500
    server.admin("POST", "/-/sync?wait=50")
    server.wait(lambda: "could not be fetched" in server.log or "returned error: 500" in server.log, "the error")
    git.status, git.password = 0, "another"
    server.admin("POST", "/-/sync?wait=50")
    server.wait(lambda: "authentication failed" in server.log, "the error")
    look_everywhere(server)

    git.password = SECRET
    with failing_index("silent") as index:
        text = f"--index-url {index.replace('://', f'://ci:{ENCODED}@')}\nnever"
        repo.write("Held/etls.py", echo("held")).write("Held/requirements.txt", text).commit()
        repo.push(git.root / "models")
        server.admin("POST", "/-/sync?wait=0.1")
        server.wait(lambda: any(" pip install " in command_line(pid) for pid in server.pids()), "that uv is running")
        look_everywhere(server)


@pytest.mark.parametrize("served", ["in gitPath"], indirect=True)
def test_they_are_in_no_process_while_git_is_fetching(served: tuple[Server, GitServer, Repo]) -> None:
    server, git, repo = served
    repo.commit_file("Echo/etls.py", echo("two"))
    repo.push(git.root / "models")
    with held(git):
        server.admin("POST", "/-/sync?wait=0.1")
        assert git.asked.wait(60)
        assert any("fetch" in command_line(pid) for pid in server.pids())
        look_at_processes(server)


@contextmanager
def held(git: GitServer) -> Iterator[None]:
    """Every request is held up meanwhile."""
    git.asked.clear()
    git.hold = threading.Event()
    try:
        yield
    finally:
        git.hold.set()
        git.hold = None


def failed(server: Server) -> list[str]:
    return [name for name, model in server.models().items() if model["failure"]]


def look_everywhere(server: Server) -> None:
    for path in PATHS:
        for method in ("GET", "POST", "DELETE"):
            answer = server.request(method, server.base + path, content=b"{" if method == "POST" else b"")
            look(f"{method} {path}", answer.body + str(answer.headers).encode())
            if path.startswith("/-/api") and method == "GET":
                look(f"{path} with the token", server.admin("GET", path).body)
    for name in server.models():
        look(f"the API's {name}", server.admin("GET", f"/-/api/models/{name}").body)
        look(f"the answer of {name}", server.post(f"/{name}", {}).body)
    for path in ("/-/api/events?limit=1000", "/-/api/models?limit=1000"):
        look(path, server.admin("GET", path).body)
    for path in ("/metrics", "/healthz", "/readyz", "/", "/nowhere"):
        look(path, server.request("GET", server.url + path).body)
    look_at_credentials(server)
    look("the log", server.log.encode())
    look_at_processes(server)


def look_at_credentials(server: Server) -> None:
    """What people send to be let in is in no answer, whether it is right or wrong."""
    wrong, right = f"pawl_{WORD}", server.settings.admin_token
    for key in (wrong, right):
        headers = {"authorization": f"Bearer {key}"}
        for method, path in (("GET", "/-/api/keys"), ("POST", "/-/api/keys"), ("POST", "/Echo"), ("GET", "/-/keys")):
            answer = server.request(method, server.base + path, headers=headers)
            look(f"{method} {path} with a key", answer.body + str(answer.headers).encode())
        for sent in ({"json": {"key": key}}, {"data": {"key": key}}, {"json": {"code": key}}, {"data": {"code": key}}):
            answer = server.request("POST", f"{server.base}/-/api/session", headers={"origin": server.url}, **sent)
            look("a session", answer.body + str(answer.headers).encode())
        answer = server.get(f"/-/signin?refused={WORD}&key={key}", headers={"accept": "text/html"})
        look("the sign-in", answer.body.split(b"</header>")[1])
    server.http.cookies.clear()
    look("the events", server.admin("GET", "/-/api/events?limit=1000").body)


def look_at_processes(server: Server) -> None:
    own = command_line(server.process.pid)
    for pid in server.pids():
        line = command_line(pid)
        look(f"the arguments of {line}", line.encode())
        if line != own:  # the daemon's, and that of a child of it which has yet to become another program
            variables = dict(part.partition("=")[::2] for part in environment(pid))
            found = {name: value for name, value in variables.items() if value and name in OURS}
            assert found == {}, line
            others = {name: value for name, value in variables.items() if not name.endswith("INDEX_URL")}
            look(f"the environment of {line}", "\0".join(others.values()).encode())


def environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has ended
        return []


def look(where: str, content: bytes) -> None:
    forms = [WORD.encode(), *(base64.b64encode(b"x" * shift + WORD.encode())[4:-4] for shift in range(3))]
    hits = [content.find(form) for form in forms if form in content]
    assert not hits, f"{where}: …{content[max(0, hits[0] - 200) : hits[0] + 200].decode(errors='replace')}…"
