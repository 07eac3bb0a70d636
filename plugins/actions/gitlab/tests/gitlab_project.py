"""One project as GitLab would hold it: merge requests over a real bare git repository."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitlab_talk import GitlabTalk

Json = Any  # JSON of GitLab's shape


class Refusal(Exception):
    """Answer with an error instead, in GitLab's shape."""

    def __init__(self, status: int, message: Json) -> None:
        self.status = status
        self.body = {"message": message}
        super().__init__(message)


@dataclass
class MergeRequest:
    """One merge request."""

    iid: int
    source: str
    target: str
    title: str = ""
    description: str | None = None
    state: str = "opened"
    project: int = 42
    labels: list[str] = field(default_factory=list)
    reviewers: list[int] = field(default_factory=list)


class StubProject:
    """The merge requests of one project and GitLab's rules about them."""

    def __init__(self, git: Path, url: str, path: str) -> None:
        self.git = git
        self.url, self.path = url, path
        self.requests: dict[int, MergeRequest] = {}
        self.is_archived = False
        self.role = 30
        self.filters_branches = True
        self.users = {7: ("ann", "ann@acme.example"), 8: ("bob", ""), 9: ("annabel", "")}
        self.users |= {10: ("aiops-bot", ""), 11: ("eve", ""), 12: ("robot", ""), 13: ("mallory", "")}
        self.talk = GitlabTalk({id_: name for id_, (name, _) in self.users.items()}, self._user)

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.git), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def commit(self, branch: str) -> str:
        """Return the commit a branch points to, "" without such a branch."""
        return self._git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def show(self) -> Json:
        """Describe the project."""
        return {
            "id": 42,
            "path_with_namespace": self.path,
            "web_url": f"{self.url}/{self.path}",
            "default_branch": "main",
            "archived": self.is_archived,
            "permissions": {"project_access": {"access_level": self.role}, "group_access": None},
        }

    def find(self, query: Mapping[str, str]) -> list[MergeRequest]:
        """Find merge requests, newest first unless asked otherwise."""
        state, source = query.get("state", "all"), query.get("source_branch", "")
        words = query.get("search", "").lower()
        where = query.get("in", "title,description").split(",")
        found = [
            one
            for one in sorted(self.requests.values(), key=lambda one: -one.iid)
            if state in ("all", one.state)
            and (not source or not self.filters_branches or one.source == source)
            and any(words in (getattr(one, name) or "").lower() for name in where)
        ]
        return found[::-1] if query.get("sort") == "asc" else found

    def create(self, asked: Mapping[str, Json]) -> Json:
        """Open a merge request, or say why not in GitLab's words; commits are not looked at."""
        if self.is_archived:
            raise Refusal(403, "403 Forbidden")
        source, target = asked["source_branch"], asked["target_branch"]
        if source == target:
            raise Refusal(422, ["You can't use same project/branch for source and target"])
        for one in self.requests.values():
            if (one.state, one.source, one.target, one.project) == ("opened", source, target, 42):
                raise Refusal(
                    409, [f"Another open merge request already exists for this source branch: !{one.iid}"]
                )
        if not self.commit(source):
            raise Refusal(422, [f'Source branch "{source}" does not exist'])
        kept = {key: asked[key] for key in ("title", "description") if key in asked}
        return self.describe(self.add(source=source, target=target, **kept))

    def add(self, **values: Json) -> MergeRequest:
        """Put a merge request there, without any check."""
        iid = len(self.requests) + 1
        self.requests[iid] = MergeRequest(iid=iid, **values)
        return self.requests[iid]

    def get(self, iid: int) -> MergeRequest:
        """Return a merge request."""
        if iid not in self.requests:
            raise Refusal(404, "404 Not found")
        return self.requests[iid]

    def update(self, iid: int, asked: Mapping[str, Json]) -> Json:
        """Change what is given; reviewers are replaced, labels added and removed."""
        one = self.get(iid)
        one.title = asked.get("title", one.title)
        one.description = asked.get("description", one.description)
        one.labels += [
            name for name in asked.get("add_labels", "").split(",") if name and name not in one.labels
        ]
        one.labels = [name for name in one.labels if name not in asked.get("remove_labels", "").split(",")]
        one.reviewers = asked.get("reviewer_ids", one.reviewers)
        return self.describe(one)

    def add_note(self, iid: int, asked: Mapping[str, Json], thread: str = "") -> Json:
        """Add a note of ours, to a thread where one is named."""
        self.get(iid)
        threads = {self.talk.thread_id(said.thread): said.thread for said in self.talk.of(iid)}
        if thread and thread not in threads:
            raise Refusal(404, "404 Discussion Not Found")
        said = self.talk.add(iid, self.talk.owner, asked["body"], thread=threads.get(thread, 0))
        return self.talk.note(iid, said)

    def show_user(self, id_: int) -> Json:
        """Describe a user."""
        if id_ not in self.users:
            raise Refusal(404, "404 User Not Found")
        return {**self._user(id_), "bot": self.talk.roles.get(self.users[id_][0]) == "bot"}

    def show_member(self, id_: int) -> Json:
        """Describe a member of the project."""
        found = self.talk.member(id_)
        if found is None:
            raise Refusal(404, "404 Not found")
        return found

    def merge_base(self, refs: Sequence[str]) -> Json:
        """Return the best common ancestor."""
        if unknown := [ref for ref in refs if not self.commit(ref)]:
            raise Refusal(400, f"Could not find ref{'s' * (len(unknown) > 1)}: {', '.join(unknown)}")
        if not (common := self._git("merge-base", *refs)):
            raise Refusal(404, "404 Merge Base Not Found")
        return self.show_commit(common)

    def branch(self, name: str) -> Json:
        """Describe a branch."""
        if not self.commit(name):
            raise Refusal(404, "404 Branch Not Found")
        return {"name": name, "commit": self.show_commit(self.commit(name)), "protected": False}

    def show_commit(self, ref: str) -> Json:
        """Describe a commit."""
        said = self._git("log", "-1", "--format=%H%n%an%n%ae%n%s", ref).split("\n")
        if len(said) < 4:
            raise Refusal(404, "404 Commit Not Found")
        return dict(zip(("id", "author_name", "author_email", "title"), said, strict=False))

    def find_users(self, query: Mapping[str, str]) -> list[Json]:
        """Find users by name exactly, or by a search that hits public addresses only whole."""
        words = query.get("search", "").lower()
        return [
            self._user(id_)
            for id_, (name, email) in self.users.items()
            if query.get("username", name).lower() == name and (not words or words in (name, email))
        ]

    def describe(self, one: MergeRequest) -> Json:
        """Describe a merge request."""
        sha = self.commit(one.source) or "0" * 40
        return {
            "id": 1000 + one.iid,
            "iid": one.iid,
            "project_id": 42,
            "source_project_id": one.project,
            "target_project_id": 42,
            "source_branch": one.source,
            "target_branch": one.target,
            "title": one.title,
            "description": one.description,
            "state": one.state,
            "draft": one.title.startswith("Draft: "),
            "sha": sha,
            "merge_commit_sha": self.commit(one.target) if one.state == "merged" else None,
            "squash_commit_sha": None,
            "labels": one.labels,
            "reviewers": [self._user(id_) for id_ in one.reviewers],
            "author": self._user(10),
            "web_url": f"{self.url}/{self.path}/-/merge_requests/{one.iid}",
        }

    def _user(self, id_: int) -> Json:
        name, email = self.users[id_]
        return {"id": id_, "username": name, "name": name.title(), "state": "active", "public_email": email}
