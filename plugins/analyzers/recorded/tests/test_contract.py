from contextlib import contextmanager

from aiops_analyzer_recorded import RecordedAnalyzer

from aiops_core.testing import Bench, contract

ANSWERS = """\
- match: {type: ValueError}
  answer: {title: no price, summary: none, root_cause: nobody checks, confidence: 0.9}
"""


@contextmanager
def answers(directory):
    (directory / "answers.yaml").write_text(ANSWERS)
    yield Bench({"path": "answers.yaml"}, directory=directory)


test_contract = contract(RecordedAnalyzer, answers)
