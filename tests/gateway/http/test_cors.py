"""What a page of another origin may ask from a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.routes.test_forwarding import daemon
from tests.gateway.running import answers, asynchronous, echoes, gateway

SHOP = "https://shop.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type, x-trace"}
OPEN = ("Echo", "Echo/v1", "Nobody", "all", "", "/", "docs", "openapi.json", "Echo/v1/nothing", "%45cho")
CLOSED = ("-", "-/", "-/sync", "-/api/models", "%2D/api/models", "-%2fapi/models")


def url(path: str) -> str:
    return "/models" + (path if path in ("", "/") else f"/{path}")


def said(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@asynchronous
@pytest.mark.parametrize(("origins", "told"), [((SHOP, "http://localhost:3000"), SHOP), (("*",), "*")])
async def test_a_page_of_an_origin_that_is_named_may_ask(tmp_path: Path, origins: tuple[str, ...], told: str) -> None:
    async with gateway(tmp_path, cors_origins=origins) as running, daemon(tmp_path / "daemon"):
        await running.serve(Echo=echoes)
        async with running.client(headers={"origin": SHOP}) as client:
            for path in OPEN:
                answer = await client.options(url(path), headers=PREFLIGHT)
                assert (answer.status_code, answer.content) == (200, b""), path
                assert answer.headers["access-control-allow-origin"] == told
                assert "POST" in answer.headers["access-control-allow-methods"]
                assert answer.headers["access-control-allow-headers"] == "content-type, x-trace"
                assert int(answer.headers["access-control-max-age"]) > 0
                for method in ("GET", "POST", "PUT"):
                    answer = await client.request(method, url(path))
                    assert answer.headers.get_list("access-control-allow-origin") == [told], (method, path)
                    assert "X-Pawl-Version" in answer.headers["access-control-expose-headers"]
                    assert ("origin" in answer.headers.get("vary", "")) == (told != "*")


@asynchronous
async def test_errors_can_be_read_too(tmp_path: Path) -> None:
    async with gateway(tmp_path, cors_origins=(SHOP,), max_body=10) as running:
        await running.serve(Echo=echoes, Bad=answers(b"{}", status=500))
        async with running.client(headers={"origin": SHOP}) as client:
            seen = [
                await client.post("/models/Nobody"),
                await client.post("/models/Echo", content=b"x" * 11),
                await client.post("/models/Echo", headers={"content-type": "text/csv"}),
                await client.put("/models/Echo"),
                await client.get("/models/Echo?a=1"),
                await client.post("/models/Bad"),
                await client.get("/models/docs"),
            ]
            assert [answer.status_code for answer in seen] == [404, 413, 415, 405, 422, 500, 503]
            assert {answer.headers["access-control-allow-origin"] for answer in seen} == {SHOP}


@asynchronous
@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ((), SHOP),
        ((SHOP,), "https://shop.example.evil.example"),
        ((SHOP,), "http://shop.example"),
        ((SHOP,), "https://shop.example:8443"),
        ((SHOP,), "null"),
    ],
)
async def test_a_page_of_another_origin_may_not(tmp_path: Path, origins: tuple[str, ...], origin: str) -> None:
    async with gateway(tmp_path, cors_origins=origins) as running, daemon(tmp_path / "daemon"):
        await running.serve(Echo=echoes)
        async with running.client(headers={"origin": origin}) as client:
            refused = await client.options("/models/Echo", headers=PREFLIGHT)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
            for answer in (refused, await client.post("/models/Echo"), await client.get("/models/")):
                assert not said(answer)
                assert answer.headers.get("vary") == ("origin" if origins else None)


@asynchronous
async def test_a_request_that_names_no_origin_is_answered_as_ever(tmp_path: Path) -> None:
    async with gateway(tmp_path, cors_origins=(SHOP,)) as running, running.client() as client:
        await running.serve(Echo=echoes)
        answer = await client.post("/models/Echo", json={})
        assert (answer.status_code, said(answer), answer.headers["vary"]) == (200, {}, "origin")
        assert (await client.options("/models/Echo", headers=PREFLIGHT)).status_code == 405
        assert (await client.options("/models/Echo", headers={"origin": SHOP})).status_code == 405


@asynchronous
async def test_what_is_an_operators_is_never_opened_to_other_origins(tmp_path: Path) -> None:
    async with (
        gateway(tmp_path, cors_origins=("*",)) as running,
        running.client(headers={"origin": SHOP}) as client,
        daemon(tmp_path / "daemon"),
    ):
        for path in CLOSED:
            for method in ("OPTIONS", "GET", "POST"):
                answer = await client.request(method, f"/models/{path}", headers=PREFLIGHT)
                assert not said(answer), (method, path)
        for path in ("/healthz", "/readyz", "/metrics", "/elsewhere"):
            assert not said(await client.get(path)), path


@asynchronous
async def test_only_names_of_headers_are_repeated(tmp_path: Path) -> None:
    async with gateway(tmp_path, cors_origins=("*",)) as running, running.client(headers={"origin": SHOP}) as client:
        for wished in ("a b", "", '"x"', "a;b"):
            asked = {**PREFLIGHT, "access-control-request-headers": wished}
            answer = await client.options("/models/Echo", headers=asked)
            assert answer.headers["access-control-allow-headers"] == "content-type"


@asynchronous
async def test_without_a_base_path_the_operators_part_is_closed_all_the_same(tmp_path: Path) -> None:
    async with (
        gateway(tmp_path, cors_origins=("*",), base="") as running,
        running.client(headers={"origin": SHOP}) as client,
        daemon(tmp_path / "daemon"),
    ):
        assert said(await client.get("/docs"))
        assert not said(await client.get("/-/api/models"))
