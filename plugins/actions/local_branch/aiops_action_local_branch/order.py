"""What a plan of this action holds: everything needed to push the fix it was approved for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiops_core import Analysis, Change, ChangedFile, Incident, Plan
from aiops_core.repair import branch_name, change_from_json, change_to_json, commit_message, count_lines

Json = Any  # JSON values: the change's shape belongs to aiops_core.repair


@dataclass(frozen=True, slots=True)
class Order:
    """One fix to push; JSON in and out."""

    address: str
    branch: str
    message: str
    change_json: Json

    @property
    def change(self) -> Change:
        """The fix itself."""
        return change_from_json(self.change_json)

    @property
    def key(self) -> str:
        """What the push is remembered by: a later fix of the same incident is another push."""
        content = json.dumps(self.change_json, sort_keys=True).encode()
        return f"{self.branch}@{hashlib.blake2b(content, digest_size=6).hexdigest()}"

    @classmethod
    def read(cls, data: Mapping[str, Json]) -> Order:
        """Read the order back from a plan's data."""
        return cls(**data)

    def plan(self) -> Plan:
        """Return the plan people read and approve."""
        change = self.change
        lines = [
            f"Push branch {self.branch} to {self.address}, from commit {change.base_commit[:12]} of {change.base_branch}:",
            f"  {self.message.splitlines()[0]}",
            *(f"  {_stat(file, change.diff)}" for file in change.files),
            *(f"  {note}" for note in change.notes),
        ]
        return Plan(f"Push branch {self.branch}", "\n".join(lines), asdict(self))


def write_order(address: str, incident: Incident, analysis: Analysis, change: Change) -> Order:
    """Put the fix of one incident, for the remote at this address, in order."""
    message = commit_message(incident, analysis, change)
    return Order(address, branch_name(incident), message, change_to_json(change))


def _stat(file: ChangedFile, diff: str) -> str:
    added, removed = count_lines(diff, file.path)
    what = " (removed)" if file.content is None else ""
    return f"{file.path}{what} +{added} −{removed}"
