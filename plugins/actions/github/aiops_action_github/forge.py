"""GitHub as a forge: find, open and look at pull requests of one repository."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import Literal

from github import Auth, Github
from github.GithubException import UnknownObjectException
from github.PullRequest import PullRequest
from github.Repository import Repository
from pydantic import SecretStr

from aiops_action_github.address import Address
from aiops_action_github.answers import translated
from aiops_action_github.comments import below, in_changes, of_reviews
from aiops_action_github.words import WORDS
from aiops_core import Retry
from aiops_core.repair import (
    Comment,
    Grants,
    Rejected,
    Request,
    Standing,
    Unanswered,
    foremost,
    marked_fingerprint,
)

_SEARCHED = 300
_PER_PAGE = 100
_LAG_WAIT = 10.0
_HEARD = 1_000
_WRITERS = frozenset({"admin", "maintain", "write"})
_INSTALLATION = "ghs_"
_ENOUGH = frozenset({"repo", "public_repo"})
_HARMLESS = _ENOUGH | {"repo:status", "repo_deployment", "repo:invite", "read:user", "user:email", "read:org"}


class GithubForge:
    """The pull requests of one repository, as ``Forge`` says."""

    def __init__(self, address: Address, token: SecretStr, *, timeout: int = 30, ca_file: str = "") -> None:
        self.address = address
        self.token = token
        self._github = Github(
            auth=Auth.Token(token.get_secret_value()),
            base_url=address.api_url,
            timeout=timeout,
            verify=ca_file or True,
            per_page=_PER_PAGE,
            retry=None,  # the host waits between tries, durably
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._github.close()

    def grants(self) -> Grants:
        """Compare scopes and role with what is needed; an App's token was made for just that."""
        if self.token.get_secret_value().startswith(_INSTALLATION):
            return Grants()
        with translated(self.address.slug):
            allowed = self._repository.permissions
        scopes = self._github.oauth_scopes  # None of a fine-grained token
        missing = [] if allowed is None or allowed.push else ["the right to push"]
        if scopes is not None and _ENOUGH.isdisjoint(scopes):
            missing.append("the scope 'repo'")
        needless = sorted({*(scopes or ())} - _HARMLESS)
        if allowed is not None and allowed.admin:
            needless.append("administration of the repository")
        return Grants(tuple(missing), tuple(needless))

    def find_request(self, branch: str) -> Request | None:
        """Return the request from ``branch`` in whatever state, an open one first, then the newest."""
        with translated(self.address.slug):
            head = f"{self._repository.owner.login}:{branch}"
            pulls = self._repository.get_pulls(state="all", sort="created", direction="desc", head=head)
            found = [pull for pull in self._own(islice(pulls, _PER_PAGE)) if pull.head.ref == branch]
            return foremost(map(_state, found))

    def find_marked(self, fingerprint: str) -> Request | None:
        """Return the request whose text carries the fingerprint, among the newest of the repository.

        Somebody who may not push could copy the mark, so requests from forks do not count.
        """
        with translated(self.address.slug):
            pulls = self._repository.get_pulls(state="all", sort="created", direction="desc")
            found = [
                pull
                for pull in self._own(islice(pulls, _SEARCHED))
                if marked_fingerprint(pull.body or "") == fingerprint
            ]
            return foremost(map(_state, found))

    def open_request(self, branch: str, base: str, title: str, body: str, *, draft: bool = False) -> Request:
        """Open a request from ``branch`` to ``base``; return the open one where there is one.

        Where the repository has no drafts it is opened ready for review. Without an answer it
        looks whether the request is there before giving up.
        """
        try:
            return self._create(branch, base, title, body, draft)
        except Rejected as error:
            if error.reason == "draft" and draft:
                return self.open_request(branch, base, title, body)
            if error.reason not in ("exists", "head"):
                raise
            # Either way GitHub's own copies disagree for a moment when nothing is found.
            return self._existing(branch, Retry(str(error), after=_LAG_WAIT))
        except Unanswered as error:
            return self._existing(branch, error)

    def edit_request(self, number: int, title: str, body: str) -> None:
        """Give a request another title and text."""
        with translated(f"{self.address.slug}#{number}"):
            self._repository.get_pull(number).edit(title=title, body=body)

    def look(self, number: int) -> Request:
        """Return how a request stands now."""
        with translated(f"{self.address.slug}#{number}"):
            return _state(self._repository.get_pull(number))

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to a request."""
        with translated(f"{self.address.slug}#{number}"):
            self._repository.get_pull(number).add_to_labels(*labels)

    def remove_label(self, number: int, label: str) -> None:
        """Take a label off a request."""
        with translated(f"{self.address.slug}#{number}"):
            self._repository.get_pull(number).remove_from_labels(label)

    def make_ready(self, number: int) -> None:
        """Let a draft be a request for review, which GitHub offers by GraphQL only."""
        with translated(f"{self.address.slug}#{number}"):
            self._repository.get_pull(number).mark_ready_for_review()

    def ask_reviewers(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, and teams written as ``organisation/team``, for a review.

        GitHub refuses all for the sake of one: then each is asked alone, and Rejected says who was not.
        """
        try:
            self._ask(number, reviewers)
        except Rejected as error:
            if error.reason != "other" or len(reviewers) == 1:
                raise
            refused = [name for name in reviewers if not self._asks(number, name)]
            if refused:
                where = f"{self.address.slug}#{number}"
                raise Rejected(WORDS, where, "other", f"no reviewer here: {', '.join(refused)}") from None

    def _asks(self, number: int, reviewer: str) -> bool:
        try:
            self._ask(number, [reviewer])
        except Rejected:
            return False
        return True

    def _ask(self, number: int, reviewers: Sequence[str]) -> None:
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        with translated(f"{self.address.slug}#{number}"):
            pull = self._repository.get_pull(number)
            pull.create_review_request(reviewers=people, team_reviewers=teams)

    def comment(self, number: int, text: str) -> None:
        """Write a comment below the request."""
        with translated(f"{self.address.slug}#{number}"):
            self._repository.get_pull(number).create_issue_comment(text)

    def comments(self, number: int) -> list[Comment]:
        """Return the comments below the request, those in its changes, and the words of reviews."""
        with translated(f"{self.address.slug}#{number}"):
            pull = self._repository.get_pull(number)
            found = [
                *below(islice(pull.get_issue_comments(), _HEARD)),
                *in_changes(islice(pull.get_review_comments(), _HEARD)),
                *of_reviews(islice(pull.get_reviews(), _HEARD)),
            ]
            return sorted(found, key=lambda comment: comment.at)

    def standing(self, comment: Comment) -> Standing:
        """Return whether an author may push, as GitHub says now."""
        if comment.is_bot:
            return "bot"
        with translated(self.address.slug):
            try:
                permission = self._repository.get_collaborator_permission(comment.author)
            except UnknownObjectException:
                return "reader"
        return "writer" if permission in _WRITERS else "reader"

    def reply(self, number: int, thread: str, text: str) -> str:
        """Write into the thread of a comment in the changes, or below the request."""
        with translated(f"{self.address.slug}#{number}"):
            pull = self._repository.get_pull(number)
            if thread:
                return next(in_changes([pull.create_review_comment_reply(int(thread), text)])).id
            return next(below([pull.create_issue_comment(text)])).id

    def author_of(self, commit: str) -> str:
        """Return the login GitHub knows a commit's author by, "" where it knows none or it is a bot."""
        with translated(f"{self.address.slug}@{commit[:12]}"):
            author = self._repository.get_commit(commit).author
        return author.login if author is not None and author.type == "User" else ""

    @cached_property
    def _repository(self) -> Repository:
        # Asked for once: its own address survives a rename, which a redirect of a search does not.
        repository = self._github.get_repo(self.address.slug)
        if repository.owner is None:  # a sign-in page, answered with 200
            raise Rejected(WORDS, self.address.slug, "stranger")
        if repository.archived:
            raise Rejected(WORDS, self.address.slug, "archived")
        return repository

    def _own(self, pulls: Iterable[PullRequest]) -> Iterable[PullRequest]:
        """Yield the requests whose branch is in the repository itself, not in a fork."""
        for pull in pulls:
            source = pull.head.repo
            if source is not None and source.full_name == self._repository.full_name:
                yield pull

    def _create(self, branch: str, base: str, title: str, body: str, draft: bool) -> Request:
        with translated(self.address.slug):
            pull = self._repository.create_pull(base, branch, title=title, body=body, draft=draft)
            return _state(pull)

    def _existing(self, branch: str, error: Retry) -> Request:
        found = self.find_request(branch)
        if found is None or found.state != "open":
            raise error
        return found


def _state(pull: PullRequest) -> Request:
    state: Literal["open", "closed", "merged"] = "open" if pull.state == "open" else "closed"
    return Request(
        number=pull.number,
        url=pull.html_url,
        state="merged" if pull.merged_at is not None else state,
        branch=pull.head.ref,
        commit=pull.head.sha,
        merge_commit=pull.merge_commit_sha or "" if pull.merged_at is not None else "",
        is_draft=bool(pull.draft),
        title=pull.title,
        body=pull.body or "",
        author=pull.user.login if pull.user is not None else "",
        labels=tuple(label.name for label in pull.labels),
    )
