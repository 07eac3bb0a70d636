"""The conversation of pull requests as GitHub shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from github_contract import Contract

from aiops_core.testing.forge_talk import Said, Talk

Json = Any  # JSON of GitHub's shape, judged by the contract
KINDS = {"issues": "below", "pulls": "in changes", "reviews": "review"}


class GithubTalk(Talk):
    """Comments below the request, in its changes, and of reviews."""

    def __init__(self, contract: Contract, link: Callable[[str], str], user: Callable[..., Json]) -> None:
        super().__init__("aiops-bot")
        self._contract, self._link, self._user = contract, link, user

    def listed(self, number: int, kind: str) -> list[Json]:
        """Describe the comments of one kind."""
        return [self.show(number, said) for said in self.of(number) if self.kind(said) == kind]

    def kind(self, said: Said) -> str:
        """Say which of the three kinds a comment is."""
        return "review" if said.kind == "review" else "in changes" if said.path else "below"

    def show(self, number: int, said: Said) -> Json:
        """Describe a comment."""
        user = self._user(said.author, "Bot" if self.roles.get(said.author) == "bot" else "User")
        known = {"id": said.id, "body": said.text, "user": user, "html_url": self._link(f"talk/{said.id}")}
        if said.kind == "review":
            return self._filled(
                "pull-request-review",
                known,
                state="COMMENTED",
                submitted_at=said.at,
                author_association="NONE",
            )
        known |= {"created_at": said.at, "updated_at": said.changed_at, "author_association": "NONE"}
        if not said.path:
            hidden = {"minimized": {"reason": "resolved"}} if said.is_settled else {}
            return self._filled("issue-comment", known, issue_url=self._link(f"issues/{number}"), **hidden)
        reply = {} if said.thread == said.id else {"in_reply_to_id": said.thread}
        return self._filled(
            "pull-request-review-comment", known, path=said.path, line=said.line, diff_hunk="@@", **reply
        )

    def permission(self, login: str) -> Json | None:
        """Describe what somebody may do, None where GitHub knows nobody by that name."""
        role = self.roles.get(login)
        if role is None:
            return None
        allowed = {"bot": "write"}.get(role, role)
        return self._filled(
            "repository-collaborator-permission",
            {"permission": allowed, "role_name": allowed, "user": None},
        )

    def _filled(self, schema: str, known: Json, **more: Json) -> Json:
        return self._contract.filled(schema, {**known, **more}, self._link)
