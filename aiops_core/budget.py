"""What models may take: amounts as people write them, and what a call asks for before it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol, TypeAlias

from msgspec import Struct
from pydantic import PlainValidator, WithJsonSchema

from aiops_core.records import Json, Usage

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([km]?)\s*(usd|tokens?|calls?)", re.IGNORECASE)
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000}
_HOW = "write USD, tokens or calls, as in '5 USD' or '5 USD, 200k tokens, 50 calls'"


class Amount(Struct, frozen=True):
    """So much money, so many tokens, so many calls; None: whatever it is."""

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None

    def __str__(self) -> str:
        usd = None if self.usd is None else f"{self.usd:.4f}".rstrip("0").rstrip(".") + " USD"
        tokens = None if self.tokens is None else f"{self.tokens:,} tokens"
        calls = None if self.calls is None else f"{self.calls:,} call{'' if self.calls == 1 else 's'}"
        return ", ".join(part for part in (usd, tokens, calls) if part is not None)

    def only(self, like: Amount) -> Amount:
        """Return what is counted of this amount where ``like`` is the limit."""
        return Amount(
            None if like.usd is None else self.usd,
            None if like.tokens is None else self.tokens,
            None if like.calls is None else self.calls,
        )


def _parse(value: Any) -> Amount:  # Any: whatever stands in the YAML
    if isinstance(value, Amount):
        return value
    found: dict[str, float] = {}
    for part in str(value).split(","):
        match = _PART.fullmatch(part.strip())
        unit = match[3].lower().rstrip("s") if match else ""
        if match is None or unit in found:
            raise ValueError(f"{value!r} is no amount: {_HOW}")
        found[unit] = float(match[1]) * _SCALE[match[2].lower()]
    tokens, calls = found.get("token"), found.get("call")
    return Amount(
        found.get("usd"),
        None if tokens is None else int(tokens),
        None if calls is None else int(calls),
    )


Limit: TypeAlias = Annotated[Amount, PlainValidator(_parse), WithJsonSchema({"type": "string"})]
"""An amount in a pipeline file: ``5 USD``, ``200k tokens``, ``7 calls``, or several with commas between."""


class AtMost(Struct, frozen=True):
    """What one call of a model may take at the most.

    ``tokens`` None says that it is not known before, as of an agent's session: where tokens are
    limited it gets all that are left. ``cost`` in US dollars, None where the price is not known.
    """

    model: str
    tokens: int | None = None
    cost: float | None = None


class Spending(Protocol):
    """A call that was let through; what it took counts at its most until it is settled."""

    @property
    def said(self) -> Json:
        """What the call said where a worker made it that was killed: do not make it again. Else None."""
        ...

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Say what it really took, None: nothing, since no model worked on it; and what it said.

        Both are kept in one transaction, so that a worker that takes the run over does not ask again.
        """
        ...


class Unlimited:
    """Let every call through, as where no host counts."""

    said: Json = None

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Count nothing."""


@contextmanager
def unlimited(at_most: AtMost) -> Iterator[Spending]:
    """Let a call through that nobody counts."""
    yield Unlimited()


def tokens_of(*texts: str) -> int:
    """Return how many tokens texts take at the most, but for text that looks like nothing people write."""
    return sum(len(text.encode("utf-8", "replace")) for text in texts) // 2 + 1
