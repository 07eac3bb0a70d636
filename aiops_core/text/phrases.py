"""Short phrases that stand in many places: numbers with their nouns, types with their messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return ``1 event`` or ``2,000 events``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_text(size: int) -> str:
    """Return a number of bytes as people write it: ``512 KB``, ``1.5 GB``."""
    amount, unit = size / 1024, "KB"
    for larger in ("MB", "GB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.3g} {unit}" if amount < 1000 else f"{amount:.0f} {unit}"


def headed(kind: str, message: str) -> str:
    """Return ``KeyError: 'total'``; a message that begins with its type stands for itself.

    Of a qualified type its last part is what a message begins with.
    """
    for name in (kind, kind.rpartition(".")[2]):
        rest = message.removeprefix(name)
        if name and rest != message and not rest[:1].isalnum():
            return message
    return ": ".join(filter(None, (kind, message)))
