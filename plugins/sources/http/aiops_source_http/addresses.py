"""The address to listen on: how it is written, and the socket bound to it."""

from __future__ import annotations

import errno
import re
import socket

from msgspec import Struct

from aiops_core import UserError

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]:/\s]+)):(\d{1,5})")
_BACKLOG = 128


class Address(Struct, frozen=True):
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def parse_address(text: str) -> Address:
    """Read ``host:port``; raise ValueError for anything else."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[3]) > 65535:
        raise ValueError(f"{text!r} is no address: write a host and a port, as in 127.0.0.1:4318")
    return Address(found[1] or found[2], int(found[3]))


def bind(address: Address) -> socket.socket:
    """Listen on an address; raise UserError when that cannot be."""
    try:
        return _bind(address)
    except OSError as error:
        raise _refusal(address, error) from None


def probe(address: Address) -> str:
    """Say whether an address can be listened on, without doing so; raise UserError when it cannot."""
    try:
        _place(address).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:  # maybe by the run that this file describes
            return f"{address} is in use"
        raise _refusal(address, error) from None
    return f"{address} is free"


def _refusal(address: Address, error: OSError) -> UserError:
    return UserError(f"listen: {address}: {error.strerror or error}. {_advice(error)}")


def _bind(address: Address) -> socket.socket:
    bound = _place(address)
    try:
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _place(address: Address) -> socket.socket:
    """Return a socket at an address that does not listen yet."""
    family, kind, _, _, place = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(place)
    except BaseException:
        bound.close()
        raise
    return bound


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.EACCES:
            return "Use a port above 1023, or allow this process to bind low ports (CAP_NET_BIND_SERVICE)"
        case errno.EADDRINUSE:
            return "Stop what listens there, or use another port"
    return "Use an address of this machine"
