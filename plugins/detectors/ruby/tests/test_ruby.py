"""Reports of Ruby become events."""

import json
import random

import pytest
from aiops_detector_ruby import RubyConfig, RubyErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

UNCAUGHT = """\
shop.rb:3:in `sell': no stock (RuntimeError)
\tfrom shop.rb:7:in `<main>'
"""
CAUSED = """\
/srv/shop/pay.rb:7:in 'Shop::Pay#rescue in charge': cannot pay (Shop::PayError)
\tfrom /srv/shop/pay.rb:4:in 'Shop::Pay#charge'
\tfrom /usr/lib/ruby/gems/3.4.0/gems/rack-3.1.0/lib/rack/builder.rb:99:in 'Rack::Builder#call'
\tfrom /srv/shop/app.rb:3:in '<main>'
/srv/shop/pay.rb:5:in 'Shop::Pay#charge': no card (ArgumentError)
\tfrom /srv/shop/app.rb:3:in '<main>'
"""
THREAD = """\
#<Thread:0x00007f1 /srv/shop/worker.rb:9 run> terminated with exception (report_on_exception is true):
/srv/shop/worker.rb:11:in `block in run': queue closed (ClosedQueueError)
\tfrom /srv/shop/worker.rb:10:in `loop'
"""
RAILS = """\
ActionView::Template::Error (undefined method `price' for nil:NilClass):
    1: <ul>
    2:   <li><%= @item.price %></li>
    3: </ul>

app/views/items/show.html.erb:2:in `_app_views_items_show'
app/controllers/items_controller.rb:12:in `show'
"""
RAKE = """\
rake aborted!
KeyError: key not found: "TOKEN"
/srv/shop/Rakefile:4:in `fetch'
/srv/shop/Rakefile:4:in `block in <top (required)>'
Tasks: TOP => deploy
(See full trace by running task with --trace)
"""
SYNTAX = """\
/srv/shop/app.rb:4: syntax error, unexpected end-of-input, expecting `end' (SyntaxError)
"""
DEEP = """\
/srv/shop/tree.rb:2:in `walk': stack level too deep (SystemStackError)
\tfrom /srv/shop/tree.rb:2:in `walk'
\tfrom /srv/shop/tree.rb:2:in `walk'
\t ... 10067 levels...
\tfrom /srv/shop/tree.rb:2:in `walk'
\tfrom /srv/shop/tree.rb:5:in `<main>'
"""
SUGGESTED = """\
app.rb:1:in `<main>': undefined local variable or method `ordr' for main:Object (NameError)

ordr.total
^^^^
Did you mean?  order
"""
JRUBY = """\
RuntimeError: no stock
    sell at /srv/shop/shop.rb:3
  <main> at /srv/shop/shop.rb:7
"""
REPORTS = {
    "uncaught": UNCAUGHT,
    "caused": CAUSED,
    "thread": THREAD,
    "rails": RAILS,
    "rake": RAKE,
    "syntax": SYNTAX,
    "deep": DEEP,
    "suggested": SUGGESTED,
    "jruby": JRUBY,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(RubyErrors(), text=f"before\n{report}I, done\n{report}", step=step)

    assert first.event.language == "ruby"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (UNCAUGHT, "RuntimeError", "no stock"),
        (THREAD, "ClosedQueueError", "queue closed"),
        (RAILS, "ActionView::Template::Error", "undefined method `price' for nil:NilClass"),
        (RAKE, "KeyError", 'key not found: "TOKEN"'),
        (SYNTAX, "SyntaxError", "syntax error, unexpected end-of-input, expecting `end'"),
        (DEEP, "SystemStackError", "stack level too deep"),
        (JRUBY, "RuntimeError", "no stock"),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(RubyErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


def test_causes_follow_the_exception_that_surfaced():
    (found,) = find(RubyErrors(), text=CAUSED)

    assert [(one.type, one.link, one.parent) for one in found.event.exceptions] == [
        ("Shop::PayError", "raised", -1),
        ("ArgumentError", "cause", 0),
    ]


RESCUED = """\
job.rb:20:in `rescue in <main>': outer (ArgumentError)
\tfrom job.rb:16:in `<main>'
job.rb:5:in `helper': from helper (RuntimeError)
\tfrom job.rb:13:in `rescue in total'
\tfrom job.rb:9:in `total'
\tfrom job.rb:18:in `<main>'
job.rb:2:in `price': inner (KeyError)
\tfrom job.rb:11:in `total'
\tfrom job.rb:18:in `<main>'
"""


def test_each_run_of_a_script_that_fails_is_one_event_with_its_causes():
    alone = "".join(
        f"job.rb:2:in `price': no such row {n} (KeyError)\n\tfrom job.rb:9:in `<main>'\n" for n in (1, 2)
    )
    other = "job.rb:4:in `stock': none left (RuntimeError)\n\tfrom job.rb:10:in `<main>'\n"

    found = find(RubyErrors(), text=RESCUED + RESCUED + alone + other)

    assert [[one.type for one in item.event.exceptions] for item in found] == [
        ["ArgumentError", "RuntimeError", "KeyError"],
        ["ArgumentError", "RuntimeError", "KeyError"],
        ["KeyError"],
        ["KeyError"],
        ["RuntimeError"],
    ]


def test_each_crash_of_the_interpreter_is_one_event():
    crash = (
        "app.rb:3: [BUG] Segmentation fault at 0x{}\n"
        "ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux]\n\n"
        "-- Control frame information -----------------------------------------------\n"
        "c:0001 p:0000 s:0003 E:000910 (none) [FINISH]\n\n"
    )

    assert len(find(RubyErrors(), text=crash.format(10) + crash.format(20))) == 2


def test_frames_run_from_the_outermost_call_and_gems_are_not_own_code():
    (found,) = find(RubyErrors(), text=CAUSED)

    assert [(frame.file, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("/srv/shop/app.rb", 3, True),
        ("/usr/lib/ruby/gems/3.4.0/gems/rack-3.1.0/lib/rack/builder.rb", 99, False),
        ("/srv/shop/pay.rb", 4, True),
        ("/srv/shop/pay.rb", 7, True),
    ]


def test_own_code_can_be_named_and_excluded():
    config = RubyConfig(in_app=["/usr/lib/ruby/gems/3.4.0/gems/rack"], not_in_app=["/srv/shop/pay.rb"])

    (found,) = find(RubyErrors(config), text=CAUSED)

    assert [frame.line for frame in found.event.frames if frame.in_app] == [3, 99]


def test_a_thread_that_has_a_name_is_told():
    (found,) = find(RubyErrors(), text=THREAD.replace("f1 /srv", "f1@mailer /srv"))

    assert found.event.attributes == {"thread": "mailer"}


def test_exhaustion_is_critical_and_an_interrupt_is_not_an_error():
    (deep,) = find(RubyErrors(), text=DEEP)
    (stopped,) = find(RubyErrors(), text=UNCAUGHT.replace("no stock (RuntimeError)", " (Interrupt)"))

    assert (deep.event.severity, stopped.event.severity) == ("critical", "info")


def test_the_logging_line_that_introduced_a_backtrace_is_joined():
    line = "E, [2026-01-02T03:04:05.678901 #12] ERROR -- : job failed\n"

    (found,) = find(
        RubyErrors(), text=f"I, [2026-01-02T03:04:05.678901 #12]  INFO -- : started\n{line}{UNCAUGHT}"
    )

    assert (found.headline, found.start, found.event.type) == (line.strip(), 1, "RuntimeError")


def test_a_backtrace_under_a_logging_line_that_names_the_exception_takes_its_name():
    text = (
        "2026-01-02T03:04:05.678Z pid=12 tid=abc WARN: Shop::OutOfStock: none left\n"
        "2026-01-02T03:04:05.678Z pid=12 tid=abc WARN: /srv/shop/job.rb:7:in `perform'\n"
        "/srv/shop/job.rb:3:in `call'\n"
    )

    (found,) = find(RubyErrors(), text=text)

    assert (found.event.type, found.event.message) == ("Shop::OutOfStock", "none left")
    assert (found.start, found.end) == (0, 3)


def test_two_processes_that_write_between_each_other_are_two_events():
    lines = CAUSED.splitlines()
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in lines)

    found = find(RubyErrors(), text=text)

    assert [len(one.event.exceptions) for one in found] == [2, 2]
    assert [len(one.event.frames) for one in found] == [4, 4]


def test_a_record_with_the_backtrace_in_a_field_is_one_event():
    record = {
        "level": "error",
        "error_class": "KeyError",
        "message": "no key",
        "backtrace": ["/srv/a.rb:3:in `f'", "/srv/b.rb:9:in `g'"],
    }

    (found,) = find(RubyErrors(), text=json.dumps(record) + "\n")

    assert (found.event.type, found.event.message, len(found.event.frames)) == ("KeyError", "no key", 2)


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(RubyErrors(), text="".join(CAUSED.splitlines(keepends=True)[:2]))

    assert (found.event.type, len(found.event.frames)) == ("Shop::PayError", 2)


def test_a_stack_without_end_is_marked_as_truncated():
    frames = "".join(f"\tfrom /srv/shop/tree.rb:{n}:in `walk'\n" for n in range(1, 6000))

    first, *_ = find(RubyErrors(), text="/srv/shop/tree.rb:2:in `walk': too deep (IOError)\n" + frames)

    assert first.block.truncated
    assert len(first.event.frames) == 200


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "12 examples, 0 failures",
        "app.rb:3: warning: assigned but unused variable - x",
        "INFO -- : rescued in `sell' (RuntimeError)",
        "Completed 500 Internal Server Error in 3ms",
        "Run options: --seed 12 # shop.rb:3:in 12s",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(RubyErrors(), text=line + "\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(RubyErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    detector = RubyErrors()
    grammar = Grammar([detector])
    for report in [*REPORTS.values()] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(detector, grammar=grammar, text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(RubyErrors, good=[UNCAUGHT, RAILS], bad=["started, 0 errors found\n"])
