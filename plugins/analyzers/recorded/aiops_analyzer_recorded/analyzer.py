"""Answer known incidents from files, without any model."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import (
    Analysis,
    AnalysisAnswer,
    Analyzer,
    AnswerInvalid,
    Config,
    Entry,
    Evidence,
    Incident,
    IncidentMatch,
    UserError,
    parse_answer,
    read_entries,
    replace,
)

_PREFIX = {
    "en": "Recorded answer: it was written beforehand and read from a file, no model was asked.",
    "zh": "预录答案：事先写好并从文件读取，没有询问任何模型。",
}


class RecordedConfig(Config):
    """Settings of the ``recorded`` analyzer."""

    path: str
    """File of answers, or directory of such files (YAML or JSON); relative to the pipeline file."""


class RecordedAnswer(Config):
    """One answer and the incidents it is for."""

    match: IncidentMatch
    """What an incident must have."""
    answer: AnalysisAnswer
    """The answer, in the shape a model would give it."""


class RecordedAnalyzer(Analyzer[RecordedConfig]):
    """Answer incidents with recorded answers: the first whose ``match`` fits."""

    config: RecordedConfig
    is_offline = True
    _entries: Sequence[Entry[RecordedAnswer]] | None = None

    def check(self) -> None:
        self._read()

    def start(self) -> None:
        self._entries = self._read()

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        if self._entries is None:
            self.start()
        for entry in self._entries or ():
            if entry.value.match.fits(incident):
                return self._answered(entry, {item.id for item in evidence})
        self.context.logger.info("no recorded answer in %s fits %s", self.config.path, incident.type)
        return None

    def _read(self) -> Sequence[Entry[RecordedAnswer]]:
        entries = read_entries(self.context.directory / self.config.path, RecordedAnswer)
        for entry in entries:
            try:
                _parsed(entry)
            except AnswerInvalid as problem:
                raise UserError(f"{entry.place}: {problem}") from None
        return entries

    def _answered(self, entry: Entry[RecordedAnswer], known: set[str]) -> Analysis:
        analysis = _parsed(entry)
        prefix = _PREFIX.get(self.context.language, _PREFIX["en"])
        cited = tuple(id_ for id_ in analysis.cited if id_ in known)
        return replace(analysis, summary=f"{prefix}\n\n{analysis.summary}", cited=cited)


def _parsed(entry: Entry[RecordedAnswer]) -> Analysis:
    return parse_answer(entry.value.answer.model_dump())
