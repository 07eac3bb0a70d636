"""GitLab on the bench of the suite every forge passes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from aiops_action_gitlab import GitlabMergeRequest
from gitlab_api import GitlabApi

from aiops_core.testing.forge_bench import ForgeBench, Seen, State
from aiops_core.testing.forge_talk import Said, Talk

STATES = {"open": "opened", "opened": "open"}


class GitlabBench(ForgeBench):
    """A project in a subgroup of a GitLab that lives under a path."""

    action_type = GitlabMergeRequest
    token = "glpat-CANARY0token0never0shown"
    path = "acme/backend/shop"
    creating = ("POST", "/merge_requests$")
    labelling = ("PUT", "/merge_requests/1$")
    unlabelling = ("PUT", "/merge_requests/1$")
    editing = labelling
    wordings: ClassVar = {
        "expired": (401, {"error": "invalid_token", "error_description": "Token is expired."}),
        "scope": (403, {"error": "insufficient_scope", "error_description": "Needs api.", "scope": "api"}),
        "forbidden": (403, {"message": "403 Forbidden"}),
        "missing": (404, {"message": "404 Project Not Found"}),
        "exists": (
            409,
            {"message": ["Another open merge request already exists for this source branch: !1"]},
        ),
        "outage": (502, "<html>GitLab is not responding</html>"),
    }
    api: GitlabApi

    def make_api(self, *, tls: bool) -> GitlabApi:
        """Return the API for the project."""
        return GitlabApi(self.bare.path, path=self.path, token=self.token, prefix="/gitlab", tls=tls)

    def settings(self) -> Mapping[str, Any]:
        """Return the address of GitLab."""
        return {"url": self.api.url}

    def seen(self) -> list[Seen]:
        """Return every merge request."""
        names = {id_: name for id_, (name, _) in self.api.project.users.items()}
        return [
            Seen(
                one.iid,
                one.source,
                one.target,
                STATES.get(one.state, one.state),
                one.title.removeprefix("Draft: "),
                one.description or "",
                one.title.startswith("Draft: "),
                one.labels,
                [names[id_] for id_ in one.reviewers],
                [said.text for said in self.talk.of(one.iid)],
            )
            for one in self.api.project.requests.values()
        ]

    def add(self, branch: str, *, state: State = "open", body: str = "", fork: bool = False) -> int:
        """Put a merge request there."""
        project = 43 if fork else 42
        state = STATES.get(state, state)
        return self.api.project.add(
            source=branch, target="main", state=state, description=body, project=project
        ).iid

    def change(self, number: int, **what: str) -> None:
        """Change a merge request."""
        names = {"body": "description", "branch": "source"}
        for name, value in what.items():
            setattr(self.api.project.requests[number], names.get(name, name), STATES.get(value, value))

    @property
    def talk(self) -> Talk:
        """What people say."""
        return self.api.project.talk

    def comment_id(self, said: Said) -> str:
        """Return the id by which the forge tells of a comment."""
        return str(said.id)

    def limit(self, kind: Literal["primary", "secondary"], seconds: int) -> tuple[int, Any, dict[str, str]]:
        """Return the answer of a used-up quota, or of a limit of one endpoint."""
        if kind == "secondary":
            return 429, {"message": {"error": "This endpoint has been requested too many times."}}, {}
        reset = str(int(time.time()) + seconds)
        return 429, "Retry later\n", {"RateLimit_Remaining": "0", "RateLimit_Reset": reset}

    def number_url(self, number: int) -> str:
        """Return where people find it."""
        return f"{self.api.url}/{self.path}/-/merge_requests/{number}"
