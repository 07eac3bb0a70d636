"""The Forge protocol: what an action needs of GitHub, GitLab and their like to ask for a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct
from pydantic import SecretStr


class Request(Struct, frozen=True):
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
    author: str = ""
    """Who opened it, by login name."""
    labels: tuple[str, ...] = ()


Standing: TypeAlias = Literal["writer", "reader", "bot"]
"""What somebody is in a repository: may push to it, may not, or is no person."""


class Comment(Struct, frozen=True):
    """One comment on a request, as the forge has it now."""

    id: str
    """Its name among the comments of the request."""
    author: str
    """Login name of who wrote it."""
    text: str
    at: datetime
    thread: str = ""
    """The thread it stands in, "" where answers go below the request itself."""
    author_id: str = ""
    """What the forge knows the author by, where that is not the login name."""
    url: str = ""
    path: str = ""
    """The file it is about, and the line, where it stands in the changes."""
    line: int = 0
    is_bot: bool = False
    """Whether a program wrote it, as far as the comment itself tells."""
    is_edited: bool = False
    is_settled: bool = False
    """Whether people closed the matter: its thread is resolved, or it is hidden."""


class Grants(Struct, frozen=True):
    """What a token lacks to push and open requests, and what it may do beyond, as far as a forge tells."""

    missing: tuple[str, ...] = ()
    needless: tuple[str, ...] = ()


class Forge(Protocol):
    """The requests of one repository; every method may raise Retry, Unanswered or Rejected."""

    @property
    def token(self) -> SecretStr:
        """What git pushes with."""

    def grants(self) -> Grants:
        """Return how what the token may do compares with what is needed."""

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

    def remove_label(self, number: int, label: str) -> None:
        """Take a label off a request that has it."""

    def make_ready(self, number: int) -> None:
        """Let a draft be a request for review."""

    def ask_reviewers(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, and groups where the forge knows that, for a review."""

    def comment(self, number: int, text: str) -> None:
        """Write a comment, in Markdown that is safe to show."""

    def comments(self, number: int) -> Sequence[Comment]:
        """Return what people and programs said about a request and its changes, the first one first."""

    def standing(self, comment: Comment) -> Standing:
        """Return what a comment's author is in the repository right now."""

    def reply(self, number: int, thread: str, text: str) -> str:
        """Write a comment into a thread, or below the request where it is ""; return the comment's id."""

    def author_of(self, commit: str) -> str:
        """Return the login name of a commit's author, or "" where the forge does not know."""

    def close(self) -> None:
        """Let go of the connection."""


def foremost(requests: Iterable[Request]) -> Request | None:
    """Return the open request, else the newest, of requests with the newest first."""
    found = list(requests)
    return next((request for request in found if request.state == "open"), found[0] if found else None)
