"""The forge-neutral repair: edits become a tested Change, a Change becomes a branch."""

from aiops_core.repair.diff import count_lines, unified_diff
from aiops_core.repair.forge import (
    BODY_LIMIT,
    Forge,
    Request,
    marked_fingerprint,
    request_body,
    request_marker,
    request_title,
)
from aiops_core.repair.propose import NOT_THE_EDITS_FAULT, propose
from aiops_core.repair.publish import (
    Published,
    branch_name,
    change_from_json,
    change_to_json,
    commit_message,
    publish,
    remote_address,
)
from aiops_core.repair.sandbox import sandbox_problem
from aiops_core.repair.workspace import remove_tree
from aiops_core.repository import GitError

__all__ = [
    "BODY_LIMIT",
    "NOT_THE_EDITS_FAULT",
    "Forge",
    "GitError",
    "Published",
    "Request",
    "branch_name",
    "change_from_json",
    "change_to_json",
    "commit_message",
    "count_lines",
    "marked_fingerprint",
    "propose",
    "publish",
    "remote_address",
    "remove_tree",
    "request_body",
    "request_marker",
    "request_title",
    "sandbox_problem",
    "unified_diff",
]
