import re

import pytest

from aiops_core import repair, replace
from aiops_core.records import Change, ChangedFile, Frame, Outcome, RaisedException, TestRun, Usage
from aiops_core.repair import (
    BODY_LIMIT,
    is_as_written,
    marked_fingerprint,
    request_body,
    request_marker,
    request_title,
    sealed,
)

HOSTILE = (
    "Ignore this. @everyone ping @acme/admins. Fixes #1, closes acme/shop#2, resolves GH-3, fixes PROJ-4. "
    "![pixel](https://evil.example/p.png?leak) <img src=x> [link](https://evil.example) www.evil.example "
    "<!-- aiops:fingerprint=other --> \x1b[31m red \u202e reversed | cell\n# heading\n/approve"
)


def test_r30_a_body_says_what_happened_why_and_what_was_tested(incident, analysis, change):
    body = request_body(incident, analysis, change, [Outcome("done", "told the team", action="email")])

    assert body.startswith("<!-- aiops:fingerprint=v1:3f2a9c01d4b7e8f90123 -->\n")
    for part in (
        "its tests ran before and after the change, and a test fails without it and passes with it",
        "| Problem | `KeyError: 'price'` |",
        "| Seen | 1,234 times, 2026-11-21 04:05:06 UTC to 2026-11-21 04:05:06 UTC |",
        "| Service | `checkout` |",
        "| Release | `1.4.2` |",
        "| Analysis | `claude`, 90% sure |",
        "## Root cause\n\ntotal() indexes item\\['price'\\], and free items have none.",
        "## What changed\n\n- `src/app.py` +1 −1",
        "`python3 -m unittest`, sandbox: none",
        "| ended with | exit code 1 | exit code 0 |",
        "| tests | 2 | 2 |",
        "| failing | 1 | 0 |",
        "Failed before and pass now:\n\n- `tests.test_app.Total.test_free`",
        "## Prevention\n\n- Check items when they are added.",
        "## Also done\n\n- `email`: done – told the team",
        f"Made from commit `{'a' * 40}` of `main`.",
        "<details><summary>From the log</summary>",
        "Traceback (most recent call last):",
    ):
        assert part in body


def test_r30_what_was_not_verified_is_said(incident, analysis, change):
    untested = replace(change, before=None, after=None, notes=("not verified: repository.test is not set",))
    passing = replace(change, before=change.after, reproduced_by=(), notes=("not verified: no test",))
    unproven = replace(analysis, provable=False)

    assert "**nothing has tested it yet**" in request_body(incident, analysis, untested)
    assert "- not verified: repository.test is not set" in request_body(incident, analysis, untested)
    assert "and **none shows the error**" in request_body(incident, analysis, passing)
    assert "- not verified: no test" in request_body(incident, analysis, passing)
    assert "The root cause cannot be proven" in request_body(incident, unproven, change)


def test_r8_the_new_test_that_shows_the_error_is_named(incident, analysis, change):
    shown = replace(change, before=change.after, reproduced_by=("tests.test_free",))

    body = request_body(incident, analysis, shown)

    assert "New, fail without the fix and pass with it:\n\n- `tests.test_free`" in body


def test_r3_r30_a_path_that_was_mapped_and_the_run_are_told(incident, analysis, change):
    mapped = replace(change, run=17, notes=("/app/app.py was taken to mean src/app.py",))

    body = request_body(incident, analysis, mapped)

    assert "- `src/app.py` +1 −1\n- /app/app.py was taken to mean src/app.py\n" in body
    assert "Not verified" not in body
    assert re.search(r"of pipeline `\w+`, run 17, `aiops incidents show \d+` tells the rest \|", body)


def test_a_run_whose_failures_nobody_named_is_not_called_clean(incident, analysis, change):
    before = TestRun("make test", 2, 1.0)
    after = TestRun("make test", 0, 1.0)

    body = request_body(incident, analysis, replace(change, before=before, after=after))

    assert "| failing | not known | 0 |" in body
    assert "| tests | not known | not known |" in body


def test_the_price_of_the_analysis_is_named(incident, analysis, change):
    priced = replace(analysis, usage=Usage("claude-opus", 1000, 200, cost=0.1234))

    assert "| Analysis | `claude-opus`, 90% sure, 0.12 USD |" in request_body(incident, priced, change)


def test_s7_hostile_words_neither_ping_close_link_nor_leave_their_place(incident, analysis, change):
    hostile = replace(
        analysis, title=HOSTILE, summary=HOSTILE, root_cause=HOSTILE, prevention=(HOSTILE,), analyzer=HOSTILE
    )
    files = (ChangedFile("src/`@all` #1.py", b"x"),)
    worse = Change("a" * 40, "main", files, "", change.before, change.after, (HOSTILE,))

    body = request_body(incident, hostile, worse, [Outcome("done", HOSTILE, action="x")])
    prose = outside_code(body)

    for danger in (
        "@everyone",
        "@acme",
        "#1,",
        "shop#2",
        "GH-3",
        "fixes PROJ-4",
        "://",
        "www.",
        "![",
        "\x1b",
        "\u202e",
    ):
        assert danger not in prose
    assert re.findall(r"(?<!\\)<(?!/?details>|/?summary>|!-- aiops:fingerprint=v1)", prose) == []
    assert "\n# heading" not in body
    assert "\n/approve" not in body
    assert marked_fingerprint(body) == "v1:3f2a9c01d4b7e8f90123"


def test_s7_a_hostile_trace_stays_in_its_fence(incident, analysis, change):
    block = "KeyError\n```\n@everyone\n````\n</details>\nFixes #12\n" + HOSTILE
    event = replace(incident.event, block=block)

    body = request_body(replace(incident, events=(event,)), analysis, change)

    trace = body.partition("From the log</summary>\n\n")[2]
    assert trace.startswith("`````\n")
    assert trace.rstrip().endswith("`````\n\n</details>")
    assert "Fixes #12" not in body


def test_r30_a_long_body_loses_the_end_of_the_trace_and_never_the_marker(incident, analysis, change):
    event = replace(
        incident.event, block="\n".join(f"  at frame {n} `code` Fixes #{n}" for n in range(20_000))
    )
    wordy = replace(analysis, root_cause="Because. " * 20_000, prevention=("Do better. " * 900,) * 100)
    many = replace(change, notes=tuple(f"note {n} " + "x" * 1000 for n in range(500)))

    body = request_body(replace(incident, events=(event,)), wordy, many, [Outcome("done", "x" * 5000)] * 50)

    assert len(body) <= BODY_LIMIT
    assert marked_fingerprint(body) == "v1:3f2a9c01d4b7e8f90123"
    assert "## How to review" in body
    assert "  at frame 0" in body
    assert body.rstrip().endswith("</details>")
    assert body.count("```") % 2 == 0


def test_an_incident_without_stored_events_has_a_body(incident, analysis, change):
    body = request_body(replace(incident, events=()), analysis, change)

    assert "From the log" not in body
    assert "## Root cause" in body


@pytest.mark.parametrize("fingerprint", ["v1:3f2a", "v1-3f2a", "a--b", "x --> <b>", ""])
def test_a_marker_is_always_one_comment(incident, fingerprint):
    marker = request_marker(replace(incident, fingerprint=fingerprint))

    assert marker.count("-->") == 1
    assert "--" not in marker[4:-3].replace("-->", "")
    if fingerprint in ("v1:3f2a", "v1-3f2a"):
        assert marked_fingerprint(f"text\n{marker}\ntext") == fingerprint


def raised_in(incident, **frame):
    exception = RaisedException(
        "KeyError", frames=(Frame("lib/json.py", 1, "loads", in_app=False), Frame(**frame))
    )
    return replace(incident, events=(replace(incident.event, exceptions=(exception,)),))


@pytest.mark.parametrize(
    ("kind", "frame", "title"),
    [
        ("KeyError", {"file": "src/app.py", "function": "total"}, "Fix KeyError in total"),
        ("shop.errors.NoPrice", {"function": "Cart.total"}, "Fix NoPrice in total"),
        ("std::out_of_range", {"function": "shop::Cart::total"}, "Fix out_of_range in total"),
        ("TypeError", {"file": "C:\\app\\cart.js", "function": "<anonymous>"}, "Fix TypeError in cart.js"),
        ("KeyError", {"module": "shop.cart"}, "Fix KeyError in shop.cart"),
        ("", {"function": "total"}, "Fix error in total"),
    ],
)
def test_r30_a_title_says_which_error_is_fixed_where(incident, analysis, kind, frame, title):
    assert request_title(raised_in(replace(incident, type=kind), **frame), analysis) == title


def test_r30_without_a_place_the_title_says_what_the_analysis_does(incident, analysis):
    assert request_title(incident, analysis) == "Fix KeyError: Items without a price end the checkout"


def test_s7_a_title_is_one_defused_line(incident, analysis):
    for hostile in (
        request_title(replace(incident, type=HOSTILE), replace(analysis, title=HOSTILE)),
        request_title(raised_in(replace(incident, type="X #12"), function=HOSTILE), analysis),
    ):
        assert len(hostile) <= 72
        assert not re.search(r"@\w|#\d|://|\n|\x1b|<!--", hostile)


def test_r30_the_frames_of_the_program_itself_are_shown_the_innermost_first(incident, analysis, change):
    frames = [Frame(f"src/f{n}.py", n, f"step{n}") for n in range(1, 8)] + [
        Frame("lib/x.py", 1, in_app=False)
    ]
    exception = RaisedException("KeyError", frames=tuple(frames))
    event = replace(incident.event, exceptions=(exception,))

    body = request_body(replace(incident, events=(event,)), analysis, change)

    assert "## Where\n\n- `src/f7.py:7` in `step7`\n- `src/f6.py:6` in `step6`\n" in body
    assert "step2`" not in body and "lib/x.py" not in body


def test_s7_a_trace_commands_nothing_however_code_blocks_are_found(incident, analysis, change):
    block = "Error\n```\n/merge\n/approve now\n  /close\n```\n/usr/lib/app.so failed\n/MERGE"
    body = request_body(replace(incident, events=(replace(incident.event, block=block),)), analysis, change)

    assert re.findall(r"^\s*/\w+(?:\s.*)?$", body, re.MULTILINE) == []
    assert "/usr/lib/app.so failed" in body


def test_what_people_changed_in_a_request_is_noticed():
    body = sealed("Fix it", "text\n\nmore")

    assert is_as_written("Fix it", body)
    assert is_as_written("Fix  it", body.replace("\n", "\r\n") + "\n")
    for title, text in (("Fix this", body), ("Fix it", body + "mine"), ("Fix it", "text"), ("Fix it", "")):
        assert not is_as_written(title, text)


def test_every_name_forges_import_is_there():
    assert repair.__all__ == sorted(
        repair.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    for name in repair.__all__:
        assert hasattr(repair, name)


def outside_code(body):
    """Return the body without fenced blocks and code spans: what a forge looks for names in."""
    body = re.sub(r"(`{3,})[^`]*?\n.*?\n\1", "", body, flags=re.DOTALL)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", body)
