from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from aiops_analyzer_recorded import RecordedAnalyzer, RecordedConfig

from aiops_core import Context, Edit, Event, Evidence, Frame, Incident, RaisedException, UserError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANSWER = {
    "title": "Free items have no price",
    "summary": "Orders with free items fail.",
    "root_cause": "total() reads item['price'].",
    "cited": ["E1", "E8"],
    "confidence": 0.95,
    "edits": [
        {"kind": "replace", "path": "cart.py", "search": "item['price']", "replace": "item.get('price', 0)"}
    ],
}


def incident(type_="KeyError"):
    error = RaisedException(type_, "'price'", (Frame("/app/cart.py", 9, "total"),))
    event = Event(type_, "'price'", exceptions=(error,))
    return Incident(1, "p", "f", "t", type_, "'price'", "python", "error", "new", 1, NOW, NOW, (event,))


@pytest.fixture
def analyzer(tmp_path):
    def make(entries, language="en"):
        (tmp_path / "answers.yaml").write_text(yaml.safe_dump(entries))
        made = RecordedAnalyzer(
            RecordedConfig(path="answers.yaml"), Context(directory=tmp_path, language=language)
        )
        made.start()
        return made

    return make


def test_a_recorded_answer_says_so_in_plain_words(analyzer):
    recorded = analyzer([{"match": {"type": "KeyError", "function": "total"}, "answer": ANSWER}])

    analysis = recorded.analyze(incident(), [Evidence("log", "log", "x", id="E1")])

    assert analysis.summary == (
        "Recorded answer: it was written beforehand and read from a file, no model was asked.\n\n"
        "Orders with free items fail."
    )
    assert analysis.edits == (Edit("replace", "cart.py", "item['price']", "item.get('price', 0)"),)
    assert (analysis.confidence, analysis.cited, analysis.provable) == (0.95, ("E1",), True)
    assert analysis.usage is None


def test_it_says_so_in_chinese(analyzer):
    recorded = analyzer([{"match": {"type": "KeyError"}, "answer": ANSWER}], language="zh")

    assert recorded.analyze(incident(), []).summary.startswith("预录答案：")


def test_the_first_answer_that_fits_is_given(analyzer):
    entries = [
        {"match": {"type": "ValueError"}, "answer": {**ANSWER, "title": "other"}},
        {"match": {"file": "cart.py"}, "answer": {**ANSWER, "title": "first"}},
        {"match": {"type": "KeyError"}, "answer": {**ANSWER, "title": "second"}},
    ]

    assert analyzer(entries).analyze(incident(), []).title == "first"


def test_nothing_that_fits_is_no_answer(analyzer, caplog):
    caplog.set_level("INFO")

    assert analyzer([{"match": {"type": "ValueError"}, "answer": ANSWER}]).analyze(incident(), []) is None
    assert "no recorded answer in answers.yaml fits KeyError" in caplog.text


def test_an_answer_that_no_model_may_give_is_refused_at_the_start(analyzer, tmp_path):
    edits = [{"kind": "replace", "path": "a", "search": "", "replace": "x"}]

    with pytest.raises(UserError) as caught:
        analyzer([{"match": {"type": "A"}, "answer": {**ANSWER, "edits": edits}}])

    assert str(caught.value) == (
        f"{tmp_path / 'answers.yaml'}:1: [0]: answer: edits[1] (replace 'a'): 'search' is empty. "
        "Quote text that occurs exactly once in the file."
    )


def test_a_mistake_in_a_file_is_named_with_its_line(analyzer, tmp_path):
    with pytest.raises(UserError) as caught:
        analyzer([{"answer": {**ANSWER, "confidence": 3}, "match": {"type": "A"}}])

    assert "answers.yaml:5: [0].answer.confidence: Input should be less than or equal to 1." in str(
        caught.value
    )


def test_the_example_answers_are_valid():
    folder = Path(__file__).parents[1]
    settings = yaml.safe_load((folder / "example.yaml").read_text())["pipelines"]["shop"]["analyzers"][0][
        "with"
    ]

    RecordedAnalyzer(RecordedConfig(**settings), Context(directory=folder)).start()
