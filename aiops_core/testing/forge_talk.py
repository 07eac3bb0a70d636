"""What people say on a stub's requests: neutral data that each forge shows in its own shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["write", "read", "none", "bot"]
_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Said:
    """One comment; ``thread`` is the id of the first one of its thread."""

    id: int
    author: str
    text: str
    thread: int
    path: str = ""
    line: int = 0
    kind: Literal["comment", "review", "system"] = "comment"
    is_edited: bool = False
    is_settled: bool = False

    @property
    def at(self) -> str:
        """When it was written."""
        return _text(_START + timedelta(minutes=self.id))

    @property
    def changed_at(self) -> str:
        """When it was last changed."""
        return _text(_START + timedelta(minutes=self.id, seconds=30 * self.is_edited))


@dataclass
class Talk:
    """Everything said on the requests of a repository, by who is what there."""

    owner: str
    """Whose token it is."""
    roles: dict[str, Role] = field(default_factory=dict)
    said: dict[int, list[Said]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roles = {"ann": "write", "bob": "write", "eve": "read", "robot": "bot", **self.roles}
        self.roles.setdefault(self.owner, "write")

    def add(
        self,
        number: int,
        author: str,
        text: str,
        *,
        thread: int = 0,
        path: str = "",
        line: int = 0,
        kind: Literal["comment", "review", "system"] = "comment",
    ) -> Said:
        """Put a comment there."""
        id_ = 100 + sum(map(len, self.said.values()))
        said = Said(id_, author, text, thread or id_, path, line, kind)
        if thread:
            first = next(one for one in self.of(number) if one.id == thread)
            said.path, said.line = first.path, first.line
        self.said.setdefault(number, []).append(said)
        return said

    def of(self, number: int) -> list[Said]:
        """Return what was said on a request."""
        return self.said.get(number, [])

    def find(self, id_: int) -> Said | None:
        """Return one comment."""
        return next((one for all_ in self.said.values() for one in all_ if one.id == id_), None)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
