"""How evidence is made to fit: what matters least is cut first, and a note says what was cut."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.records import Evidence

CUT = "what did not fit"
"""Title of the note that says what was cut, what is cut first standing first."""
_SHORTEST_USEFUL = 400
_NOTE = 600


class Candidate(Struct, frozen=True):
    """A piece of evidence and its rank: the lowest is kept longest."""

    rank: int
    item: Evidence

    @property
    def size(self) -> int:
        """Characters it takes."""
        return len(self.item.title) + len(self.item.text)


def fit(candidates: Sequence[Candidate], limit: int) -> list[Evidence]:
    """Return the evidence that fits into ``limit`` characters, in the order given."""
    if sum(candidate.size for candidate in candidates) <= limit:
        return [candidate.item for candidate in candidates]
    left = limit - _NOTE
    kept: dict[int, Evidence] = {}
    cut: list[str] = []
    for index in sorted(range(len(candidates)), key=lambda index: (candidates[index].rank, index)):
        candidate = candidates[index]
        if candidate.size <= left:
            kept[index] = candidate.item
            left -= candidate.size
            continue
        room = left - len(candidate.item.title)
        cut.append(f"{'shortened' if room >= _SHORTEST_USEFUL else 'left out'}: {candidate.item.title}")
        if room >= _SHORTEST_USEFUL:
            kept[index] = replace(candidate.item, text=_to_length(candidate.item.text, room))
            left = 0
    note = Evidence("note", CUT, "\n".join(reversed(cut))[:_NOTE])
    return [*(kept[index] for index in sorted(kept)), note]


def _to_length(text: str, room: int) -> str:
    """Return the first whole lines that fit."""
    shown = text[: room - 20]
    return f"{shown.rpartition(chr(10))[0] or shown}\n… cut here …"
