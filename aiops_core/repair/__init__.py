"""The forge-neutral repair: edits become a tested Change, a Change becomes a branch."""

from aiops_core.repair.agent import AGENT_URL, AGENT_WORK, Agent, run_agent
from aiops_core.repair.checkout import Checkout
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
from aiops_core.repair.mended import mended_in
from aiops_core.repair.process import Limits, Result
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
from aiops_core.repository import GitError, Mirror, open_mirror

__all__ = [
    "AGENT_URL",
    "AGENT_WORK",
    "BODY_LIMIT",
    "NOT_THE_EDITS_FAULT",
    "Agent",
    "Checkout",
    "Forge",
    "GitError",
    "Limits",
    "Mirror",
    "Published",
    "Request",
    "Result",
    "branch_name",
    "change_from_json",
    "change_to_json",
    "commit_message",
    "count_lines",
    "marked_fingerprint",
    "mended_in",
    "open_mirror",
    "propose",
    "publish",
    "remote_address",
    "remove_tree",
    "request_body",
    "request_marker",
    "request_title",
    "run_agent",
    "sandbox_problem",
    "unified_diff",
]
