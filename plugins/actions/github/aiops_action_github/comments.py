"""The three kinds of comment a pull request has, as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from github.GithubObject import GithubObject

from aiops_core.repair import Comment

Answer = Mapping[str, Any]  # what GitHub says of a comment; the plugin's tests hold it against its schemas


def below(found: Iterable[GithubObject]) -> Iterator[Comment]:
    """Yield comments below the request."""
    for said in map(_answer, found):
        yield _comment(
            "c",
            said,
            is_bot=_is_bot(said) or said.get("performed_via_github_app") is not None,
            is_settled=said.get("minimized") is not None,
        )


def in_changes(found: Iterable[GithubObject]) -> Iterator[Comment]:
    """Yield comments in the changes; a thread is named after the first comment there."""
    for said in map(_answer, found):
        yield _comment(
            "r",
            said,
            is_bot=_is_bot(said),
            thread=str(said.get("in_reply_to_id") or said["id"]),
            path=said["path"],
            line=said.get("line") or said.get("original_line") or 0,
        )


def of_reviews(found: Iterable[GithubObject]) -> Iterator[Comment]:
    """Yield what reviewers wrote when they handed in their reviews; GitHub does not tell of edits there."""
    for said in map(_answer, found):
        if said.get("body") and said.get("submitted_at"):
            at = said["submitted_at"]
            whole = {**said, "created_at": at, "updated_at": at}
            yield _comment("v", whole, is_bot=_is_bot(said), is_settled=said["state"] == "DISMISSED")


def _comment(prefix: str, said: Answer, **more: Any) -> Comment:
    written, changed = (datetime.fromisoformat(said[name]) for name in ("created_at", "updated_at"))
    return Comment(
        id=f"{prefix}{said['id']}",
        author=(said.get("user") or {}).get("login", ""),
        text=said.get("body") or "",
        at=written,
        url=said["html_url"],
        is_edited=changed > written,
        **more,
    )


def _is_bot(said: Answer) -> bool:
    """Say whether no person wrote it; of a deleted account nobody knows."""
    return (said.get("user") or {}).get("type") != "User"


def _answer(found: GithubObject) -> Answer:
    said: Answer = found._rawData  # its properties ask GitHub again for each field that an answer lacks
    return said
