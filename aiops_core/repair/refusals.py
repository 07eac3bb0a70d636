"""What the refusals of a forge mean, and what the operator can do about each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from aiops_core.errors import AiopsError, Retry

Reason: TypeAlias = Literal[
    "token",
    "scope",
    "permission",
    "not-found",
    "archived",
    "exists",
    "no-commits",
    "no-history",
    "head",
    "base",
    "draft",
    "certificate",
    "stranger",
    "other",
]
OUTAGE_WAIT = 30.0
_LIMIT_WAIT = 60.0
_LONGEST_WAIT = 6 * 3600.0
_SAID = 300


class ForgeWords(Struct, frozen=True):
    """How one forge is spoken of."""

    name: str
    """``GitHub``"""
    request: str
    """``pull request``"""
    sign: str
    """``#``, as in #12"""
    access: str
    """What a token must be allowed."""
    address: str
    """The setting that names the forge's own address."""
    component: str
    """``github_pull_request``"""
    example: str
    """What an address of a repository looks like."""
    variable: str
    """The environment variable people keep the token in."""


_REMEDIES: Mapping[Reason, str] = {
    "token": "{name} refuses the token. Put a valid one into repository.token: {access}",
    "scope": "the token's scopes do not cover this. Give it {access}",
    "permission": "{name} forbids it to this token. Give it {access}",
    "not-found": "{name} knows no such repository, or this token may not see it. "
    "Check repository.url and which repositories the token covers",
    "archived": "the repository is archived. Unarchive it, or take this action out of the pipeline",
    "exists": "there is such a {request} already",
    "no-commits": "the base branch has this change already. Nothing is left to propose",
    "no-history": "the fix and the base branch share no history. "
    "Look whether the base branch was rewritten, then retry the incident",
    "head": "{name} does not know the pushed branch. "
    "Look whether somebody removed it, then retry the incident",
    "base": "{name} does not know the branch to propose to. Check repository.branch",
    "draft": "this repository has no draft {request}s. Set draft: false",
    "certificate": "the certificate of the API is not trusted here. "
    "Name your authority's file in repository.ca_file",
    "stranger": "what answers there is not {name}, or leads to another host. Check {address}",
    "other": "{name} refuses it. See what it said",
}


class Rejected(AiopsError):
    """Say what the forge refused, why, and what to do; trying again changes nothing."""

    def __init__(self, words: ForgeWords, where: str, reason: Reason, said: str = "") -> None:
        self.reason: Reason = reason
        remedy = _REMEDIES[reason].format(
            name=words.name, request=words.request, access=words.access, address=words.address
        )
        quoted = f" ({words.name}: {said})" if said else ""
        super().__init__(f"{where}: {remedy}.{quoted}")

    @property
    def status(self) -> Literal["refused", "failed"]:
        """What the action's outcome is: refused where the repository itself says no."""
        return "refused" if self.reason == "no-commits" else "failed"


class Unanswered(Retry):
    """Ask for another try because no answer came: what was asked may have been done or not."""


def limit_wait(status: int, headers: Mapping[str, str], said: str = "") -> float | None:
    """Return for how many seconds a rate limit asks to wait, None when the answer is none.

    Header names in lower case, as ``requests`` finds them. A primary limit names its reset, a
    secondary one often nothing: then it is a minute.
    """
    if status not in (403, 429):
        return None
    if asked := headers.get("retry-after", ""):
        return _bounded(_seconds(asked))
    for left, reset in (
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
    ):
        if headers.get(left) == "0" and headers.get(reset, "").isdigit():
            return _bounded(float(headers[reset]) - time.time())
    return _LIMIT_WAIT if status == 429 or "rate limit" in said.lower() else None


def _seconds(asked: str) -> float:
    if asked.strip().isdigit():
        return float(asked)
    try:
        return parsedate_to_datetime(asked).timestamp() - time.time()
    except ValueError:
        return _LIMIT_WAIT


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), _LONGEST_WAIT)


def quoted(*words: object) -> str:
    """Return a forge's own words in one bounded line."""
    text = " – ".join(str(word) for word in words if word)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_SAID]
