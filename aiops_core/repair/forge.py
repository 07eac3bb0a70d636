"""The Forge protocol: what an action needs of GitHub, GitLab and their like to ask for a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Request:
    """One pull or merge request as the forge has it."""

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    branch: str = ""
    """The branch it is made from."""
    commit: str = ""
    """Where that branch stands."""
    merge_commit: str = ""
    """The commit that brought it into its base, of a merged one."""
    is_draft: bool = False
    title: str = ""
    """Its title, without what makes it a draft."""
    body: str = ""


class Forge(Protocol):
    """The requests of one repository; every method may raise Retry, Unanswered or Rejected."""

    @property
    def token(self) -> SecretStr:
        """What git pushes with."""

    def find_request(self, branch: str) -> Request | None:
        """Return the request from ``branch`` in whatever state, an open one first, or None."""

    def find_marked(self, fingerprint: str) -> Request | None:
        """Return the request whose text carries the fingerprint, an open one first, or None.

        Requests from forks do not count: anybody could copy the mark.
        """

    def open_request(self, branch: str, base: str, title: str, body: str, *, draft: bool = False) -> Request:
        """Open a request from ``branch`` to ``base``; return the open one where there is one.

        Without an answer it looks whether the request is there before it gives up.
        """

    def edit_request(self, number: int, title: str, body: str) -> None:
        """Give a request another title and text; a draft stays one."""

    def look(self, number: int) -> Request:
        """Return how a request stands now."""

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to those a request has."""

    def ask_reviewers(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, and groups where the forge knows that, for a review."""

    def comment(self, number: int, text: str) -> None:
        """Write a comment, in Markdown that is safe to show."""

    def author_of(self, commit: str) -> str:
        """Return the login name of a commit's author, or "" where the forge does not know."""

    def close(self) -> None:
        """Let go of the connection."""


def foremost(requests: Iterable[Request]) -> Request | None:
    """Return the open request, else the newest, of requests with the newest first."""
    found = list(requests)
    return next((request for request in found if request.state == "open"), found[0] if found else None)
