"""What GitHub's refusals mean, and what the operator can do about each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from aiops_core import AiopsError, Retry

Reason: TypeAlias = Literal[
    "token",
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
_ACCESS = "'Contents' and 'Pull requests' read and write, or a classic token with the scope 'repo'"
_REMEDIES: Mapping[Reason, str] = {
    "token": f"GitHub refuses the token. Put a valid one into repository.token: {_ACCESS}",
    "permission": f"GitHub forbids it to this token. Give it {_ACCESS}",
    "not-found": "GitHub knows no such repository, or this token may not see it. "
    "Check repository.url and which repositories the token covers",
    "archived": "the repository is archived. Unarchive it, or take this action out of the pipeline",
    "exists": "there is such a pull request already",
    "no-commits": "the base branch has this change already. Nothing is left to propose",
    "no-history": "the fix and the base branch share no history. "
    "Look whether the base branch was rewritten, then retry the incident",
    "head": "GitHub does not know the pushed branch. "
    "Look whether somebody removed it, then retry the incident",
    "base": "GitHub does not know the branch to propose to. Check repository.branch",
    "draft": "this repository has no draft pull requests. Set draft: false",
    "certificate": "the certificate of the API is not trusted here. "
    "Name your authority's file in the environment variable REQUESTS_CA_BUNDLE",
    "stranger": "what answers there is not GitHub, or leads to another host. Check api_url",
    "other": "GitHub refuses it. See what it said",
}


class Rejected(AiopsError):
    """Say what GitHub refused, why, and what to do; trying again changes nothing."""

    def __init__(self, where: str, reason: Reason, said: str = "") -> None:
        self.reason = reason
        quoted = f" (GitHub: {said})" if said else ""
        super().__init__(f"{where}: {_REMEDIES[reason]}.{quoted}")

    @property
    def status(self) -> Literal["refused", "failed"]:
        """What the action's outcome is: refused where the repository itself says no."""
        return "refused" if self.reason == "no-commits" else "failed"


class Unanswered(Retry):
    """Ask for another try because no answer came: what was asked may have been done or not."""
