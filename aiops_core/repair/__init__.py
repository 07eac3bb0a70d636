"""The forge-neutral repair: edits become a tested Change, a Change becomes a branch."""

from aiops_core.repair.agent import AGENT_URL, AGENT_WORK, Agent, run_agent
from aiops_core.repair.branches import BranchState, branch_state
from aiops_core.repair.checkout import Checkout
from aiops_core.repair.conversation import Heard, Hearing, Memory, answer_mark, notice_mark
from aiops_core.repair.diff import count_lines, unified_diff
from aiops_core.repair.forge import Comment, Forge, Grants, Request, Standing, foremost
from aiops_core.repair.git_address import GitAddress, check_api_address, parse_git_address, shown
from aiops_core.repair.mended import mended_in
from aiops_core.repair.order import UNVERIFIED, Order
from aiops_core.repair.owners import code_owners, owners_of
from aiops_core.repair.premises import Premises
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
from aiops_core.repair.refusals import (
    OUTAGE_WAIT,
    ForgeWords,
    Reason,
    Rejected,
    Unanswered,
    limit_wait,
    quoted,
)
from aiops_core.repair.request_action import RequestAction
from aiops_core.repair.request_settings import RequestConfig, ReviewConfig
from aiops_core.repair.request_text import (
    BODY_LIMIT,
    is_as_written,
    marked_fingerprint,
    request_body,
    request_marker,
    request_title,
    sealed,
)
from aiops_core.repair.review_words import review_words
from aiops_core.repair.reviewers import find_reviewers
from aiops_core.repair.sandbox import sandbox_problem
from aiops_core.repair.straying import straying
from aiops_core.repair.webhooks import (
    WEBHOOK_LIMIT,
    Knock,
    body_digest,
    dig,
    has_github_signature,
    is_from_gitlab,
    parsed,
)
from aiops_core.repair.workspace import remove_tree
from aiops_core.repository import GitError, Mirror, open_mirror

__all__ = [
    "AGENT_URL",
    "AGENT_WORK",
    "BODY_LIMIT",
    "NOT_THE_EDITS_FAULT",
    "OUTAGE_WAIT",
    "UNVERIFIED",
    "WEBHOOK_LIMIT",
    "Agent",
    "BranchState",
    "Checkout",
    "Comment",
    "Forge",
    "ForgeWords",
    "GitAddress",
    "GitError",
    "Grants",
    "Heard",
    "Hearing",
    "Knock",
    "Limits",
    "Memory",
    "Mirror",
    "Order",
    "Premises",
    "Published",
    "Reason",
    "Rejected",
    "Request",
    "RequestAction",
    "RequestConfig",
    "Result",
    "ReviewConfig",
    "Standing",
    "Unanswered",
    "answer_mark",
    "body_digest",
    "branch_name",
    "branch_state",
    "change_from_json",
    "change_to_json",
    "check_api_address",
    "code_owners",
    "commit_message",
    "count_lines",
    "dig",
    "find_reviewers",
    "foremost",
    "has_github_signature",
    "is_as_written",
    "is_from_gitlab",
    "limit_wait",
    "marked_fingerprint",
    "mended_in",
    "notice_mark",
    "open_mirror",
    "owners_of",
    "parse_git_address",
    "parsed",
    "propose",
    "publish",
    "quoted",
    "remote_address",
    "remove_tree",
    "request_body",
    "request_marker",
    "request_title",
    "review_words",
    "run_agent",
    "sandbox_problem",
    "sealed",
    "shown",
    "straying",
    "unified_diff",
]
