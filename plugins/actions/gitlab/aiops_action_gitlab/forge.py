"""GitLab as a forge: find, open and look at merge requests of one project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from gitlab.exceptions import GitlabError, GitlabGetError
from gitlab.v4.objects import Project
from pydantic import SecretStr

from aiops_action_gitlab.address import Address
from aiops_action_gitlab.answers import translated
from aiops_action_gitlab.comments import of_thread
from aiops_action_gitlab.connection import connect
from aiops_action_gitlab.words import WORDS
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
_LAG_WAIT = 10.0
_HEARD = 1_000
_DEVELOPER = 30
_MAINTAINER = 40
_HARMLESS = frozenset({"api", "read_api", "write_repository", "read_repository", "read_user", "self_rotate"})
_DRAFT = "Draft: "
_IS_DRAFT = re.compile(r"^\s*(?:\[Draft\]|\(Draft\)|Draft:)\s*", re.IGNORECASE)

Answer = Any  # what GitLab says of a merge request; the plugin's tests hold it against the API


class GitlabForge:
    """The merge requests of one project, as ``Forge`` says."""

    def __init__(self, address: Address, token: SecretStr, *, timeout: float = 30, ca_file: str = "") -> None:
        self.address = address
        self.token = token
        self._gitlab = connect(address.url, token, timeout=timeout, ca_file=ca_file)

    def close(self) -> None:
        """Let go of the connection."""
        self._gitlab.session.close()

    def grants(self) -> Grants:
        """Compare scopes and role with what is needed; one who may push to protected branches may too much."""
        with translated(self.address.path):
            given = (self._project.attributes.get("permissions") or {}).values()
            scopes = self._scopes()
        role = max((one["access_level"] for one in given if one), default=_DEVELOPER)
        missing = ["the role Developer"] if role < _DEVELOPER else []
        if scopes is not None and "api" not in scopes:
            missing.append("the scope 'api'")
        needless = sorted({*(scopes or ())} - _HARMLESS)
        if role >= _MAINTAINER:
            needless.append("the role Maintainer")
        return Grants(tuple(missing), tuple(needless))

    def _scopes(self) -> list[str] | None:
        """Return the scopes of the token, None where this GitLab does not tell."""
        try:
            return list(self._gitlab.personal_access_tokens.get("self").scopes)
        except GitlabError as error:
            if error.response_code in (401, 403, 404):
                return None
            raise

    def find_request(self, branch: str) -> Request | None:
        """Return the request from ``branch`` in whatever state, an open one first, then the newest."""
        with translated(self.address.path):
            found = [one for one in self._listed(source_branch=branch) if one.source_branch == branch]
            return foremost(map(_state, found))

    def find_marked(self, fingerprint: str) -> Request | None:
        """Return the request whose text carries the fingerprint, an open one first, then the newest."""
        with translated(self.address.path):
            listed = self._listed(**{"search": fingerprint, "in": "description"})
            found = [one for one in listed if marked_fingerprint(one.description or "") == fingerprint]
            return foremost(map(_state, found))

    def open_request(self, branch: str, base: str, title: str, body: str, *, draft: bool = False) -> Request:
        """Open a request from ``branch`` to ``base``; return the open one where there is one.

        GitLab would open one without commits and one without common history: both are refused
        here. Without an answer it looks whether the request is there before giving up.
        """
        self._check_branches(branch, base)
        what = {
            "source_branch": branch,
            "target_branch": base,
            "title": f"{_DRAFT}{title}" if draft else title,
            "description": body,
        }
        try:
            with translated(self.address.path):
                return _state(self._project.mergerequests.create(what))
        except Rejected as error:
            if error.reason not in ("exists", "head", "stranger"):
                raise
            # GitLab's own copies disagree for a moment, or what came was half an answer.
            return self._existing(branch, Retry(str(error), after=_LAG_WAIT))
        except Unanswered as error:
            return self._existing(branch, error)

    def edit_request(self, number: int, title: str, body: str) -> None:
        """Give a request another title and text; a draft stays one."""
        with translated(f"{self.address.path}!{number}"):
            found = self._project.mergerequests.get(number)
            title = f"{_DRAFT}{title}" if _IS_DRAFT.match(found.title) else title
            self._project.mergerequests.update(number, {"title": title, "description": body})

    def look(self, number: int) -> Request:
        """Return how a request stands now."""
        with translated(f"{self.address.path}!{number}"):
            return _state(self._project.mergerequests.get(number))

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to a request; GitLab makes those that do not exist yet."""
        with translated(f"{self.address.path}!{number}"):
            self._project.mergerequests.update(number, {"add_labels": ",".join(labels)})

    def remove_label(self, number: int, label: str) -> None:
        """Take a label off a request."""
        with translated(f"{self.address.path}!{number}"):
            self._project.mergerequests.update(number, {"remove_labels": label})

    def make_ready(self, number: int) -> None:
        """Let a draft be a request for review: its title makes it one."""
        with translated(f"{self.address.path}!{number}"):
            title = _IS_DRAFT.sub("", self._project.mergerequests.get(number).title)
            self._project.mergerequests.update(number, {"title": title})

    def ask_reviewers(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people for a review, beside those asked already; raise Rejected for who is unknown."""
        where = f"{self.address.path}!{number}"
        with translated(where):
            known = {name: self._user_id(name) for name in reviewers}
            found = self._project.mergerequests.get(number)
            ids = [reviewer["id"] for reviewer in found.reviewers or ()]
            ids += [id_ for id_ in known.values() if id_ is not None and id_ not in ids]
            self._project.mergerequests.update(number, {"reviewer_ids": ids})
        if missing := [name for name, id_ in known.items() if id_ is None]:
            raise Rejected(WORDS, where, "other", f"no such user: {', '.join(missing)}")

    def comment(self, number: int, text: str) -> None:
        """Write a comment below the request."""
        with translated(f"{self.address.path}!{number}"):
            self._project.mergerequests.get(number, lazy=True).notes.create({"body": text})

    def comments(self, number: int) -> list[Comment]:
        """Return the notes people and programs wrote, those GitLab writes itself left out."""
        with translated(f"{self.address.path}!{number}"):
            request = self._project.mergerequests.get(number, lazy=True)
            threads = islice(request.discussions.list(iterator=True), _HEARD)
            web = f"{self._project.web_url}/-/merge_requests/{number}"
            found = [comment for thread in threads for comment in of_thread(thread.attributes, web)]
            return sorted(found, key=lambda comment: comment.at)

    def standing(self, comment: Comment) -> Standing:
        """Return whether an author is a person and at least Developer, inherited roles included."""
        if comment.is_bot:
            return "bot"
        with translated(self.address.path):
            try:
                user = self._gitlab.users.get(int(comment.author_id))
                member: Answer = self._project.members_all.get(int(comment.author_id))
            except GitlabGetError as error:
                if error.response_code == 404:
                    return "reader"
                raise
        if user.attributes.get("bot"):
            return "bot"
        return "writer" if member.access_level >= _DEVELOPER and member.state == "active" else "reader"

    def reply(self, number: int, thread: str, text: str) -> str:
        """Write a note into a thread, or below the request."""
        with translated(f"{self.address.path}!{number}"):
            request = self._project.mergerequests.get(number, lazy=True)
            if not thread:
                return str(request.notes.create({"body": text}).id)
            return str(request.discussions.get(thread, lazy=True).notes.create({"body": text}).id)

    def author_of(self, commit: str) -> str:
        """Return the user whose public address a commit's author has, "" without exactly one."""
        with translated(f"{self.address.path}@{commit[:12]}"):
            email = self._project.commits.get(commit).author_email
            users = self._gitlab.users.list(search=email, active=True, iterator=True) if email else ()
            names = [user.username for user in islice(users, 2)]
        return names[0] if len(names) == 1 else ""

    @cached_property
    def _project(self) -> Project:
        project = self._gitlab.projects.get(self.address.path)
        if not isinstance(project.attributes.get("id"), int):
            raise Rejected(WORDS, self.address.path, "stranger")
        if project.attributes.get("archived"):
            raise Rejected(WORDS, self.address.path, "archived")
        return project

    def _listed(self, **wanted: str) -> Iterator[Answer]:
        """Yield the newest requests whose branch is in the project itself, not in a fork."""
        wanted |= {"state": "all", "order_by": "created_at", "sort": "desc"}
        requests = self._project.mergerequests.list(iterator=True, query_parameters=wanted)
        own = (one for one in requests if one.source_project_id == self._project.id)
        return islice(own, _SEARCHED)

    def _check_branches(self, branch: str, base: str) -> None:
        where = self.address.path
        with translated(where):
            try:
                common: Answer = self._project.repository_merge_base([base, branch])
            except GitlabError as error:
                raise self._unrelated(error, branch) from None
            head = self._project.branches.get(branch).commit["id"]
        if common["id"] == head:
            raise Rejected(WORDS, where, "no-commits")

    def _unrelated(self, error: GitlabError, branch: str) -> Exception:
        """Say which branch is missing, or that both have no history in common."""
        said = str(error.error_message)
        if error.response_code == 404 and "merge base" in said.lower():
            return Rejected(WORDS, self.address.path, "no-history", said)
        if error.response_code == 400 and "could not find ref" in said.lower():
            if branch not in said:
                return Rejected(WORDS, self.address.path, "base", said)
            missing = Rejected(WORDS, self.address.path, "head", said)
            return Retry(str(missing), after=_LAG_WAIT)
        return error

    def _user_id(self, name: str) -> int | None:
        users = self._gitlab.users.list(username=name, iterator=True)
        return next((user.id for user in users if user.username.lower() == name.lower()), None)

    def _existing(self, branch: str, error: Retry) -> Request:
        found = self.find_request(branch)
        if found is None or found.state != "open":
            raise error
        return found


def _state(found: Answer) -> Request:
    states: dict[str, Literal["open", "closed", "merged"]] = {"merged": "merged", "closed": "closed"}
    state = states.get(found.state, "open")  # locked: it is being merged right now
    merge = found.merge_commit_sha or found.attributes.get("squash_commit_sha") or found.sha
    return Request(
        number=found.iid,
        url=found.web_url,
        state=state,
        branch=found.source_branch,
        commit=found.sha or "",
        merge_commit=merge or "" if state == "merged" else "",
        is_draft=bool(_IS_DRAFT.match(found.title)),
        title=_IS_DRAFT.sub("", found.title),
        body=found.description or "",
        author=(found.attributes.get("author") or {}).get("username", ""),
        labels=tuple(found.attributes.get("labels") or ()),
    )
