"""A listening socket on this machine alone.

Belongs here: which addresses and ports are taken, and the sentence for the others. Does not belong
here: what is served there.
"""

from __future__ import annotations

import ipaddress
import socket

from ingestion.errors import UsageError


def bind(host: str, port: int, option: str = "--port") -> socket.socket:
    """Listen at once: what is asked before Dagster is ready waits instead of failing.

    `option`: by which another port is given.

    Raises:
        UsageError: not an address of this machine alone, the port is taken or may not be used.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise UsageError(
            f"`{host}` can be reached from other machines; the pages are served on this one only.",
            "Leave --host out. From elsewhere: ssh -L 3000:127.0.0.1:3000 and the same address.",
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or "there is no such port"
        raise UsageError(
            f"Port {port} cannot be used ({why}).", f"Give another one with {option}."
        ) from error
    return listener


def origin_of(listener: socket.socket) -> str:
    """The address that a browser names, up to its first slash."""
    name, port = listener.getsockname()[:2]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
