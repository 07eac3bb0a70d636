"""What the plan of a forge action holds: everything needed to push the fix and ask for its review."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from msgspec import Struct

from aiops_core.plain import to_plain
from aiops_core.records import Analysis, Change, Incident, Json, Plan
from aiops_core.repair.diff import count_lines
from aiops_core.repair.publishing import branch_name, change_from_json, change_to_json, commit_message
from aiops_core.repair.refusals import ForgeWords
from aiops_core.repair.request_text import marked_fingerprint, request_body, request_title, sealed
from aiops_core.text.phrases import counted

UNVERIFIED = "unverified"
"""The label of a fix that no test proves to mend the error."""


class Order(Struct, frozen=True):
    """One fix to propose; JSON in and out, so that an approved plan is carried out to the letter."""

    repository: str
    address: str
    """Where that is pushed to: the same name may be another repository on another host."""
    branch: str
    base: str
    title: str
    body: str
    message: str
    draft: bool
    labels: list[str]
    reviewers: list[str]
    find_reviewers: bool
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

    def plan(self, words: ForgeWords) -> Plan:
        """Return the plan people read and approve."""
        if self.change.onto:
            return self._revision(words)
        what = f"draft {words.request}" if self.draft else words.request
        lines = [
            f"Push branch {self.branch} to {self.repository} and open a {what} into {self.base}: {self.title}",
            *_files(self.change),
            *([f"Labels: {', '.join(self.labels)}"] if self.labels else []),
            *([f"Reviewers: {who}"] if (who := self._asked()) else []),
        ]
        title = f"{what} in {self.repository}: {self.title}"
        return Plan(title[0].upper() + title[1:], "\n".join(lines), to_plain(self))

    def _revision(self, words: ForgeWords) -> Plan:
        title = f"Change the {words.request} from {self.branch} in {self.repository}, as asked in review"
        lines = [
            f"Push one more commit to branch {self.branch} of {self.repository}, "
            f"onto {self.change.base_commit[:12]}",
            *_files(self.change),
        ]
        return Plan(title, "\n".join(lines), to_plain(self))

    def _asked(self) -> str:
        if self.reviewers or not self.find_reviewers:
            return ", ".join(self.reviewers)
        return "whom CODEOWNERS names for these files, else who last changed the lines"


def write_order(
    repository: str,
    address: str,
    incident: Incident,
    analysis: Analysis,
    change: Change,
    *,
    draft: bool,
    labels: Sequence[str],
    reviewers: Sequence[str],
    find_reviewers: bool,
    is_heard: bool,
) -> Order:
    """Put the fix of one incident in order; what no test proves, or may not go further, is a draft."""
    title = request_title(incident, analysis)
    return Order(
        repository=repository,
        address=address,
        branch=change.onto or branch_name(incident),
        base=change.base_branch,
        title=title,
        body=sealed(title, request_body(incident, analysis, change, is_heard=is_heard)),
        message=commit_message(incident, analysis, change),
        draft=draft or not change.reproduced_by or change.may_reach != "ready",
        labels=[*labels, *([] if change.reproduced_by else [UNVERIFIED])],
        reviewers=list(reviewers),
        find_reviewers=find_reviewers,
        change_json=change_to_json(change),
    )


def _files(change: Change) -> list[str]:
    added, removed = count_lines(change.diff)
    lines = [f"{counted(len(change.files), 'file')}, +{added} −{removed}:"]
    for file in change.files:
        added, removed = count_lines(change.diff, file.path)
        what = " (removed)" if file.content is None else ""
        lines.append(f"  {file.path}{what} +{added} −{removed}")
    return lines
