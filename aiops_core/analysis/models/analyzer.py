"""Ask a model why an incident happened and how to repair it, until there is an answer or a reason for none."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, Generic, Literal, TypeAlias

from msgspec.structs import replace
from pydantic import Field
from typing_extensions import TypeVar

from aiops_core.analysis.answer import AnalysisAnswer, parse_answer
from aiops_core.analysis.code_blocks import AnswerInvalid
from aiops_core.analysis.models.calls import CallFailed, Question, Said, Target, as_json, said_before
from aiops_core.analysis.models.usage import added, spent
from aiops_core.analysis.prompt import Prompt, build_prompt
from aiops_core.budget import AtMost, tokens_of
from aiops_core.component import Analyzer
from aiops_core.config import Config, Duration
from aiops_core.context import Explorer
from aiops_core.errors import NoAnswer, Retry, UserError
from aiops_core.records import Analysis, Evidence, Incident, Usage

Ask: TypeAlias = Callable[[Question], Said]
_Message: TypeAlias = Mapping[str, Any]  # Any: text, or blocks as the API has them
_LONGEST_WAIT = 10.0
"""Seconds a worker waits for a model; what takes longer waits in the queue."""
_SHORTENED = 1_500
_PROBE = 20.0
"""Seconds that looking whether the model is there may take."""
_TOKEN = 4  # characters, roughly

_MEND = """\
That answer cannot be used: {problem}
Write your whole answer again, with that mended and everything else as it was."""


class ModelConfig(Config):
    """Settings of an analyzer that asks a model over HTTP."""

    max_tokens: int = Field(default=4096, ge=256, le=64_000)
    """Most tokens of an answer, the model's thinking included; doubled once for an answer it cut off."""
    timeout: Duration = timedelta(seconds=60)
    """Longest silence while waiting for an answer; a streamed answer may take ten times as long in all."""
    stream: bool = True
    """Whether an answer comes piece by piece: long ones then outlast the timeout."""
    explore: bool = True
    """Whether the model may look things up in the repository; `policy.max_lookups` says how often."""
    edits: Literal["json", "code_blocks"] = "json"
    """How edits are written: in the JSON object whose shape the API enforces, or as code blocks after it,
    without that enforcement, for gateways that do not know it."""
    proxy: str = Field(default="", repr=False)
    """Address of an HTTP proxy; the environment's ``HTTPS_PROXY`` when empty."""
    language: Literal["en", "zh"] | None = None
    """Language of the analysis; the pipeline's language when not set."""


M = TypeVar("M", bound=ModelConfig, default=ModelConfig)


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


class ModelAnalyzer(Analyzer[M], ABC, Generic[M]):
    """Explain incidents with a model.

    A plugin says where to ask, how one call is made, and what it costs; the rest is the same for
    all: the question, look-ups, another try for what may pass, one request to mend an answer that
    cannot be used, the next address, the budgets. ``service`` is its name in messages; ``delays``
    are the seconds before each retry of a call that may pass by itself.
    """

    service: ClassVar[str] = "the model"
    delays: Sequence[float] = (1.0, 2.0, 4.0, 8.0)

    @abstractmethod
    def targets(self) -> Iterator[Target]:
        """Yield where to ask, the first choice first."""

    @abstractmethod
    def calling(self, target: Target) -> AbstractContextManager[Ask]:
        """Yield how one call is made; the call raises CallFailed, with a message that holds no key."""

    @abstractmethod
    def looked_up(self, said: Said, results: Sequence[str]) -> list[_Message]:
        """Return what the model said, as it came, and what its look-ups show, as the API has them."""

    def look_up(self, target: Target, timeout: float) -> bool:
        """See that the model is there for this key, at no cost; raise CallFailed where it is not.

        Return whether that could be asked at all.
        """
        return False

    def probe(self) -> str:
        try:
            asked = [self.look_up(target, _PROBE) for target in self.targets()]
        except CallFailed as failure:
            raise self._conclusion([failure]) from None
        return f"{self.first_model()} is there, the key is taken" if any(asked) else ""

    def priced(self, usage: Usage) -> Usage:
        """Return the usage of one call with its cost, None for an unknown price."""
        return usage

    def effort(self) -> str | None:
        """Return how hard the model is to try, where the API knows that."""
        return None

    def first_model(self) -> str:
        """Return the model that is asked first."""
        return next(self.targets()).model

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        prompt = self._prompt(incident, evidence)
        case = _Case(incident, evidence, prompt, self.config.max_tokens, self._explorer)
        failures: list[CallFailed] = []
        for target in self.targets():
            try:
                with self.calling(target) as ask:
                    return self._converse(partial(self._guarded, target, ask), case)
            except CallFailed as failure:
                failures.append(failure)
                where = target.base_url or "the vendor's API"
                self.context.logger.warning("%s at %s: %s", self.service, where, failure)
            except _Unanswered as reason:
                self.context.logger.warning(
                    "%s gives no answer: %s%s", self.service, reason, spent(case.used)
                )
                raise NoAnswer(str(reason), usage=added(case.used)) from None
        raise self._conclusion(failures)

    def estimate(self, incident: Incident, evidence: Sequence[Evidence]) -> Usage | None:
        prompt = self._prompt(incident, evidence)
        tokens = (len(prompt.system) + len(prompt.user)) // _TOKEN
        return self.priced(Usage(self.first_model(), tokens, self.config.max_tokens // 2))

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

    def _conclusion(self, failures: Sequence[CallFailed]) -> Exception:
        passing = [failure for failure in failures if failure.kind == "again"]
        if passing:
            after = min((one.retry_after for one in passing if one.retry_after), default=60.0)
            return Retry(f"{self.service} cannot be reached: {passing[-1]}", after=after)
        return UserError(f"{self.service}: {failures[0]}")

    def _guarded(self, target: Target, ask: Ask, question: Question) -> Said:
        """Make one call, if its address is open and within the budgets; tell all workers how it went."""
        endpoint = self.context.endpoints.of(target.base_url or f"the API of {self.service}", target.api_key)
        if closed := endpoint.closed():
            kind: Literal["key", "again"] = "key" if closed.seconds is None else "again"
            raise CallFailed(closed.reason, kind, closed.seconds, is_free=True)
        try:
            said = self._paid(target, ask, question)
        except CallFailed as failure:
            if failure.kind == "again":
                endpoint.failed(str(failure), failure.retry_after)
            elif failure.kind == "key":
                endpoint.refused(str(failure))
            else:
                endpoint.succeeded()
            raise
        if said.stop_reason is None:
            endpoint.failed("the stream was cut off before its end")
        else:
            endpoint.succeeded()
        return said

    def _paid(self, target: Target, ask: Ask, question: Question) -> Said:
        with self.context.spending(self._at_most(question, target.model)) as spending:
            if spending.said is not None:
                return said_before(spending.said)
            try:
                said = ask(question)
            except CallFailed as failure:
                if failure.is_free:
                    spending.settle(None)
                raise
            is_told = said.usage.input_tokens or said.usage.output_tokens
            if (
                said.stop_reason is not None and is_told
            ):  # a stream that was cut off does not say what it took
                spending.settle(said.usage, as_json(said))
            return said

    def _at_most(self, question: Question, model: str) -> AtMost:
        """Return what a call may take: everything it sends written to the cache, and the longest answer."""
        tools = [tool.parameters for tool in question.tools]
        schema = AnalysisAnswer.model_json_schema() if question.is_enforced else None
        texts = (json.dumps(part, ensure_ascii=False) for part in (list(question.messages), tools, schema))
        sent = tokens_of(question.system, *texts)
        cost = self.priced(Usage(model, cache_write_tokens=sent, output_tokens=question.max_tokens)).cost
        return AtMost(model, sent + question.max_tokens, cost)

    def _converse(self, ask: Ask, case: _Case) -> Analysis:
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
                messages = [*messages, *self._looked_up(said, case.explorer)]
                is_spent = case.explorer.left <= 0
            elif said.stop_reason != "end_turn":
                raise _Unanswered(_why(said))
            else:
                try:
                    return parse_answer(said.text, case.known, usage=added(case.used))
                except AnswerInvalid as problem:
                    if is_mended:
                        raise _Unanswered(f"two answers were unusable, the last one: {problem}") from None
                    is_mended = True
                    messages = _mend(messages, said, problem)

    def _looked_up(self, said: Said, explorer: Explorer) -> list[_Message]:
        return self.looked_up(said, [explorer.call(one.name, one.arguments) for one in said.calls])

    def _shorter(self, case: _Case) -> str:
        """Return the question with less evidence, once."""
        evidence = [replace(item, text=item.text[:_SHORTENED]) for item in case.evidence]
        if evidence == list(case.evidence):
            raise _Unanswered("the model's context window is too small for this incident")
        case.evidence = evidence
        case.prompt = self._prompt(case.incident, evidence)
        return case.prompt.user

    def _call(self, ask: Ask, case: _Case, messages: Sequence[_Message]) -> Said:
        """Call, and call again for what may pass: 1, 2, 4, 8 seconds apart or as the server asks."""
        config = self.config
        question = Question(
            case.prompt.system, messages, case.max_tokens, config.timeout.total_seconds(), config.stream,
            self.effort(),
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
        if failure.kind != "again" or delay is None or (failure.retry_after or 0.0) > _LONGEST_WAIT:
            raise failure
        wait = delay if failure.retry_after is None else failure.retry_after
        self.context.logger.info("%s: %s; trying again in %g s", self.service, failure, wait)
        if self.context.stopping.wait(wait):
            raise Retry("the pipeline is stopping")


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
