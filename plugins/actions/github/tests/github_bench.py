"""GitHub on the bench of the suite every forge passes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from aiops_action_github import GithubPullRequest
from github_api import GithubApi

from aiops_core.testing.forge_bench import ForgeBench, Seen, State
from aiops_core.testing.forge_talk import Said, Talk


class GithubBench(ForgeBench):
    """A repository of an Enterprise server."""

    action_type = GithubPullRequest
    token = "github_pat_11CANARY0token0never0shown"
    path = "acme/shop"
    creating = ("POST", "/pulls$")
    labelling = ("POST", "/labels$")
    editing = ("PATCH", "/pulls/1$")
    unlabelling = ("DELETE", "/labels/unverified$")
    wordings: ClassVar = {
        "expired": (401, {"message": "Bad credentials"}),
        "scope": (404, {"message": "Not Found"}),
        "forbidden": (403, {"message": "Resource not accessible by personal access token"}),
        "missing": (404, {"message": "Not Found"}),
        "exists": (
            422,
            {
                "message": "Validation Failed",
                "errors": [{"message": "A pull request already exists for acme:fix/x."}],
            },
        ),
        "outage": (502, "<html>Unicorn!</html>"),
    }
    scope_headers: ClassVar = {"X_OAuth_Scopes": "read:org", "X_Accepted_OAuth_Scopes": "repo"}
    api: GithubApi

    def make_api(self, *, tls: bool) -> GithubApi:
        """Return the API for the repository."""
        return GithubApi(self.bare.path, slug=self.path, token=self.token, prefix="/api/v3", tls=tls)

    def settings(self) -> Mapping[str, Any]:
        """Return the address of the API."""
        return {"api_url": self.api.url}

    def seen(self) -> list[Seen]:
        """Return every pull request."""
        return [
            Seen(
                pull.number,
                pull.head,
                pull.base,
                "merged" if pull.merged else pull.state,
                pull.title,
                pull.body or "",
                pull.draft,
                pull.labels,
                pull.reviewers,
                [said.text for said in self.talk.of(pull.number)],
            )
            for pull in self.api.pulls
        ]

    def add(self, branch: str, *, state: State = "open", body: str = "", fork: bool = False) -> int:
        """Put a pull request there."""
        owner = "mallory" if fork else "acme"
        number = self.api.repository.add_pull(head=branch, base="main", body=body, owner=owner).number
        self.change(number, state=state)
        return int(number)

    def change(self, number: int, **what: str) -> None:
        """Change a pull request."""
        pull = self.api.repository.pulls[number]
        for name, value in what.items():
            setattr(pull, {"branch": "head"}.get(name, name), "closed" if value == "merged" else value)
            pull.merged = value == "merged" or (pull.merged and name != "state")

    @property
    def talk(self) -> Talk:
        """What people say."""
        return self.api.repository.talk

    def comment_id(self, said: Said) -> str:
        """Return the id by which the forge tells of a comment."""
        prefix = {"below": "c", "in changes": "r", "review": "v"}[self.api.repository.talk.kind(said)]
        return f"{prefix}{said.id}"

    def limit(self, kind: Literal["primary", "secondary"], seconds: int) -> tuple[int, Any, dict[str, str]]:
        """Return the answer of a used-up quota, or of too much at once."""
        if kind == "secondary":
            return 403, {"message": "You have exceeded a secondary rate limit."}, {}
        reset = str(int(time.time()) + seconds)
        headers = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset}
        return 403, {"message": "API rate limit exceeded for user ID 1."}, headers

    def number_url(self, number: int) -> str:
        """Return where people find it."""
        return f"{self.api.base_url}/{self.path}/pull/{number}"
