"""Which servers may be called: the table of RELIABILITY SEC7, and the connection that is made."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ingestion.apis.addresses import (
    AddressError,
    GuardedTransport,
    addresses_of,
    checked_url,
    is_this_machine,
    tls_context,
)
from ingestion.apis.http import ApiClient
from ingestion.demo.servers import served

PUBLIC = "93.184.216.34"

# Refused by the text of the URL alone, before anything is looked up.
WRITTEN = {
    "plain http": ("http://example.org/", "scheme"),
    "another protocol": ("ftp://example.org/", "scheme"),
    "a file": ("file:///etc/passwd", "scheme"),
    "gopher": ("gopher://example.org/", "scheme"),
    "no protocol": ("not a url", "scheme"),
    "no host": ("https://", "invalid_url"),
    "a login": ("https://user:password@example.org/", "invalid_url"),
    "a login that looks like a host": ("https://example.org@169.254.169.254/", "invalid_url"),
    "a backslash": ("https://example.org\\@127.0.0.1/", "invalid_url"),
    "loopback": ("https://127.0.0.1/", "private_address"),
    "loopback, short": ("https://127.1/", "private_address"),
    "loopback, decimal": ("https://2130706433/", "private_address"),
    "loopback, hexadecimal": ("https://0x7f000001/", "private_address"),
    "loopback, octal": ("https://0177.0.0.1/", "invalid_url"),
    "loopback, wide digits": ("https://１２７.0.0.1/", "invalid_url"),
    "loopback, wide dots": ("https://127。0。0。1/", "private_address"),
    "this host": ("https://0.0.0.0/", "private_address"),
    "this host, short": ("https://0/", "private_address"),
    "private, 10": ("https://10.0.0.1/", "private_address"),
    "private, 172.16": ("https://172.16.0.1/", "private_address"),
    "private, 192.168": ("https://192.168.1.1/", "private_address"),
    "shared by a carrier": ("https://100.64.0.1/", "private_address"),
    "link-local, metadata": ("https://169.254.169.254/latest/meta-data/", "private_address"),
    "metadata of Azure": ("https://168.63.129.16/", "private_address"),
    "metadata of Oracle": ("https://192.0.0.192/", "private_address"),
    "metadata of AWS, IPv6": ("https://[fd00:ec2::254]/", "private_address"),
    "benchmarking": ("https://198.18.0.1/", "private_address"),
    "multicast": ("https://224.0.0.1/", "private_address"),
    "reserved": ("https://240.0.0.1/", "private_address"),
    "broadcast": ("https://255.255.255.255/", "private_address"),
    "loopback, IPv6": ("https://[::1]/", "private_address"),
    "unspecified, IPv6": ("https://[::]/", "private_address"),
    "IPv4-mapped": ("https://[::ffff:127.0.0.1]/", "private_address"),
    "IPv4-mapped, private": ("https://[::ffff:10.0.0.1]/", "private_address"),
    "IPv4-compatible": ("https://[::127.0.0.1]/", "private_address"),
    "link-local, IPv6": ("https://[fe80::1]/", "private_address"),
    "link-local with a zone": ("https://[fe80::1%25eth0]/", "private_address"),
    "unique local": ("https://[fc00::1]/", "private_address"),
    "site-local": ("https://[fec0::1]/", "private_address"),
    "6to4": ("https://[2002:7f00:1::]/", "private_address"),
    "NAT64": ("https://[64:ff9b::7f00:1]/", "private_address"),
    "NAT64, local": ("https://[64:ff9b:1::7f00:1]/", "private_address"),
    "Teredo": ("https://[2001:0:7f00:1::]/", "private_address"),
    "documentation": ("https://[2001:db8::1]/", "private_address"),
    "multicast, IPv6": ("https://[ff02::1]/", "private_address"),
}
# Refused once it is known where the name leads.
NAMED = {
    "to a private address": ["10.0.0.1"],
    "to a public and a private one": [PUBLIC, "127.0.0.1"],
    "to a mapped metadata address": ["::ffff:169.254.169.254"],
    "to link-local with a zone": ["fe80::1%eth0"],
    "to nothing": [],
}


@pytest.mark.parametrize(("url", "code"), WRITTEN.values(), ids=WRITTEN.keys())
def test_addresses_inside_are_refused_as_they_are_written(url: str, code: str) -> None:
    with pytest.raises(AddressError) as caught:
        checked_url(url)
    assert caught.value.code == code


@pytest.mark.parametrize("addresses", NAMED.values(), ids=NAMED.keys())
def test_names_that_lead_inside_are_refused(
    names: Callable[..., None], addresses: list[str]
) -> None:
    names(addresses)
    with pytest.raises(AddressError, match="private_address" if addresses else "unresolvable"):
        addresses_of(checked_url("https://hooks.example.org/"))


def test_a_name_that_is_nowhere_is_told() -> None:
    with pytest.raises(AddressError, match="unresolvable"):
        addresses_of(checked_url("https://nothing.invalid/"))


def test_a_public_name_is_let_through(names: Callable[..., None]) -> None:
    names([PUBLIC, "2606:4700::1111"])
    target = checked_url("https://hooks.example.org/x?token=1")
    assert [str(address) for address in addresses_of(target)] == [PUBLIC, "2606:4700::1111"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/x", "http://localhost/", "https://[::1]/", "http://127.1/"]
)
def test_this_machine_is_known(url: str) -> None:
    assert is_this_machine(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/", "http://10.0.0.1/", "", "https://[", "//x"]
)
def test_another_machine_is_not_this_one(url: str) -> None:
    assert not is_this_machine(url)


class Lookups:
    """Stands in the place of DNS: answers by turns, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self, _host: str, port: int, **_more: Any) -> list[tuple[Any, ...]]:
        self.count += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in answer]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lookups]:
    def set_answers(*answers: list[str]) -> Lookups:
        lookups = Lookups(*answers)
        monkeypatch.setattr("ingestion.apis.addresses.socket.getaddrinfo", lookups)
        return lookups

    return set_answers


class Connections:
    """Stands in the place of httpx's transport: keeps what was to be connected to."""

    def __init__(self, *dead: str, answer: Callable[[], httpx.Response] | None = None) -> None:
        self.dead = dead
        self.requests: list[httpx.Request] = []
        self.answer = answer or (lambda: httpx.Response(200))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.dead:
            raise httpx.ConnectError("dead")
        return self.answer()

    def close(self) -> None:
        pass


def _client(connections: Connections, **options: Any) -> httpx.Client:
    transport = GuardedTransport()
    transport._inner = connections  # type: ignore[assignment]
    return httpx.Client(transport=transport, trust_env=False, **options)


def test_the_connection_goes_to_the_address_that_was_judged(names: Callable[..., Lookups]) -> None:
    """DNS says something else the second time: nobody asks it a second time."""
    lookups, connections = names([PUBLIC], ["127.0.0.1"]), Connections()
    with _client(connections) as client:
        client.get("https://hooks.example.org/x?token=1")
        assert lookups.count == 1
        (sent,) = connections.requests
        assert sent.url == httpx.URL(f"https://{PUBLIC}/x?token=1")
        assert sent.headers["host"] == "hooks.example.org"
        assert sent.extensions["sni_hostname"] == "hooks.example.org"
        with pytest.raises(AddressError, match="private_address"):
            client.get("https://hooks.example.org/x?token=1")
    assert len(connections.requests) == 1


def test_a_redirect_is_judged_like_a_first_address(names: Callable[..., Lookups]) -> None:
    names([PUBLIC])
    inward = Connections(
        answer=lambda: httpx.Response(302, headers={"location": "https://169.254.169.254/x"})
    )
    with (
        _client(inward, follow_redirects=True) as client,
        pytest.raises(AddressError, match="private_address"),
    ):
        client.get("https://hooks.example.org/")
    assert len(inward.requests) == 1


def test_where_one_address_does_not_answer_the_next_is_tried(names: Callable[..., Lookups]) -> None:
    names([PUBLIC, "1.1.1.1"])
    connections = Connections(PUBLIC)
    with _client(connections) as client:
        assert client.post("https://hooks.example.org/", content=b"x").status_code == 200
    assert [each.url.host for each in connections.requests] == [PUBLIC, "1.1.1.1"]


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    async def answer(request: Request) -> Response:
        if request.url.path == "/away":
            return RedirectResponse("/here")
        return JSONResponse(
            {"host": request.headers["host"], "body": (await request.body()).decode()}
        )

    with served(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as url:
        yield url


def test_private_addresses_are_called_where_they_are_allowed(local: str) -> None:
    with httpx.Client(transport=GuardedTransport(allow_private=True)) as client:
        here = local.replace("127.0.0.1", "localhost")
        answer = client.post(f"{here}/x", content=b"rows").json()
        assert answer == {"host": here.removeprefix("http://"), "body": "rows"}
        assert client.get(f"{local}/away", follow_redirects=True).status_code == 200
    with httpx.Client(transport=GuardedTransport()) as client, pytest.raises(AddressError):
        client.get(local)


@pytest.fixture
def contexts() -> Iterator[None]:
    """No TLS context is there yet, and none stays that a test made."""
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


@pytest.mark.usefixtures("contexts")
def test_authorities_are_read_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def counted(*arguments: Any, **options: Any) -> ssl.SSLContext:
        made.append(create(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    for _ in range(3):
        GuardedTransport().close()
        with ApiClient("shop", "https://api.example.org", dict):
            pass
    (context,) = made
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.usefixtures("contexts")
def test_authorities_are_those_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(OSError, match="No such file"):
        GuardedTransport()
    monkeypatch.delenv("SSL_CERT_FILE")
    GuardedTransport().close()
