"""Addresses to listen on: how they are written, and the sockets bound to them."""

from __future__ import annotations

import errno
import re
import socket
from typing import Literal, cast

from msgspec import Struct

from aiops_core import UserError

_ADDRESS = re.compile(r"(udp|tcp|tls)://(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]:/\s]+)):(\d{1,5})")
_BUFFER = 4 << 20
_BACKLOG = 128

Transport = Literal["udp", "tcp", "tls"]


class Address(Struct, frozen=True):
    """One address to listen on."""

    transport: Transport
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``udp://host:port``; raise ValueError for anything else."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[4]) > 65535:
        raise ValueError(f"{text!r} is no address: write udp://, tcp:// or tls://, a host and a port")
    return Address(cast("Transport", found[1]), found[2] or found[3], int(found[4]))


class Bound(Struct, frozen=True):
    """An address and the socket that listens there; port 0 has become a real one."""

    address: Address
    socket: socket.socket


def bind(address: Address) -> Bound:
    """Listen on an address; raise UserError when that cannot be."""
    try:
        bound = _bind(address)
    except OSError as error:
        raise _refusal(address, error) from None
    name = bound.getsockname()
    return Bound(Address(address.transport, address.host, name[1]), bound)


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
    if address.transport != "udp":
        try:
            bound.listen(_BACKLOG)
        except OSError:
            bound.close()
            raise
    return bound


def _place(address: Address) -> socket.socket:
    """Return a socket at an address that does not listen yet."""
    kind = socket.SOCK_DGRAM if address.transport == "udp" else socket.SOCK_STREAM
    family, _, _, _, place = socket.getaddrinfo(
        address.host, address.port, type=kind, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_DGRAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


def peer_host(name: tuple[object, ...]) -> str:
    """Return the host of a peer's socket name; an IPv4 peer of an IPv6 socket is an IPv4 one."""
    return str(name[0]).removeprefix("::ffff:")
