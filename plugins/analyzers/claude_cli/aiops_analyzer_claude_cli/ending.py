"""Every end of a session and where it leads: an answer, none, a mistake of people, or another try."""

from __future__ import annotations

from aiops_analyzer_claude_cli.config import ClaudeCliConfig
from aiops_analyzer_claude_cli.ledger import Failure, Ledger
from aiops_analyzer_claude_cli.session import Ending
from aiops_core import AiopsError, NoAnswer, Retry, Usage, UserError

_WAIT = 60.0
_LIMITS = {
    "timeout": "the session did not end within {seconds:g} s; raise `timeout`",
    "output": "it printed without end",
    "processes": "it started too many processes",
    "memory": "it used too much memory",
    "disk": "the disk was almost full",
}
_STOPPED = {
    "refusal": "the model refused to answer",
    "max_tokens": "an answer of the model did not fit",
    "model_context_window_exceeded": "the model's context window is too small for this incident",
}
_SUBTYPES = {
    "error_max_turns": "it had not finished after {turns} turns; raise `max_turns`",
    "error_max_budget_usd": "it had not finished when {cost:g} US dollars were spent; raise `max_cost`",
}


def answer_text(ending: Ending, ledger: Ledger, config: ClaudeCliConfig) -> str:
    """Return what the agent answered in the end; raise what any other end means."""
    usage = ledger.usage(ending.cost)
    said = ending.said
    if ending.process.stopped:
        reason = _LIMITS[ending.process.stopped].format(seconds=config.timeout.total_seconds())
        raise NoAnswer(reason, usage=usage)
    if ledger.failure is not None:
        raise _of_failure(ledger.failure, usage)
    if ledger.stop_reason in _STOPPED:
        raise NoAnswer(_STOPPED[ledger.stop_reason], usage=usage)
    if not said:
        raise NoAnswer(
            f"the program ended with exit code {ending.process.exit_code} and without a result: "
            f"{ending.last_words or 'it printed nothing'}",
            usage=usage,
        )
    subtype = str(said.get("subtype"))
    if subtype in _SUBTYPES:
        reason = _SUBTYPES[subtype].format(turns=config.max_turns, cost=config.max_cost)
        raise NoAnswer(reason, usage=usage)
    is_whole = subtype == "success" and not said.get("is_error") and ending.process.exit_code == 0
    if not is_whole or said.get("terminal_reason", "completed") != "completed":
        told = " ".join((ending.text or subtype).split())[:300]
        raise NoAnswer(f"the program ended with an error: {told}", usage=usage)
    return ending.text


def _of_failure(failure: Failure, usage: Usage | None) -> AiopsError:
    if failure.may_pass:
        where = f"HTTP {failure.status}: " if failure.status else ""
        return Retry(f"claude cannot be reached: {where}{failure.text}", after=failure.retry_after or _WAIT)
    if failure.is_refused:
        return UserError(f"claude_cli: {failure.refusal}")
    if failure.status == 404:
        return UserError(f"claude_cli: HTTP 404 {failure.text}. Check 'model' and 'base_url'.")
    return NoAnswer(f"the API refuses the request (HTTP {failure.status} {failure.text})", usage=usage)
