"""What a comment on our request asks for, and what is never listened to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field

from aiops_core.records import Remark
from aiops_core.repair.forge import Comment, Forge, Request, Standing
from aiops_core.repair.refusals import Rejected
from aiops_core.text.sanitising import clean

Wish: TypeAlias = Literal["ask", "stop", "retry", "explain", "help"]
Deafness: TypeAlias = Literal["own", "answered", "bot", "edited", "settled", "empty", "unaddressed", "reader"]
"""Why a comment is not listened to."""

_TEXT_LIMIT = 8_000
_OURS = re.compile(r"^<!-- aiops:(?:answer|notice)=(\S*) -->", re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_QUOTE = re.compile(r"^[ \t]*>.*(?:\n|\Z)", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^[ \t]*/aiops\b[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_WISHES: Mapping[str, Wish] = {"stop": "stop", "retry": "retry", "explain": "explain"}


class Memory(Struct, frozen=True):
    """What was heard of a conversation before."""

    handled: Collection[str] = ()
    """Ids of comments that are done with, our own among them."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """The digest of comments that wait for an answer, by id, as they were first heard."""


class Heard(Struct, frozen=True):
    """A comment that is new, or still waits: what it asks for, or why nobody listens."""

    remark: Remark
    digest: str
    """Another one means that the comment was edited."""
    wish: Wish = "ask"
    deaf: Deafness | None = None


class Hearing(Struct, frozen=True):
    """How a request stands, and what is to be listened to there."""

    request: Request
    heard: tuple[Heard, ...] = ()


def answer_mark(ids: Collection[str]) -> str:
    """Return the hidden line that says which comments an answer of ours answers."""
    return f"<!-- aiops:answer={','.join(ids)} -->"


def notice_mark(name: str) -> str:
    """Return the hidden line by which a notice of ours is known."""
    return f"<!-- aiops:notice={name} -->"


def hear(forge: Forge, number: int, memory: Memory, *, only_addressed: bool = False) -> Hearing:
    """Return what is new on a request, each author's standing asked for right now.

    Nothing is heard on a request that is no longer open.
    """
    request = forge.look(number)
    if request.state != "open":
        return Hearing(request)
    comments = forge.comments(number)
    answered = _answered(comments, request)
    standings: dict[str, Standing] = {}
    heard = []
    for comment in comments:
        if comment.id in memory.handled:
            continue
        text = spoken(comment.text)
        wish, is_addressed = _wish(text)
        deaf = _deafness(comment, text, memory, answered)
        if deaf is None and only_addressed and not is_addressed:
            deaf = "unaddressed"
        heard.append(
            Heard(_remark(comment, text), _digest(comment), wish, deaf or _unfit(forge, comment, standings))
        )
    return Hearing(request, tuple(heard))


def say(forge: Forge, number: int, thread: str, text: str) -> str:
    """Answer in a thread, or below the request where the thread is gone; return the comment's id."""
    try:
        return forge.reply(number, thread, text)
    except Rejected as error:
        if not thread or error.reason != "not-found":
            raise
        return forge.reply(number, "", text)


def find_marked_comment(forge: Forge, number: int, mark: str) -> str:
    """Return the id of the comment of ours with this mark, "" where there is none."""
    author = forge.look(number).author
    found = (one for one in forge.comments(number) if one.author == author and _has(one.text, mark))
    return next((one.id for one in found), "")


def _remark(comment: Comment, text: str) -> Remark:
    return Remark(
        comment.id, comment.author, text, comment.at, comment.thread, comment.path, comment.line, comment.url
    )


def _digest(comment: Comment) -> str:
    return hashlib.blake2b(comment.text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _deafness(comment: Comment, text: str, memory: Memory, answered: Collection[str]) -> Deafness | None:
    """Return why the comment itself is not listened to, whoever wrote it."""
    before = memory.waiting.get(comment.id)
    reasons: Mapping[Deafness, bool] = {
        "own": bool(_OURS.search(comment.text)),
        "answered": comment.id in answered,
        "bot": comment.is_bot,
        "edited": comment.is_edited if before is None else before != _digest(comment),
        "settled": comment.is_settled,
        "empty": not text,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _unfit(forge: Forge, comment: Comment, standings: dict[str, Standing]) -> Deafness | None:
    if comment.author not in standings:
        standings[comment.author] = forge.standing(comment)
    standing = standings[comment.author]
    return None if standing == "writer" else standing


def spoken(text: str) -> str:
    """Return what an author says in a comment: nothing hidden, nothing quoted from others."""
    return _QUOTE.sub("", clean(_HIDDEN.sub("", text))).strip()[:_TEXT_LIMIT]


def _wish(text: str) -> tuple[Wish, bool]:
    """Return what a text asks for, and whether it speaks to us by name."""
    words = [match[1].lower() for match in _COMMAND.finditer(_FENCE.sub("", text))]
    known = [_WISHES[word] for word in words if word in _WISHES]
    if known:
        return ("stop" if "stop" in known else known[0]), True
    if words and " " not in words[0] and not _COMMAND.sub("", text).strip():
        return "help", True
    return "ask", bool(words)


def _answered(comments: Collection[Comment], request: Request) -> frozenset[str]:
    """Return the comments our own answers name, by whoever opened the request."""
    marks = (mark for one in comments if one.author == request.author for mark in _OURS.findall(one.text))
    return frozenset(id_ for mark in marks for id_ in mark.split(","))


def _has(text: str, mark: str) -> bool:
    return any(line == mark for line in text.splitlines())
