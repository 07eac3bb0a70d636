"""A report in the size of a chat message."""

import pytest

from aiops_core import fit_sections, outline_brief, plain_lines, replace, shorten, title_line, widen_markup
from aiops_core.testing.chat_bench import ANALYSIS, EVENT, FAULT, INCIDENT, REPORT


def size(section):
    return len("\n".join(line for part in section.parts for line in plain_lines(part)))


def test_a_brief_report_holds_what_people_need_at_once():
    outline = outline_brief(REPORT)

    assert list(dict.fromkeys(section.name for section in outline.sections)) == [
        "",
        "Summary",
        "Root cause",
        "Repair steps",
        "What was done",
        "Tests",
        "Confidence",
        "Log",
    ]
    assert all(len(section.parts) == 1 for section in outline.sections)
    assert outline.footer == "aiops incidents show 12"


def test_a_fault_says_what_failed():
    outline = outline_brief(FAULT)

    assert plain_lines(outline.sections[0].parts[0]) == ("shop.log cannot be read.",)


def test_a_long_log_and_long_lists_are_shortened():
    event = replace(EVENT, block="\n".join(f"line {number}" for number in range(500)))
    steps = tuple(f"step {number}" for number in range(30))
    report = replace(
        REPORT,
        incident=replace(INCIDENT, events=(event,)),
        analysis=replace(ANALYSIS, repair_steps=steps),
    )

    sections = {section.name: section for section in outline_brief(report).sections}

    assert len(plain_lines(sections["Log"].parts[0])) == 13
    assert plain_lines(sections["Repair steps"].parts[0])[7:] == ("8. step 7", "9. … and 13 more")


@pytest.mark.parametrize("limit", [0, 20, 60, 100, 200, 300, 500, 10_000])
def test_what_fits_is_kept_and_the_last_is_cut(limit):
    sections = outline_brief(REPORT).sections

    kept = fit_sections(sections, size, limit)

    assert sum(map(size, kept)) <= limit
    assert [section.title for section in kept] == [section.title for section in sections[: len(kept)]]
    assert kept[:-1] == sections[: len(kept)][:-1]
    assert limit < 10_000 or kept == sections


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("unbroken", 5, "unbr…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("结账失败", 3, "结账…"),
        ("anything", 0, ""),
    ],
)
def test_a_text_is_cut_where_a_word_or_a_character_ends(text, limit, expected):
    assert shorten(text, lambda candidate: len(candidate) <= limit) == expected


def test_bytes_can_decide_what_fits():
    assert shorten("结账失败", lambda text: len(text.encode()) <= 9) == "结账…"


def test_a_title_is_one_line():
    assert title_line("a\n b " + "word " * 99).startswith("a b word word")
    assert len(title_line("word " * 99)) <= 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** `code` ~~no~~", "＊＊bold＊＊ ｀code｀ ～～no～～"),
        ("[x](https://h)", "［x］(https［:］//h)"),
        ("<at id=all>", "＜at id=all＞"),
        ("@all", "＠all"),
        ("__init__ a_b _x_", "＿＿init＿＿ a_b ＿x＿"),
        ("# one\n  ## two\n| t", "＃ one\n  ＃# two\n｜ t"),
        ("java.lang.String[0]", "java.lang.String［0］"),
    ],
)
def test_markup_becomes_wide_look_alikes(text, shown):
    assert widen_markup(text) == shown
