"""Where a request may go: the address a name leads to is looked at, and connected to is that one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiops_core.errors import UserError

Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address
_OWN = {"localhost", "127.0.0.1", "::1"}
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_EMBEDDING = (ip_network("64:ff9b::/96"), ip_network("::/96"))
"""Whose last 32 bits are an address of version 4."""


def network_of(text: str) -> Network:
    """Return a network as people write it; raise ValueError saying what to write."""
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is no network: write 10.0.0.0/8, or one address") from None


async def vetted(where: str, url: str, networks: Sequence[Network]) -> str | None:
    """Return the address to connect to, None where a proxy connects instead.

    Raise UserError where the name leads into a private network, to this machine or to what a cloud keeps
    for its machines, unless ``networks`` allow it, and OSError where it leads nowhere. This machine may be
    named as ``localhost``, ``127.0.0.1`` and ``[::1]``, written so.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    allowed = [*networks, *(_LOOPBACK if host in _OWN else ())]
    if _goes_by_proxy(parts.scheme, host):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    addresses = [str(place[4][0]) for place in found]
    for address in addresses:
        if _may_reach(ip_address(address.partition("%")[0]), allowed):
            return address
    raise UserError(
        f"{where}: {addresses[0]} is an address of a private network or of this machine, nothing was sent. "
        "Correct the address, or name the network in 'allow_private'."
    )


def _goes_by_proxy(scheme: str, host: str) -> bool:
    proxies = getproxies()
    return bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host)


def _may_reach(address: _Address, allowed: Sequence[Network]) -> bool:
    if any(address in network for network in allowed):
        return True
    inner = _inner(address)
    if inner != address:
        return _may_reach(inner, allowed)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: _Address) -> _Address:
    """Return the address of version 4 that one of version 6 stands for."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, address))[1]
