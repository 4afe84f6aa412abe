from __future__ import annotations

import socket
from contextlib import closing

import pytest

from core.errors import PawlError
from server.process.listening import listen, url_of
from tests.ports import free_port

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="NO IPv6 HERE")


def reached_at(listener: socket.socket, *hosts: str) -> list[str]:
    """Those of the hosts at which it is reached."""
    reached = []
    for host in hosts:
        try:
            socket.create_connection((host, listener.getsockname()[1]), timeout=60).close()
        except OSError:
            continue
        reached.append(host)
    return reached


@needs_ipv6
def test_all_of_ipv6_is_all_of_ipv4_too() -> None:
    with closing(listen("::", 0)) as listener:
        assert reached_at(listener, "127.0.0.1", "::1") == ["127.0.0.1", "::1"]


@needs_ipv6
def test_an_address_is_that_address_alone() -> None:
    with closing(listen("::1", 0)) as listener:
        assert reached_at(listener, "127.0.0.1", "::1") == ["::1"]
    with closing(listen("127.0.0.1", 0)) as listener:
        assert reached_at(listener, "127.0.0.1", "::1") == ["127.0.0.1"]


def test_a_name_is_one_of_its_addresses() -> None:
    with closing(listen("localhost", 0)) as listener:
        assert reached_at(listener, "localhost") == ["localhost"]


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no.such.host.invalid", "a" * 70, "a..b", "[::1]"])
def test_what_is_no_address_of_this_machine_is_named_with_what_host_takes(host: str) -> None:
    with pytest.raises(PawlError, match="HOST takes an address") as caught:
        listen(host, 0)
    assert f"HOST {host}," in str(caught.value)


@needs_ipv6
def test_a_port_that_is_taken_in_either_family_is_named() -> None:
    port = free_port()
    with closing(listen("127.0.0.1", port)):
        for host in ("127.0.0.1", "0.0.0.0", "::"):
            with pytest.raises(PawlError, match=f"PORT {port}: .* another PORT may be free"):
                listen(host, port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::0", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_a_url_leads_there_from_this_machine(host: str, url: str) -> None:
    assert url_of(host, 8000) == url
