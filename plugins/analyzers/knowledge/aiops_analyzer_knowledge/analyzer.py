"""Recognise known errors and give their written remedy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files

from pydantic import Field

from aiops_core import (
    Analysis,
    Analyzer,
    Config,
    Entry,
    Evidence,
    Incident,
    IncidentMatch,
    clean,
    read_entries,
)

_SUMMARY = {
    "en": "A known error: {name}. The remedy below is written down in {where}; no model was asked.",
    "zh": "已知错误：{name}。下面的处理办法来自 {where}，没有询问任何模型。",
}
_SHIPPED = {"en": "the rules shipped with this analyzer", "zh": "随本分析器提供的规则"}


class KnowledgeConfig(Config):
    """Settings of the ``knowledge`` analyzer."""

    path: str = ""
    """File of rules, or directory of such files (YAML or JSON); relative to the pipeline file. Empty: none."""
    shipped: bool = True
    """Whether the shipped rules are tried after your own."""


class Remedy(Config):
    """What is written about a known error, in one language."""

    title: str = Field(min_length=1, max_length=200)
    """What is wrong, in one line."""
    root_cause: str = Field(min_length=1, max_length=8_000)
    """Why it happens."""
    repair_steps: list[str] = Field(default=[], max_length=20)
    """What to do, step by step."""
    prevention: list[str] = Field(default=[], max_length=20)
    """How to keep it from happening again."""


class Rule(Remedy):
    """A known error and its remedy."""

    name: str = Field(min_length=1, max_length=80)
    """Short name of the rule, shown with the answer."""
    match: IncidentMatch
    """What an incident must have."""
    confidence: float = Field(default=0.6, ge=0, le=1)
    """How sure the remedy is, from 0 to 1."""
    zh: Remedy | None = None
    """The same in Chinese."""


class KnowledgeAnalyzer(Analyzer[KnowledgeConfig]):
    """Answer incidents with the remedy of the first rule that fits; never proposes edits."""

    config: KnowledgeConfig
    is_offline = True
    _rules: Sequence[Entry[Rule]] | None = None

    def check(self) -> None:
        self._own_rules()

    def start(self) -> None:
        self._rules = [*self._own_rules(), *(_shipped_rules() if self.config.shipped else [])]

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        if self._rules is None:
            self.start()
        for entry in self._rules or ():
            if entry.value.match.fits(incident):
                return self._answered(entry, evidence)
        self.context.logger.info("no known error fits %s", incident.type)
        return None

    def _own_rules(self) -> Sequence[Entry[Rule]]:
        return read_entries(self.context.directory / self.config.path, Rule) if self.config.path else []

    def _answered(self, entry: Entry[Rule], evidence: Sequence[Evidence]) -> Analysis:
        rule, language = entry.value, "zh" if self.context.language == "zh" else "en"
        remedy = rule.zh if language == "zh" and rule.zh else rule
        where = entry.place.rsplit(": ", 1)[0] or _SHIPPED[language]
        return Analysis(
            title=clean(remedy.title, keep_newlines=False),
            summary=_SUMMARY[language].format(name=rule.name, where=where),
            root_cause=remedy.root_cause.strip(),
            repair_steps=tuple(remedy.repair_steps),
            prevention=tuple(remedy.prevention),
            cited=tuple(item.id for item in evidence if item.kind == "log")[:1],
            confidence=rule.confidence,
            provable=False,
        )


@cache
def _shipped_rules() -> tuple[Entry[Rule], ...]:
    with as_file(files(__package__) / "rules.yaml") as path:
        return tuple(Entry("", entry.value) for entry in read_entries(path, Rule))
