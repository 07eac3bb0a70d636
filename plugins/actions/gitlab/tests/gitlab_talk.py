"""The conversation of merge requests as GitLab shows it: notes in discussions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiops_core.testing.forge_talk import Said, Talk

Json = Any  # JSON of GitLab's shape
LEVELS = {"write": 30, "read": 20, "bot": 40}


class GitlabTalk(Talk):
    """Notes, each in a discussion of its own or in the changes."""

    def __init__(self, names: Mapping[int, str], user: Callable[[int], Json]) -> None:
        super().__init__("aiops-bot")
        self._names, self._user = names, user

    def discussions(self, number: int) -> list[Json]:
        """Describe the threads of a request, the first one first."""
        threads: dict[int, list[Said]] = {}
        for said in self.of(number):
            threads.setdefault(said.thread, []).append(said)
        return [
            {
                "id": self.thread_id(thread),
                "individual_note": len(notes) == 1 and not notes[0].path,
                "notes": [self.note(number, said) for said in notes],
            }
            for thread, notes in threads.items()
        ]

    def thread_id(self, thread: int) -> str:
        """Return what GitLab calls a thread."""
        return f"{thread:040x}"

    def note(self, number: int, said: Said) -> Json:
        """Describe a note."""
        id_ = next(id_ for id_, name in self._names.items() if name == said.author)
        place: dict[str, Json] = {"type": None}
        if said.path:
            lines = {"new_path": said.path, "old_path": said.path, "new_line": said.line, "old_line": None}
            place = {"type": "DiffNote", "position": {"position_type": "text", **lines}}
        return {
            "id": said.id,
            "body": said.text,
            "author": self._user(id_),
            "created_at": said.at.replace("Z", ".000Z"),
            "updated_at": said.changed_at.replace("Z", ".000Z"),
            "system": said.kind == "system",
            "noteable_iid": number,
            "noteable_type": "MergeRequest",
            "resolvable": bool(said.path),
            **({"resolved": said.is_settled} if said.path or said.is_settled else {}),
            "internal": False,
            **place,
        }

    def member(self, id_: int) -> Json | None:
        """Describe a member of the project, None for others."""
        level = LEVELS.get(self.roles.get(self._names.get(id_, ""), "none"))
        return (
            None
            if level is None
            else {**self._user(id_), "access_level": level, "membership_state": "active"}
        )
