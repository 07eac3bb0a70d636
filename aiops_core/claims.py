"""What only one source of a machine can have: standard input, a port it listens on."""

from __future__ import annotations

from ipaddress import ip_address

from msgspec import Struct


class Claim(Struct, frozen=True):
    """One such thing: ``what`` as people call it, of the ``host`` it is asked for, "" where there are not several."""

    what: str
    host: str = ""

    def meets(self, other: Claim) -> bool:
        """Return whether only one of the two can be had."""
        return self.what == other.what and (_covers(self.host, other.host) or _covers(other.host, self.host))


def port_claims(transport: str, host: str, port: int) -> tuple[Claim, ...]:
    """Return what who listens there asks for: nothing where the system is to choose the port."""
    return (Claim(f"{transport} port {port}", host.lower()),) if port else ()


def _covers(host: str, other: str) -> bool:
    """Return whether an address holds another; nobody here knows which addresses a name has."""
    if host == other:
        return True
    try:
        one, two = ip_address(host), ip_address(other)
    except ValueError:
        return False
    return one.is_unspecified and one.version >= two.version  # that of IPv6 takes what comes over IPv4, too
