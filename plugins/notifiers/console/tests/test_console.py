"""Reports on standard output and as files."""

import contextlib
import io
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiops_notifier_console import ConsoleConfig, ConsoleNotifier

from aiops_core import (
    Analysis,
    Change,
    CodeSample,
    Context,
    Event,
    Incident,
    Outcome,
    Report,
    Retry,
    TestRun,
    UserError,
    render_html,
    replace,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EVENT = Event(type="ValueError", message="bad", block="Traceback\nValueError: bad", path="/var/log/app.log")
INCIDENT = Incident(
    1, "shop", "v1:abc", "bad", "ValueError", "bad", "python", "error", "new", 2, NOON, NOON, (EVENT,)
)
ANALYSIS = Analysis(
    "Bad value",
    "It is bad.",
    "Nobody checks it.",
    ("Check it.",),
    (CodeSample("app.py", "sample()"),),
    ("Test it.",),
    confidence=0.8,
    analyzer="claude",
)
REPORT = Report(
    key="shop/v1:abc/run-1",
    kind="incident",
    pipeline="shop",
    title="Bad value",
    incident=INCIDENT,
    analysis=ANALYSIS,
    change=Change(
        "abc", "main", (), "-bad\n+good", None, TestRun("pytest", 0, 1.0, tests=3, sandbox="bubblewrap")
    ),
    outcomes=(Outcome("done", "Opened #17.", "https://git.example/17", action="github_pull_request"),),
    created_at=NOON,
)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def notifier(tmp_path, **settings):
    return ConsoleNotifier(ConsoleConfig(**settings), Context(directory=tmp_path))


def printed(tmp_path, capsys, report=REPORT, **settings):
    notifier(tmp_path, **settings).notify(report)
    return capsys.readouterr().out


def test_a_report_is_printed_as_a_panel_of_what_was_found_and_done(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    lines = printed(tmp_path, capsys).splitlines()

    assert lines[0].startswith("╭─ ERROR · new · ×2 ──")
    assert [line.strip("│ ") for line in lines[1:-1]] == [
        "Bad value",
        "! A fix is there that no test proves. Please review it with care.",
        "Review the fix: https://git.example/17",
        "Pipeline  shop",
        "Error     ValueError: bad",
        "Seen      2 times, first 2026-05-04 12:00:00 UTC, last 2026-05-04 12:00:00 UTC",
        "Log file  /var/log/app.log",
        "",
        "Summary",
        "It is bad.",
        "",
        "Root cause",
        "Nobody checks it.",
        "",
        "Repair steps",
        "1. Check it.",
        "",
        "Confidence",
        "80 % [################....]",
        "Analyzer  claude",
        "",
        "Tests",
        "After    passed, 3 tests in 1.0 s",
        "Command  pytest",
        "Sandbox  bubblewrap",
        "",
        "The change",
        "Based on  main abc",
        "-bad",
        "+good",
        "",
        "What was done",
        "done · github_pull_request: Opened #17.",
        "https://git.example/17",
    ]
    assert {len(line) for line in lines} == {100}


def test_brief_is_one_line_however_long(tmp_path, capsys):
    report = replace(REPORT, title="Bad value " * 20)

    out = printed(tmp_path, capsys, report, verbosity="brief")

    title = ("Bad value " * 20).strip()
    assert out == f"ERROR · new · ×2  shop  {title}  https://git.example/17\n"


def test_full_prints_prevention_code_and_log_too(tmp_path, capsys):
    out = printed(tmp_path, capsys, verbosity="full")

    assert all(text in out for text in ("Test it.", "sample()", "Traceback"))


def test_a_report_nobody_could_answer_shows_the_log(tmp_path, capsys):
    out = printed(tmp_path, capsys, replace(REPORT, analysis=None, change=None, outcomes=()))

    assert "! No analyzer could answer." in out
    assert "Traceback" in out


def test_a_fault_is_printed(tmp_path, capsys):
    out = printed(
        tmp_path, capsys, Report("f1", "fault", "shop", "source file: cannot read", "Permission denied.")
    )

    assert "─ FAULT ─" in out
    assert "Permission denied." in out


def test_the_words_follow_the_language_of_the_report(tmp_path, capsys):
    out = printed(tmp_path, capsys, replace(REPORT, language="zh"))

    assert "根本原因" in out
    assert "Root cause" not in out


EVIL = "[bold red]x[/] [link=http://evil.example]y[/link] :smile: \x1b[31mred\x1b]8;;http://evil.example\x07"


@pytest.mark.parametrize("verbosity", ["brief", "normal", "full"])
def test_what_a_log_says_is_never_markup_nor_a_terminal_command(tmp_path, capsys, verbosity):
    event = replace(EVENT, message=EVIL, block=EVIL)
    incident = replace(INCIDENT, message=EVIL, events=(event,))
    report = replace(
        REPORT, title=EVIL, pipeline=EVIL, incident=incident, analysis=replace(ANALYSIS, summary=EVIL)
    )

    out = printed(tmp_path, capsys, report, verbosity=verbosity)

    assert "[bold red]x[/]" in out
    assert ":smile:" in out
    assert "\x1b" not in out
    assert "\x07" not in out


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_colours_are_for_terminals_only(tmp_path, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")

    monkeypatch.setattr(sys, "stdout", terminal)
    notifier(tmp_path).notify(REPORT)
    monkeypatch.undo()

    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in printed(tmp_path, capsys)


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_the_panel_fits_the_width_and_stays_readable(tmp_path, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    block = "x" * 500

    out = printed(
        tmp_path, capsys, replace(REPORT, incident=replace(INCIDENT, events=(replace(EVENT, block=block),)))
    )

    assert max(map(len, out.splitlines())) == min(columns, 110)


def test_an_output_that_knows_ascii_only_gets_what_it_can_show(tmp_path, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))

    notifier(tmp_path).notify(replace(REPORT, language="zh"))

    assert b"Nobody checks it." in raw.getvalue()


def test_an_output_that_is_gone_is_tried_again(tmp_path, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)

    with pytest.raises(Retry) as caught:
        notifier(tmp_path).notify(REPORT)

    assert str(caught.value) == "console: standard output is closed."


def test_an_output_on_a_full_disk_is_tried_again(tmp_path, monkeypatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(Retry) as caught:
            notifier(tmp_path).notify(REPORT)
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()

    assert str(caught.value) == "console: standard output cannot be written (No space left on device)."


def test_each_report_becomes_an_html_file_for_its_owner_only(tmp_path, capsys):
    old = os.umask(0)
    try:
        receipt = notifier(tmp_path, html_directory="out/reports").notify(REPORT)
    finally:
        os.umask(old)

    [file] = (tmp_path / "out/reports").iterdir()
    assert file.name == "20260504-120000-shop-bad-value-425250ee.html"
    assert file.read_text("utf-8") == render_html(REPORT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert capsys.readouterr().out.endswith(f"HTML: {file}\n")
    assert receipt.ids == (REPORT.key, str(file))
    assert [(each.recipient, each.accepted) for each in receipt.recipients] == [
        ("stdout", True),
        (str(file), True),
    ]


def test_a_repeat_replaces_its_file_and_another_report_gets_its_own(tmp_path):
    keeper = notifier(tmp_path, html_directory="out")

    for report in (REPORT, REPORT, replace(REPORT, key="other")):
        keeper.notify(report)

    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\x00c", "错误", "x" * 500, ""])
def test_no_title_leads_out_of_the_directory(tmp_path, title):
    notifier(tmp_path, html_directory="out").notify(replace(REPORT, title=title, pipeline=title))

    [file] = (tmp_path / "out").iterdir()
    assert file.suffix == ".html"
    assert len(file.name) < 120


def test_a_file_that_cannot_be_written_is_told_and_the_report_printed_once(tmp_path, capsys):
    keeper = notifier(tmp_path, html_directory="out")
    keeper.start()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("in the way")

    receipt = keeper.notify(REPORT)

    printed_result, html = receipt.recipients
    assert (printed_result.accepted, html.accepted, html.detail) == (True, False, "File exists")
    assert receipt.ids == (REPORT.key,)
    assert "Bad value" in capsys.readouterr().out


def test_a_directory_that_cannot_be_made_is_found_at_start(tmp_path):
    (tmp_path / "out").write_text("in the way")

    with pytest.raises(UserError) as caught:
        notifier(tmp_path, html_directory="out").start()

    path = tmp_path / "out"
    expected = f"html_directory: {path}: File exists. Name a directory this user may write."
    assert str(caught.value) == expected


def test_nothing_is_left_behind_when_writing_fails(tmp_path):
    directory = tmp_path / "out"
    keeper = notifier(tmp_path, html_directory="out")
    keeper.start()
    name = "20260504-120000-shop-bad-value-425250ee.html"
    (directory / name).mkdir()

    receipt = keeper.notify(REPORT)

    assert receipt.recipients[1].accepted is False
    assert [file.name for file in directory.iterdir()] == [name]
