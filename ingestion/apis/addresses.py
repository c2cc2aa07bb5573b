"""Which servers may be called: those on the open internet, none inside the network we run in.

A name is looked up for each request, every address it has must be public, and the connection goes
to an address that was judged: an answer of DNS that changes in between changes nothing, and a
redirect is judged like a first address (RELIABILITY SEC7). TLS still proves the name. Proxies of
the environment are not used: the proxy would look the name up again.

Belongs here: judging URLs and addresses, the transport that does it for `httpx`, and the TLS
context of every client. Does not belong here: what is asked (`http`), who may call a private
address (a setting of each caller).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from functools import cache

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Public by their number, and still the machine's own cloud: the servers of its metadata.
_METADATA = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
_PORTS = {"https": 443, "http": 80}


class AddressError(Exception):
    """A server that may not be called, or that is nowhere.

    Args:
        code: `invalid_url`, `scheme`, `private_address` or `unresolvable`; nothing of the URL,
            which may carry a secret.
    """

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


def checked_url(url: str | httpx.URL, *, allow_private: bool = False) -> httpx.URL:
    """The URL, parsed, if it can be called as far as one can tell without asking DNS.

    Args:
        url: an absolute address.
        allow_private: whether addresses inside the network are meant; plain http is, then, too.

    Raises:
        AddressError: not https, no host, a login in it, or written with an address inside.
    """
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise AddressError("invalid_url") from error
    if target.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise AddressError("scheme")
    if target.userinfo or not target.host:
        raise AddressError("invalid_url")
    written = as_address(host_of(target))
    if written and not (allow_private or is_public(written)):
        raise AddressError("private_address")
    return target


def addresses_of(target: httpx.URL, *, allow_private: bool = False) -> list[Address]:
    """Every address of the URL's host, in the order of the system's resolver.

    Raises:
        AddressError: there is none, or one of them is inside the network.
    """
    port = target.port or _PORTS[target.scheme]
    try:
        known = socket.getaddrinfo(host_of(target), port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in known]
    except (OSError, UnicodeError, ValueError) as error:
        raise AddressError("unresolvable") from error
    if not addresses:
        raise AddressError("unresolvable")
    if not (allow_private or all(is_public(address) for address in addresses)):
        raise AddressError("private_address")
    return list(dict.fromkeys(addresses))


def is_public(address: Address) -> bool:
    """Whether an address is on the open internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address.teredo or address in _NAT64 or address not in _GLOBAL_UNICAST:
            return False
    if any(address in network for network in _METADATA):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_this_machine(url: str) -> bool:
    """Whether a URL leads to the machine it is read on, by its text alone."""
    try:
        host = host_of(httpx.URL(url))
    except (httpx.InvalidURL, ValueError, TypeError):
        return False
    address = as_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def host_of(target: httpx.URL) -> str:
    """The host as DNS knows it."""
    return target.raw_host.decode("ascii")


def as_address(host: str) -> Address | None:
    """The address that a host is written as: also in decimal, octal or hexadecimal numbers."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


@cache
def tls_context() -> ssl.SSLContext:
    """How every client proves the name of its server: certificate and host name, as httpx does.

    Made once for the process, because reading the authorities takes longer than most requests.
    `SSL_CERT_FILE` and `SSL_CERT_DIR` count as they are at the first use.

    Raises:
        OSError: the file that `SSL_CERT_FILE` names cannot be read, or holds no certificates.
    """
    return httpx.create_ssl_context()


@dataclass
class GuardedTransport(httpx.BaseTransport):
    """Makes every connection to an address that was judged, the next one where one fails.

    A refusal is an `AddressError`, raised before anything is sent.
    """

    allow_private: bool = False

    def __post_init__(self) -> None:
        """Nothing is connected before the first request."""
        self._inner = httpx.HTTPTransport(verify=tls_context())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to one of its host's addresses; the headers and TLS keep its name."""
        target = checked_url(request.url, allow_private=self.allow_private)
        *others, last = addresses_of(target, allow_private=self.allow_private)
        for address in others:
            try:
                return self._inner.handle_request(_pinned(request, target, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return self._inner.handle_request(_pinned(request, target, last))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _pinned(request: httpx.Request, target: httpx.URL, address: Address) -> httpx.Request:
    return httpx.Request(
        request.method,
        target.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host_of(target)},
    )
