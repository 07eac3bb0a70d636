"""The notes of a merge request as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aiops_core.repair import Comment

_TOKEN_BOT = re.compile(r"(?:project|group)_\d+_bot(?:\b|\d|_)")
"""Who writes with an access token of a project or group; older servers do not say that it is no person."""

Answer = Mapping[str, Any]  # what GitLab says of a thread; the plugin's tests hold it against the API


def of_thread(thread: Answer, web: str) -> Iterator[Comment]:
    """Yield the notes of one thread; ``web`` is where people find the request."""
    for note in thread["notes"]:
        if note["system"]:
            continue
        place = note.get("position") or {}
        yield Comment(
            id=str(note["id"]),
            author=note["author"]["username"],
            text=note["body"],
            at=_time(note["created_at"]),
            thread=str(thread["id"]),
            author_id=str(note["author"]["id"]),
            url=f"{web}#note_{note['id']}",
            path=place.get("new_path") or place.get("old_path") or "",
            line=place.get("new_line") or place.get("old_line") or 0,
            is_bot=bool(_TOKEN_BOT.match(note["author"]["username"])),
            is_edited=_time(note["updated_at"]) > _time(note["created_at"]),
            is_settled=bool(note.get("resolved")),
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
