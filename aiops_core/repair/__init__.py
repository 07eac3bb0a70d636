"""The forge-neutral repair: edits become a tested Change, a Change becomes a branch.

Names are loaded on first use: a run that repairs nothing starts without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_core.importing import exported

if TYPE_CHECKING:
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
    from aiops_core.repair.proposing import NOT_THE_EDITS_FAULT, propose
    from aiops_core.repair.publishing import (
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
    from aiops_core.repair.review_language import review_words
    from aiops_core.repair.reviewers import find_reviewers
    from aiops_core.repair.sandbox import sandbox_problem
    from aiops_core.repair.strays import straying
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

_WHERE = {
    "AGENT_URL": "repair.agent",
    "AGENT_WORK": "repair.agent",
    "Agent": "repair.agent",
    "BODY_LIMIT": "repair.request_text",
    "BranchState": "repair.branches",
    "Checkout": "repair.checkout",
    "Comment": "repair.forge",
    "Forge": "repair.forge",
    "ForgeWords": "repair.refusals",
    "GitAddress": "repair.git_address",
    "GitError": "repository",
    "Grants": "repair.forge",
    "Heard": "repair.conversation",
    "Hearing": "repair.conversation",
    "Knock": "repair.webhooks",
    "Limits": "repair.process",
    "Memory": "repair.conversation",
    "Mirror": "repository",
    "NOT_THE_EDITS_FAULT": "repair.proposing",
    "OUTAGE_WAIT": "repair.refusals",
    "Order": "repair.order",
    "Premises": "repair.premises",
    "Published": "repair.publishing",
    "Reason": "repair.refusals",
    "Rejected": "repair.refusals",
    "Request": "repair.forge",
    "RequestAction": "repair.request_action",
    "RequestConfig": "repair.request_settings",
    "Result": "repair.process",
    "ReviewConfig": "repair.request_settings",
    "Standing": "repair.forge",
    "UNVERIFIED": "repair.order",
    "Unanswered": "repair.refusals",
    "WEBHOOK_LIMIT": "repair.webhooks",
    "answer_mark": "repair.conversation",
    "body_digest": "repair.webhooks",
    "branch_name": "repair.publishing",
    "branch_state": "repair.branches",
    "change_from_json": "repair.publishing",
    "change_to_json": "repair.publishing",
    "check_api_address": "repair.git_address",
    "code_owners": "repair.owners",
    "commit_message": "repair.publishing",
    "count_lines": "repair.diff",
    "dig": "repair.webhooks",
    "find_reviewers": "repair.reviewers",
    "foremost": "repair.forge",
    "has_github_signature": "repair.webhooks",
    "is_as_written": "repair.request_text",
    "is_from_gitlab": "repair.webhooks",
    "limit_wait": "repair.refusals",
    "marked_fingerprint": "repair.request_text",
    "mended_in": "repair.mended",
    "notice_mark": "repair.conversation",
    "open_mirror": "repository",
    "owners_of": "repair.owners",
    "parse_git_address": "repair.git_address",
    "parsed": "repair.webhooks",
    "propose": "repair.proposing",
    "publish": "repair.publishing",
    "quoted": "repair.refusals",
    "remote_address": "repair.publishing",
    "remove_tree": "repair.workspace",
    "request_body": "repair.request_text",
    "request_marker": "repair.request_text",
    "request_title": "repair.request_text",
    "review_words": "repair.review_language",
    "run_agent": "repair.agent",
    "sandbox_problem": "repair.sandbox",
    "sealed": "repair.request_text",
    "shown": "repair.git_address",
    "straying": "repair.strays",
    "unified_diff": "repair.diff",
}


def __getattr__(name: str) -> Any:  # Any: a module's attributes are of any type
    return exported(__name__, name, _WHERE)
