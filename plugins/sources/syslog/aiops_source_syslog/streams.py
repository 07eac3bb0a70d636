"""Names of physical streams: a bounded number of them, used again by one peer after the other."""

from __future__ import annotations

from collections import OrderedDict


class Slots:
    """Number the connections that are open at the same time, lowest free number first."""

    def __init__(self, count: int) -> None:
        self._free = list(range(count - 1, -1, -1))

    def take(self) -> int | None:
        """Return a free number, None when all are in use."""
        return self._free.pop() if self._free else None

    def give_back(self, number: int) -> None:
        """Make a number free again."""
        self._free.append(number)


class Peers:
    """Number the hosts that send datagrams; the one silent for longest makes room for a new one."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def number(self, host: str) -> tuple[int, str]:
        """Return the number of a host, and the host that had it until now ("" for none)."""
        if host in self._numbers:
            self._numbers.move_to_end(host)
            return self._numbers[host], ""
        evicted, number = "", len(self._numbers)
        if number >= self._count:
            evicted, number = self._numbers.popitem(last=False)
        self._numbers[host] = number
        return number, evicted
