"""Reports of .NET become events."""

import json
import random

import pytest
from aiops_detector_dotnet import DotnetConfig, DotnetErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

UNHANDLED = """\
Unhandled exception. System.InvalidOperationException: no stock
   at Shop.Basket.Sell(Order order) in /src/Shop.cs:line 3
   at Shop.Program.Main() in /src/Main.cs:line 7
"""
INNER = """\
Unhandled exception. Shop.CartException: cannot check out
 ---> System.InvalidOperationException: no card
   at Shop.Pay.Charge(Order order) in /src/Pay.cs:line 7
   at System.Linq.Enumerable.First[TSource](IEnumerable`1 source)
--- End of stack trace from previous location ---
   at Shop.Cart.Checkout(Order order) in /src/Cart.cs:line 38
   --- End of inner exception stack trace ---
   at Shop.Cart.Checkout(Order order) in /src/Cart.cs:line 41
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9
"""
AGGREGATE = """\
System.AggregateException: One or more errors occurred. (first) (second)
 ---> System.ArgumentException: first
   at Shop.Jobs.One() in /src/Jobs.cs:line 5
   --- End of inner exception stack trace ---
   at System.Threading.Tasks.Task.WaitAll(Task[] tasks)
   at Shop.Program.Main() in /src/Program.cs:line 9
 ---> (Inner Exception #1) System.TimeoutException: second
   at Shop.Jobs.Two() in /src/Jobs.cs:line 12<---

"""
FRAMEWORK = """\
Unhandled Exception: System.NullReferenceException: Object reference not set to an instance of an object.
   at Shop.Form1.Button1_Click(Object sender, EventArgs e) in C:\\src\\Form1.cs:line 42
   at System.Windows.Forms.Control.OnClick(EventArgs e)
"""
MONO = """\
Unhandled Exception:
System.IO.FileNotFoundException: Could not find file "/srv/a".
  at Shop.Files.Open (System.String path) [0x00012] in /src/Files.cs:12
  at Shop.Program.Main (System.String[] args) [0x00000] in <5c3f>:0
"""
MANY_LINES = """\
Microsoft.Data.SqlClient.SqlException (0x80131904): Invalid object name 'orders'.
Invalid object name 'items'.
   at Microsoft.Data.SqlClient.SqlConnection.OnError(SqlException exception)
   at Shop.Store.Load() in /src/Store.cs:line 8
ClientConnectionId:7a1f9a0e-1111-4222-8333-444455556666
"""
ASYNC = """\
System.Net.Http.HttpRequestException: Connection refused (api:443)
   at System.Net.Http.HttpConnectionPool.ConnectAsync(HttpRequestMessage request)
   at Shop.Api.<>c__DisplayClass3_0.<<GetAsync>b__0>d.MoveNext() in /src/Api.cs:line 20
--- End of stack trace from previous location where exception was thrown ---
   at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)
   at Shop.Api.GetAsync(String path) in /src/Api.cs:line 25
"""
REPORTS = {
    "unhandled": UNHANDLED,
    "inner": INNER,
    "framework": FRAMEWORK,
    "mono": MONO,
    "asynchronous": ASYNC,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(DotnetErrors(), text=f"before\n{report}done\n{report}", step=step)

    assert first.event.language == "dotnet"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (UNHANDLED, "System.InvalidOperationException", "no stock"),
        (FRAMEWORK, "System.NullReferenceException", "Object reference not set to an instance of an object."),
        (MONO, "System.IO.FileNotFoundException", 'Could not find file "/srv/a".'),
        (ASYNC, "System.Net.Http.HttpRequestException", "Connection refused (api:443)"),
        (
            MANY_LINES,
            "Microsoft.Data.SqlClient.SqlException",
            "Invalid object name 'orders'.\nInvalid object name 'items'.",
        ),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(DotnetErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


def test_inner_exceptions_are_causes_with_frames_of_their_own():
    (found,) = find(DotnetErrors(), text=INNER)
    outer, inner = found.event.exceptions

    assert (outer.type, inner.type, inner.link, inner.parent) == (
        "Shop.CartException",
        "System.InvalidOperationException",
        "cause",
        0,
    )
    assert [frame.line for frame in outer.frames] == [9, 41]
    assert [frame.line for frame in inner.frames] == [38, 0, 7]


def test_an_aggregate_is_a_tree():
    (found,) = find(DotnetErrors(), text=AGGREGATE)

    assert [(one.type, one.message, one.parent) for one in found.event.exceptions] == [
        ("System.AggregateException", "One or more errors occurred. (first) (second)", -1),
        ("System.ArgumentException", "first", 0),
        ("System.TimeoutException", "second", 0),
    ]


def test_the_framework_is_not_own_code():
    (found,) = find(DotnetErrors(), text=ASYNC)

    assert [(frame.line, frame.in_app) for frame in found.event.frames] == [
        (25, True),
        (0, False),
        (20, True),
        (0, False),
    ]


def test_own_code_can_be_named_and_excluded():
    config = DotnetConfig(in_app=["System.Net.Http"], not_in_app=["Shop.Api"])

    (found,) = find(DotnetErrors(config), text=ASYNC)

    assert [frame.in_app for frame in found.event.frames] == [False, False, False, True]


@pytest.mark.parametrize(
    ("made", "module", "function"),
    [
        ("Shop.Api.<GetAsync>d__5.MoveNext", "Shop.Api", "GetAsync"),
        ("Shop.Api.<GetAsync>d__5`1.MoveNext", "Shop.Api", "GetAsync"),
        ("Shop.Api.<List>d__2[System.__Canon].MoveNext", "Shop.Api", "List"),
        ("Shop.Api.VB$StateMachine_3_GetAsync.MoveNext", "Shop.Api", "GetAsync"),
        ("Shop.Api.<>c.<<Get>b__0>d.MoveNext", "Shop.Api.<>c", "<Get>b__0"),
        ("Shop.Walker.MoveNext", "Shop.Walker", "MoveNext"),
        ("Shop.Api..ctor", "Shop.Api", ".ctor"),
    ],
)
def test_a_method_has_the_name_its_author_gave_it(made, module, function):
    (found,) = find(DotnetErrors(), text=f"Shop.PayError: no card\n   at {made}() in /src/Api.cs:line 5\n")

    assert [(frame.module, frame.function) for frame in found.event.frames] == [(module, function)]


def test_the_logging_line_that_introduced_an_exception_is_joined():
    line = "2026-01-02 03:04:05.678 +00:00 [ERR] checkout failed\n"

    (found,) = find(DotnetErrors(), text=f"2026-01-02 03:04:05.600 +00:00 [INF] hello\n{line}{ASYNC}")

    assert (found.headline, found.start) == (line.strip(), 1)


def test_what_the_console_logger_indents_is_one_event_with_its_category():
    body = "".join(f"      {line}\n" for line in ASYNC.splitlines())
    text = f"info: Shop.Start[0]\n      hello\nfail: Shop.Api[3]\n      call failed\n{body}info: Shop.Start[0]\n      bye\n"

    (found,) = find(DotnetErrors(), text=text)

    assert (found.event.type, found.start, found.end) == ("System.Net.Http.HttpRequestException", 2, 10)


def test_two_processes_that_write_between_each_other_are_two_events():
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in INNER.splitlines())

    found = find(DotnetErrors(), text=text)

    assert [[len(one.frames) for one in two.event.exceptions] for two in found] == [[2, 3], [2, 3]]


def test_a_record_with_the_trace_in_a_field_is_one_event():
    record = {"@t": "2026-01-02T03:04:05Z", "@l": "Error", "@mt": "call failed", "@x": ASYNC.rstrip()}

    (found,) = find(DotnetErrors(), text=json.dumps(record) + "\n")

    assert (found.event.type, len(found.event.frames)) == ("System.Net.Http.HttpRequestException", 4)


@pytest.mark.parametrize(
    ("at", "inside", "number"),
    [("bei", "in", "Zeile"), ("à", "dans", "ligne"), ("en", "en", "línea"), ("в", "в", "строка")],
)
def test_frames_in_other_languages_of_the_framework_are_read(at, inside, number):
    text = (
        "Shop.PayError: no card\n"
        f"   {at} Shop.Pay.Charge(Order order) {inside} C:\\src\\Pay.cs:{number} 7\n"
        f"   {at} Shop.Program.Main() {inside} C:\\src\\Program.cs:{number} 9\n"
    )

    (found,) = find(DotnetErrors(), text=text)

    assert [(frame.file, frame.line) for frame in found.event.frames] == [
        ("C:\\src\\Program.cs", 9),
        ("C:\\src\\Pay.cs", 7),
    ]


@pytest.mark.parametrize(
    "first",
    ["(wrapper managed-to-native) Shop.Shelf:Find (Shop.Shelf,string&)", "lambda_method12(Closure, Basket)"],
)
def test_an_exception_thrown_in_what_the_runtime_made_is_an_event(first):
    report = (
        f"Shop.StockException: none left\n  at {first}\n  at Shop.Basket.Total () [0x0001a] in <1f0c>:0 \n"
    )

    (found,) = find(DotnetErrors(), text=report)

    assert (found.event.type, found.event.message) == ("Shop.StockException", "none left")
    assert len(found.event.frames) == 2
    assert found.text == report


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(DotnetErrors(), text="".join(INNER.splitlines(keepends=True)[:3]))

    assert found.event.exceptions[-1].type == "System.InvalidOperationException"


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "    0 Error(s)",
        "Build succeeded.",
        "Unhandled exceptions are reported to the console",
        "   at Shop.Basket.Sell(Order order) in /src/Shop.cs:line 3",
        "info: Shop.Api[3] retry after System.TimeoutException",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(DotnetErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(DotnetErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    detector = DotnetErrors()
    grammar = Grammar([detector])
    for report in [*REPORTS.values(), AGGREGATE, MANY_LINES] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(detector, grammar=grammar, text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(DotnetErrors, good=[UNHANDLED, INNER], bad=["started, 0 errors found\n"])
