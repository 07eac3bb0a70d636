"""What a report says and that nothing in it can become markup."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aiops_core.text.report as package
from aiops_core import replace
from aiops_core.records import (
    Analysis,
    Change,
    CodeSample,
    Decision,
    Event,
    Frame,
    Incident,
    Outcome,
    Plan,
    RaisedException,
    Report,
    TestRun,
    Usage,
)
from aiops_core.text.report import outline_report, render_html, render_subject, render_text
from aiops_core.text.report.words import CHINESE

LINK = "https://git.example/shop/17"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DIFF = "--- a/cart.py\n+++ b/cart.py\n@@ -1 +1 @@\n-return total / count\n+return total / (count or 1)"
FRAMES = (
    Frame("/app/app.py", 88, "handle"),
    Frame("/app/cart.py", 42, "mean"),
    Frame("lib.py", 7, "div", in_app=False),
)


def an_event(**changes):
    error = RaisedException("ZeroDivisionError", "division by zero", FRAMES)
    event = Event(
        type=error.type,
        message=error.message,
        exceptions=(error,),
        attributes={"service": "checkout"},
        path="/var/log/app.log",
        block="Traceback (most recent call last):\n  File cart.py, line 42, in mean\nZeroDivisionError",
        context_before=("INFO before",),
        context_after=("INFO after",),
    )
    return replace(event, **changes)


def an_incident(event=None, **changes):
    incident = Incident(
        id=12,
        pipeline="shop",
        fingerprint="v1:abc",
        title="Division by zero",
        type="ZeroDivisionError",
        message="division by zero",
        language="python",
        severity="error",
        state="new",
        count=3,
        first_seen=NOON,
        last_seen=NOON + timedelta(minutes=5),
        events=(event or an_event(),),
    )
    return replace(incident, **changes)


def an_analysis(**changes):
    analysis = Analysis(
        title="Empty cart",
        summary="Requests fail.",
        root_cause="`mean` divides by zero.",
        repair_steps=("Guard the division.", "Add a test."),
        code_samples=(CodeSample("cart.py", "return total / (count or 1)", "python"),),
        prevention=("Test the empty cart.",),
        cited=("E1", "E3"),
        confidence=0.85,
        analyzer="claude",
        usage=Usage("claude-x", 1200, 300, cost=0.0123),
    )
    return replace(analysis, **changes)


def a_change(**changes):
    before = TestRun("pytest -q", 1, 2.5, tests=12, failed=("test_empty",), sandbox="bubblewrap")
    after = TestRun("pytest -q", 0, 2.4, tests=12, sandbox="bubblewrap")
    change = Change("0123456789abcdef", "main", (), DIFF, before, after, reproduced_by=("test_empty",))
    return replace(change, **changes)


def a_report(**changes):
    report = Report(
        key="k1",
        kind="incident",
        pipeline="shop",
        title="Empty cart divides by zero",
        incident=an_incident(),
        analysis=an_analysis(),
        change=a_change(),
        plans=(Plan("Open a draft", "Would open a draft to main.", action="gitlab_merge_request"),),
        outcomes=(Outcome("done", "Opened #17.", LINK, action="github_pull_request"),),
        decisions=(Decision("dry_run", "Only planned.", "actions[1].mode", NOON),),
        created_at=NOON,
    )
    return replace(report, **changes)


def titles(report):
    return [section.title for section in outline_report(report).sections]


def test_a_whole_report_has_its_sections_in_the_order_people_want_them():
    expected = [
        "",
        "Summary",
        "Root cause",
        "Repair steps",
        "Code",
        "Prevention",
        "Confidence",
        "Tests",
        "The change",
        "What was done",
        "Planned, not done",
        "Decisions",
        "Log",
    ]

    assert titles(a_report()) == expected


def test_a_fix_that_no_test_proves_is_not_called_ready():
    text = render_text(a_report(change=a_change(reproduced_by=())))

    assert "! A fix is there that no test proves. Please review it with care.\n" in text
    assert "A fix is ready" not in text


def test_the_text_reads_as_written_down_here():
    text = render_text(a_report())

    assert text.startswith("ERROR · new · ×3\nEmpty cart divides by zero\n==========================\n")
    assert "! A fix is ready. Please review it before it is merged.\n" in text
    assert "Review the fix: https://git.example/shop/17\n" in text
    assert "Where:    /app/cart.py:42 in mean\n" in text
    assert "3 times, first 2026-05-04 12:00:00 UTC, last 2026-05-04 12:05:00 UTC" in text
    assert "1. Guard the division.\n2. Add a test.\n" in text
    assert "85 % [#################...]" in text
    assert "Evidence: E1, E3\n" in text
    assert "Cost:     0.0123 USD\n" in text
    assert "Before:         failed, 1 of 12 tests, exit code 1, in 2.5 s\n" in text
    assert "After:          passed, 12 tests in 2.4 s\n" in text
    assert "Repaired tests: test_empty\n" in text
    assert "    +return total / (count or 1)\n" in text
    assert "done · github_pull_request: Opened #17.\n" in text
    assert "gitlab_merge_request: Open a draft:\n    Would open a draft to main.\n" in text
    assert "- Only planned. (2026-05-04 12:00:00 UTC, rule dry_run, setting\n  actions[1].mode)\n" in text
    assert text.index("INFO before") < text.index("Traceback") < text.index("INFO after")


def test_a_recorded_answer_is_called_one():
    text = render_text(a_report(analysis=an_analysis(analyzer="recorded")))

    assert "! This is a recorded answer: it was read from a file, no model was asked.\n" in text


@pytest.mark.parametrize("analysis", [None, Analysis("", "", "", analyzer="none")])
def test_a_report_nobody_could_answer_says_so_and_what_to_check(analysis):
    text = render_text(a_report(analysis=analysis, change=None, outcomes=(), plans=()))

    assert "! No analyzer could answer. Below is the error as it stood in the log.\n" in text
    assert "- Open /app/cart.py:42 in mean and look at what can lead to this error.\n" in text
    assert "- Ask again later: aiops incidents retry 12\n" in text
    assert "0 % [....................]" in text
    assert "    Traceback (most recent call last):\n" in text


def test_an_answer_that_only_names_what_to_check_is_not_taken_for_a_repair():
    nothing = Analysis(
        "Not analysed",
        "No key.",
        "Not determined.",
        ("Check the disk.",),
        (CodeSample("raw error", "Traceback"),),
        analyzer="none",
    )
    report = a_report(analysis=nothing, change=None, outcomes=(), plans=())

    assert titles(report) == ["", "Summary", "Root cause", "What to check", "Confidence", "Decisions", "Log"]
    assert "1. Check the disk.\n" in render_text(report)
    assert "! No analyzer could answer." in render_text(report)
    assert "Analyzer:" not in render_text(report)


def test_an_answer_that_cannot_be_proven_says_so():
    assert "! Not provable from this data.\n" in render_text(a_report(analysis=an_analysis(provable=False)))


def test_a_fault_report_says_what_failed_without_an_incident():
    fault = Report("k2", "fault", "shop", "source file: cannot read", "Permission denied.", created_at=NOON)

    text = render_text(fault)

    assert text == (
        "FAULT\nsource file: cannot read\n========================\n\nPermission denied.\n\n"
        "Pipeline: shop\nTime:     2026-05-04 12:00:00 UTC\n\n"
        "--\nWritten by aiops-core for the pipeline shop.\n"
    )
    assert "Permission denied." in render_html(fault)
    assert render_subject(fault) == "[FAULT] shop: source file: cannot read"


def test_a_report_of_an_incident_without_stored_events_still_renders():
    report = a_report(incident=an_incident(events=()), analysis=None)

    assert "Error:    ZeroDivisionError: division by zero\n" in render_text(report)
    assert "division by zero" in render_html(report)


@pytest.mark.parametrize(
    ("sandbox", "sentence"),
    [
        ("none", "! The tests ran outside a sandbox (sandbox: none).\n"),
        ("bubblewrap", "Sandbox:        bubblewrap\n"),
    ],
)
def test_the_report_says_how_far_the_tests_were_isolated(sandbox, sentence):
    change = a_change()

    text = render_text(a_report(change=replace(change, after=replace(change.after, sandbox=sandbox))))

    assert sentence in text


def test_a_change_without_a_test_run_is_not_called_tested():
    text = render_text(a_report(change=a_change(before=None, after=None)))

    assert "! No tests ran on this change. Review it with care.\n" in text


def test_a_test_run_that_never_ended_is_told_as_stopped():
    stopped = TestRun("pytest -q", -9, 600.0, timed_out=True)

    assert "Before:  stopped after 10 min\n" in render_text(a_report(change=a_change(before=stopped)))


def test_one_test_is_told_as_one():
    before = TestRun("pytest -q", 1, 2.5, tests=1, failed=("test_empty",))
    after = TestRun("pytest -q", 0, 2.4, tests=1)

    text = render_text(a_report(change=a_change(before=before, after=after)))

    assert "failed, 1 of 1 test, exit code 1, in 2.5 s\n" in text
    assert "passed, 1 test in 2.4 s\n" in text


def test_a_plan_that_was_carried_out_is_not_listed_as_waiting():
    plan = Plan("Open a request", "To main.", action="github_pull_request")

    assert "Planned, not done" not in titles(a_report(plans=(plan,)))


def test_a_refused_action_asks_nobody_for_a_review():
    refused = Outcome("refused", "Five requests are open.", action="github_pull_request")

    text = render_text(a_report(outcomes=(refused,)))

    assert "refused · github_pull_request: Five requests are open.\n" in text
    assert "Please review" not in text


def test_a_report_in_chinese_has_no_english_words_of_ours():
    report = a_report(language="zh")

    headings = titles(report)
    text = render_text(report)

    assert headings[1:] == [CHINESE[title] for title in titles(a_report())[1:]]
    assert text.startswith("错误 · 新问题 · ×3\n")
    assert "修复已就绪，请在合并之前进行审查。" in text
    assert '<html lang="zh-Hans">' in render_html(report)
    assert render_subject(report) == "[错误] shop: Empty cart divides by zero"


def test_every_phrase_of_the_report_is_translated_with_the_same_placeholders():
    folder = Path(package.__file__).parent
    source = "\n".join(file.read_text() for file in folder.glob("*.py") if file.name != "words.py")
    spoken = set(re.findall(r'say\(\s*"([^"]+)"', source))

    assert len(spoken) > 40
    assert sorted(spoken - set(CHINESE)) == []
    for phrase, translation in CHINESE.items():
        assert set(re.findall(r"{\w+}", phrase)) == set(re.findall(r"{\w+}", translation)), phrase


def test_long_logs_and_diffs_keep_their_head_and_tail():
    block = "\n".join(f"line {number}" for number in range(1_000))
    diff = "\n".join(f"+row {number}" for number in range(5_000))

    text = render_text(a_report(incident=an_incident(an_event(block=block)), change=a_change(diff=diff)))

    assert "    line 0\n" in text
    assert "    [… 800 lines left out …]\n" in text
    assert "    line 999\n" in text
    assert "    +row 4999\n" in text
    assert len(text) < 60_000


def test_one_endless_line_is_cut_too():
    text = render_text(a_report(incident=an_incident(an_event(block="x" * 1_000_000))))

    assert "[… 984000 characters left out …]" in text


ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "span",
        "h1",
        "h2",
        "p",
        "a",
        "br",
        "ul",
        "ol",
    ),
    *("li", "table", "tr", "td", "pre", "code"),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "class", "style", "href", "role"}
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</pre></div><iframe src=//evil.example>",
    "</title><base href=//evil.example>",
    "javascript:alert(1)",
    "' style='background:url(//evil.example)' onmouseover='x",
    "{body} {title} %s \\1 `</code><script>`",
    "&lt;script&gt;",
    "<!-- ",
    "]]><a href=javascript:1>",
]


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.text = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        assert tag in ALLOWED
        assert {name for name, _ in attributes} <= ATTRIBUTES
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name == "href"]
        assert all("url(" not in (value or "") for _, value in attributes)

    def handle_comment(self, data):
        raise AssertionError(f"a comment got in: {data}")

    def handle_data(self, data):
        self.text.append(data)


def filled_with(payload):
    frames = (Frame(payload, 1, payload),)
    event = an_event(
        type=payload,
        message=payload,
        exceptions=(RaisedException(payload, payload, frames),),
        attributes={payload: payload},
        path=payload,
        block=payload,
        context_before=(payload,),
        context_after=(payload,),
    )
    run = TestRun(payload, 1, 1.0, failed=(payload,), tests=1, sandbox=payload)
    return Report(
        key=payload,
        kind="incident",
        pipeline=payload,
        title=payload,
        text=payload,
        incident=an_incident(event, type=payload, message=payload),
        analysis=Analysis(
            payload,
            payload,
            payload,
            (payload,),
            (CodeSample(payload, payload, payload),),
            (payload,),
            (payload,),
            0.5,
            analyzer=payload,
            usage=Usage(payload),
        ),
        change=Change(payload, payload, (), payload, run, run, (payload,)),
        plans=(Plan(payload, payload, action=payload + "2"),),
        outcomes=(Outcome("done", payload, payload, action=payload),),
        decisions=(Decision(payload, payload, payload),),
        created_at=NOON,
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_s7_no_field_can_add_markup_or_a_link(payload):
    page = Page(render_html(filled_with(payload)))

    assert page.links == []
    assert "".join(page.text).count(payload.strip()) >= 20 or "`" in payload


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://user:pw@evil.example/",
        "https://evil.example/\r\nX: y",
        'https://evil.example/" onclick="x',
        "https:///nohost",
        "http://[broken",
        "ftp://evil.example/",
        "https://例子.example/",
        "https://e.example/" + "x" * 3_000,
    ],
)
def test_an_unsafe_address_is_text_and_never_a_link(url):
    page = Page(render_html(a_report(outcomes=(Outcome("done", "Made.", url),))))

    assert page.links == []


def test_a_safe_address_is_linked_as_button_and_in_full():
    page = Page(render_html(a_report()))

    assert page.links == [LINK, LINK]
    assert "Review the fix" in page.text


def test_terminal_sequences_and_bidi_signs_never_reach_a_reader():
    report = filled_with("\x1b[31mred\x1b]0;title\x07\u202eevil\x00\r")

    for rendered in (render_text(report), render_html(report), render_subject(report)):
        assert not set(rendered) & set("\x1b\x07\x00\r\u202e")


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -1.0, 7.0])
def test_a_confidence_out_of_range_does_not_break_the_page(confidence):
    html = render_html(a_report(analysis=an_analysis(confidence=confidence)))

    assert re.search(r"width:(0|100)%;", html)


@settings(max_examples=60, deadline=None, database=None)
@given(st.text(max_size=80))
def test_a_subject_is_one_short_line_and_any_text_renders(text):
    report = filled_with(text)

    subject = render_subject(report)

    assert len(subject) <= 150
    assert not set(subject) & {chr(code) for code in [*range(32), *range(127, 160)]}
    render_text(report).encode()
    Page(render_html(report))


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ["New with: version 2; errors before were of version 1"]),
        ("zh", ["随版本出现: version 2（此前的错误来自 version 1）"]),
    ],
)
def test_a_report_says_with_which_release_an_incident_came_up(language, shown):
    marked = a_report(language=language, new_with="version 2", new_after="version 1")

    assert [line.strip() for line in render_text(marked).splitlines() if "version 2" in line] == shown
    assert "version 2" not in render_text(replace(marked, new_with=""))
