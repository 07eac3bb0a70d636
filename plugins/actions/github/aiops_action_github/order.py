"""What a plan of this action holds: everything needed to push the fix and ask for its review."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiops_core import Analysis, Change, Incident, Plan
from aiops_core.repair import (
    branch_name,
    change_from_json,
    change_to_json,
    commit_message,
    count_lines,
    marked_fingerprint,
    request_body,
    request_title,
)

Json = Any  # JSON values: the change's shape belongs to aiops_core.repair


@dataclass(frozen=True, slots=True)
class Order:
    """One fix to propose; JSON in and out, so that an approved plan is carried out to the letter."""

    repository: str
    branch: str
    base: str
    title: str
    body: str
    message: str
    draft: bool
    labels: list[str]
    reviewers: list[str]
    change_json: Json

    @property
    def change(self) -> Change:
        """The fix itself."""
        return change_from_json(self.change_json)

    @property
    def key(self) -> str:
        """What the effects of this order are remembered by: the branch, and what goes onto it.

        A later fix of the same incident, after a regression, is another order.
        """
        content = f"{self.change.base_commit}\n{self.change.diff}".encode(errors="surrogatepass")
        return f"{self.branch}@{hashlib.blake2b(content, digest_size=6).hexdigest()}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint by which the request is found again."""
        return marked_fingerprint(self.body)

    @classmethod
    def read(cls, data: Mapping[str, Json]) -> Order:
        """Read the order back from a plan's data."""
        return cls(**data)

    def plan(self) -> Plan:
        """Return the plan people read and approve."""
        draft = "draft " if self.draft else ""
        lines = [
            f"Push branch {self.branch} to {self.repository} and open a {draft}pull request "
            f"into {self.base}: {self.title}",
            *_files(self.change),
            *([f"Labels: {', '.join(self.labels)}"] if self.labels else []),
            *([f"Reviewers: {', '.join(self.reviewers)}"] if self.reviewers else []),
        ]
        title = f"{draft}pull request in {self.repository}: {self.title}"
        return Plan(title[0].upper() + title[1:], "\n".join(lines), asdict(self))


def write_order(
    repository: str,
    incident: Incident,
    analysis: Analysis,
    change: Change,
    *,
    draft: bool,
    labels: list[str],
    reviewers: list[str],
) -> Order:
    """Put the fix of one incident in order; what no test has seen, or may not go further, is a draft."""
    return Order(
        repository=repository,
        branch=branch_name(incident),
        base=change.base_branch,
        title=request_title(incident, analysis),
        body=request_body(incident, analysis, change),
        message=commit_message(incident, analysis, change),
        draft=draft or not change.is_verified or change.may_reach != "ready",
        labels=labels,
        reviewers=reviewers,
        change_json=change_to_json(change),
    )


def _files(change: Change) -> list[str]:
    added, removed = count_lines(change.diff)
    lines = [f"{len(change.files)} {'file' if len(change.files) == 1 else 'files'}, +{added} −{removed}:"]
    for file in change.files:
        added, removed = count_lines(change.diff, file.path)
        what = " (removed)" if file.content is None else ""
        lines.append(f"  {file.path}{what} +{added} −{removed}")
    return lines
