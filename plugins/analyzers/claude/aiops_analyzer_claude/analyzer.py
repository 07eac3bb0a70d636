"""Ask Claude why an incident happened and how to repair it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeAlias

from aiops_analyzer_claude.calls import CallFailed, Question, Said, Target, at_most, call, connect
from aiops_analyzer_claude.config import ClaudeConfig
from aiops_analyzer_claude.prices import added, priced
from aiops_core import (
    Analysis,
    Analyzer,
    AnswerInvalid,
    Evidence,
    Explorer,
    Incident,
    NoAnswer,
    Prompt,
    Retry,
    Usage,
    UserError,
    build_prompt,
    parse_answer,
)

_Message: TypeAlias = dict[str, Any]  # Any: text, or blocks as the API has them
_LONGEST_WAIT = 120.0
_SHORTENED = 1_500
_TOKEN = 4  # characters, roughly

_MEND = """\
That answer cannot be used: {problem}
Write your whole answer again, with that mended and everything else as it was."""


class _Unanswered(Exception):
    """Say why this incident gets no answer here; the next analyzer is asked."""


@dataclass(slots=True)
class _Case:
    """One incident on its way through the endpoints."""

    incident: Incident
    evidence: Sequence[Evidence]
    prompt: Prompt
    max_tokens: int
    explorer: Explorer | None
    used: list[Usage] = field(default_factory=list)

    @property
    def known(self) -> set[str]:
        """Ids of what an answer may cite."""
        shown = self.explorer.found if self.explorer else []
        return {item.id for item in (*self.evidence, *shown)}


class ClaudeAnalyzer(Analyzer[ClaudeConfig]):
    """Explain incidents with Claude, through the Messages API.

    ``delays`` are the seconds before each retry of a call that may pass by itself.
    """

    config: ClaudeConfig
    delays: Sequence[float] = (1.0, 2.0, 4.0, 8.0)

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        prompt = self._prompt(incident, evidence)
        case = _Case(incident, evidence, prompt, self.config.max_tokens, self._explorer)
        failures: list[CallFailed] = []
        for target in self._targets():
            try:
                return self._ask(target, case)
            except CallFailed as failure:
                failures.append(failure)
                self.context.logger.warning(
                    "claude at %s: %s", target.base_url or "the vendor's API", failure
                )
            except _Unanswered as reason:
                self.context.logger.warning("claude gives no answer: %s%s", reason, _spent(case.used))
                raise NoAnswer(str(reason), usage=added(case.used)) from None
        raise self._conclusion(failures)

    def estimate(self, incident: Incident, evidence: Sequence[Evidence]) -> Usage | None:
        prompt = self._prompt(incident, evidence)
        tokens = (len(prompt.system) + len(prompt.user)) // _TOKEN
        return priced(Usage(self.config.model, tokens, self.config.max_tokens // 2))

    def _prompt(self, incident: Incident, evidence: Sequence[Evidence]) -> Prompt:
        chosen = self.config.language or self.context.language
        language: Literal["zh", "en"] = "zh" if chosen == "zh" else "en"
        has_tools = self._explorer is not None
        return build_prompt(
            incident, evidence, language=language, edits=self.config.edits, has_tools=has_tools
        )

    @property
    def _explorer(self) -> Explorer | None:
        return self.context.explorer if self.config.explore else None

    def _targets(self) -> Iterator[Target]:
        config = self.config
        key = config.api_key.get_secret_value()
        yield Target(config.base_url, key, config.model, config.proxy)
        for number, endpoint in enumerate(config.fallbacks):
            own = endpoint.api_key.get_secret_value() if endpoint.api_key else ""
            yield Target(
                endpoint.base_url,
                own or key,
                endpoint.model or config.model,
                config.proxy,
                key_setting=f"fallbacks[{number}].api_key" if own else "api_key",
                model_setting=f"fallbacks[{number}].model" if endpoint.model else "model",
            )

    @staticmethod
    def _conclusion(failures: Sequence[CallFailed]) -> Exception:
        passing = [failure for failure in failures if failure.kind == "again"]
        if passing:
            return Retry(f"claude cannot be reached: {failures[-1]}", after=passing[-1].retry_after or 60.0)
        return UserError(f"claude: {failures[0]}")

    def _ask(self, target: Target, case: _Case) -> Analysis:
        """Ask one endpoint until there is an analysis, or a reason that there is none."""
        with connect(target, self.config.timeout.total_seconds()) as client:
            return self._converse(partial(self._paid, target, partial(call, client, target)), case)

    def _paid(self, target: Target, ask: Callable[[Question], Said], question: Question) -> Said:
        """Make one call within the budgets."""
        with self.context.spending(at_most(question, target.model)) as spending:
            try:
                said = ask(question)
            except CallFailed as failure:
                if failure.is_free:
                    spending.settle(None)
                raise
            if said.stop_reason is not None:  # a stream that was cut off does not say what it took
                spending.settle(said.usage)
            return said

    def _converse(self, ask: Callable[[Question], Said], case: _Case) -> Analysis:
        messages: list[_Message] = [{"role": "user", "content": case.prompt.user}]
        is_mended = is_resumed = is_spent = False
        while True:
            said = self._call(ask, case, messages)
            if said.stop_reason == "max_tokens" and case.max_tokens == self.config.max_tokens:
                case.max_tokens *= 2
            elif said.stop_reason == "model_context_window_exceeded":
                messages = [{"role": "user", "content": self._shorter(case)}]
            elif said.stop_reason == "pause_turn" and not is_resumed:
                is_resumed = True
            elif said.stop_reason == "tool_use" and case.explorer and said.calls and not is_spent:
                messages = [*messages, *_looked_up(said, case.explorer)]
                is_spent = case.explorer.left <= 0
            elif said.stop_reason != "end_turn":
                raise _Unanswered(_why(said))
            else:
                try:
                    return self._analysis(said, case)
                except AnswerInvalid as problem:
                    if is_mended:
                        raise _Unanswered(f"two answers were unusable, the last one: {problem}") from None
                    is_mended = True
                    messages = _mend(messages, said, problem)

    def _analysis(self, said: Said, case: _Case) -> Analysis:
        return parse_answer(said.text, case.known, usage=added(case.used))

    def _shorter(self, case: _Case) -> str:
        """Return the question with less evidence, once."""
        evidence = [replace(item, text=item.text[:_SHORTENED]) for item in case.evidence]
        if evidence == list(case.evidence):
            raise _Unanswered("the model's context window is too small for this incident")
        case.evidence = evidence
        case.prompt = self._prompt(case.incident, evidence)
        return case.prompt.user

    def _call(self, ask: Callable[[Question], Said], case: _Case, messages: Sequence[_Message]) -> Said:
        """Call, and call again for what may pass: 1, 2, 4, 8 seconds apart or as the server asks."""
        config = self.config
        question = Question(
            case.prompt.system, messages, case.max_tokens, config.timeout.total_seconds(), config.stream, config.effort,
            is_enforced=config.edits == "json",
            tools=case.explorer.tools if case.explorer else (),
            may_call=case.explorer is not None and case.explorer.left > 0,
        )  # fmt: skip
        for delay in (*self.delays, None):
            try:
                said = ask(question)
            except CallFailed as failure:
                if failure.kind == "too-long":
                    question = replace(question, messages=[{"role": "user", "content": self._shorter(case)}])
                    continue
                self._wait_or_raise(failure, delay)
                continue
            case.used.append(said.usage)
            if said.stop_reason is not None:
                return said
            self._wait_or_raise(CallFailed("the stream was cut off before its end", "again"), delay)
        raise CallFailed("too many tries", "again")

    def _wait_or_raise(self, failure: CallFailed, delay: float | None) -> None:
        """Wait before the next try; raise the failure when there is none or it would be too late."""
        wait = delay if failure.retry_after is None else failure.retry_after
        if failure.kind != "again" or delay is None or wait is None or wait > _LONGEST_WAIT:
            raise failure
        self.context.logger.info("claude: %s; trying again in %g s", failure, wait)
        if self.context.stopping.wait(wait):
            raise Retry("the pipeline is stopping")


def _looked_up(said: Said, explorer: Explorer) -> list[_Message]:
    """Return what the model said, as it came, and what its look-ups show."""
    results = [
        {"type": "tool_result", "tool_use_id": one.id, "content": explorer.call(one.name, one.arguments)}
        for one in said.calls
    ]
    return [{"role": "assistant", "content": list(said.content)}, {"role": "user", "content": results}]


def _mend(messages: Sequence[_Message], said: Said, problem: AnswerInvalid) -> list[_Message]:
    return [
        *messages,
        {"role": "assistant", "content": said.text or "(empty)"},
        {"role": "user", "content": _MEND.format(problem=problem)},
    ]


def _why(said: Said) -> str:
    """Say what a stop reason means for this incident."""
    detail = f" ({said.detail[:300]})" if said.detail else ""
    meanings = {
        "refusal": f"the model refused to answer{detail}",
        "max_tokens": "the answer did not fit, not even into twice `max_tokens`; raise it",
        "tool_use": "the model asked for a tool it has not, or for more look-ups than there are",
        "pause_turn": "the model paused twice without an answer",
        "stop_sequence": "the answer was stopped by a stop sequence, though none was set",
    }
    return meanings.get(
        said.stop_reason or "", f"the answer stopped for the unknown reason {said.stop_reason!r}"
    )


def _spent(used: Sequence[Usage]) -> str:
    total = added(used)
    if total is None:
        return ""
    cost = f", {total.cost:.4f} USD" if total.cost is not None else ""
    return f" [{total.input_tokens} tokens in, {total.output_tokens} out{cost}]"
