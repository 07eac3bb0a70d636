from datetime import UTC, datetime

import pytest

from aiops_core import replace
from aiops_core.analysis import unanswered
from aiops_core.records import CodeSample, Event, Incident

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def incident(language="python", **changes):
    event = Event("KeyError", "'total'", headline="ERROR boom", block="Traceback …\nKeyError: 'total'")
    return Incident(1, "p", "f", "t", "KeyError", "'total'", language, "error", "new", 3, NOW, NOW, (event,))


def test_it_carries_the_raw_error_and_says_why():
    analysis = unanswered(incident(), ["claude: the key is refused.", "knowledge: no answer"])

    assert analysis.title == "Not analysed: KeyError: 'total'"
    assert analysis.summary == (
        "No analyzer could answer, so this report carries the raw error only. "
        "Reasons: claude: the key is refused; knowledge: no answer."
    )
    assert analysis.root_cause == (
        "Not determined. KeyError: 'total' occurred 3 times, last at 2026-01-02 03:04:05 UTC."
    )
    assert analysis.code_samples == (CodeSample("raw error", "ERROR boom\nTraceback …\nKeyError: 'total'"),)
    assert (analysis.confidence, analysis.provable, analysis.edits) == (0.0, False, ())
    assert "traceback" in analysis.repair_steps[0]


def test_it_speaks_chinese():
    analysis = unanswered(incident("go"), [], language="zh")

    assert analysis.title == "未能分析：KeyError: 'total'"
    assert analysis.summary == "没有分析器能够给出答案，本报告只包含原始错误。"
    assert "goroutine" in analysis.repair_steps[0]


@pytest.mark.parametrize("language", ["", "cobol", "java", "javascript"])
@pytest.mark.parametrize("written", ["en", "zh"])
def test_every_language_has_something_to_check_and_nothing_twice(language, written):
    steps = unanswered(incident(language), [], language=written).repair_steps

    assert len(steps) >= 3
    assert len(set(steps)) == len(steps)


@pytest.mark.parametrize(("language", "once"), [("en", "occurred once, last"), ("zh", "已出现 1 次，")])
def test_what_occurred_once_is_not_said_in_the_plural(language, once):
    single = replace(incident(), count=1)

    assert once in unanswered(single, [], language=language).root_cause


def test_a_message_that_begins_with_its_type_says_it_once():
    message = "runtime error: index out of range [5] with length 3"
    go = replace(incident("go"), type="runtime error: index out of range", message=message)

    assert unanswered(go, []).title == f"Not analysed: {message}"


def test_an_incident_without_events_is_answered_too():
    bare = replace(incident(), events=())

    assert unanswered(bare, []).code_samples == ()
