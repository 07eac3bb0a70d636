"""Reports of Elixir and Erlang become events."""

import random

import pytest
from aiops_detector_elixir import ElixirConfig, ElixirErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find

RAISED = """\
** (RuntimeError) no stock
    (shop 0.1.0) lib/shop/basket.ex:31: Shop.Basket.total/1
    (elixir 1.16.0) lib/enum.ex:2510: Enum."-reduce/3-lists^foldl/2-0-"/3
    (phoenix 1.7.10) lib/phoenix/router.ex:432: Phoenix.Router.__call__/5
    (shop 0.1.0) lib/shop/main.ex:7: Shop.Main.run/0
"""
UNDEFINED = """\
** (UndefinedFunctionError) function Shop.totl/1 is undefined or private. Did you mean:

      * total/1

    (shop 0.1.0) Shop.totl([])
    (shop 0.1.0) lib/shop/main.ex:7: Shop.Main.run/0
"""
SERVER = """\
03:04:05.678 [error] GenServer Shop.Stock terminating
** (KeyError) key :price not found in: %{name: "tea"}
    (shop 0.1.0) lib/shop/stock.ex:12: Shop.Stock.handle_call/3
    (stdlib 5.2) gen_server.erl:1113: :gen_server.try_handle_call/4
    (stdlib 5.2) proc_lib.erl:241: :proc_lib.init_p_do_apply/3
Last message (from #PID<0.4711.0>): {:price, "tea"}
State: %{items: []}
"""
TASK = """\
03:04:05.678 [error] Task #PID<0.220.0> started from #PID<0.210.0> terminating
** (MatchError) no match of right hand side value: {:error, :timeout}
    (shop 0.1.0) lib/shop/mail.ex:9: Shop.Mail.send/1
    (elixir 1.16.0) lib/task/supervised.ex:101: Task.Supervised.invoke_mfa/2
Function: #Function<0.1234/0 in Shop.Mail.later/1>
    Args: []
"""
EXITED = """\
** (exit) exited in: GenServer.call(Shop.Stock, :price, 5000)
    ** (EXIT) time out
    (elixir 1.16.0) lib/gen_server.ex:1074: GenServer.call/3
    (shop 0.1.0) lib/shop/main.ex:9: Shop.Main.price/1
"""
COMPILED = """\
== Compilation error in file lib/shop/basket.ex ==
** (CompileError) lib/shop/basket.ex:31: undefined function totl/1
    (elixir 1.16.0) lib/kernel/parallel_compiler.ex:428: anonymous fn/5 in Kernel.ParallelCompiler.spawn_workers/8
"""
CRASH = """\
=CRASH REPORT==== 2-Jan-2026::03:04:05.678901 ===
  crasher:
    initial call: shop_stock:init/1
    pid: <0.220.0>
    registered_name: shop_stock
    exception error: no match of right hand side value {error,timeout}
      in function  shop_stock:handle_call/3 (src/shop_stock.erl, line 12)
      in call from gen_server:try_handle_call/4 (gen_server.erl, line 1113)
    ancestors: [shop_sup,<0.210.0>]
"""
REPORTS = {
    "raised": RAISED,
    "undefined": UNDEFINED,
    "server": SERVER,
    "task": TASK,
    "exited": EXITED,
    "compiled": COMPILED,
    "crash": CRASH,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    text = f"03:04:04.000 [info] before\n{report}03:04:06.000 [info] done\n{report}"

    first, second = find(ElixirErrors(), text=text, step=step)

    assert first.event.language == "elixir"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (RAISED, "RuntimeError", "no stock"),
        (SERVER, "KeyError", 'key :price not found in: %{name: "tea"}'),
        (TASK, "MatchError", "no match of right hand side value: {:error, :timeout}"),
        (COMPILED, "CompileError", "lib/shop/basket.ex:31: undefined function totl/1"),
        (CRASH, "badmatch", "no match of right hand side value {error,timeout}"),
        (
            UNDEFINED,
            "UndefinedFunctionError",
            "function Shop.totl/1 is undefined or private. Did you mean:\n\n      * total/1",
        ),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(ElixirErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


def test_frames_run_from_the_outermost_call_and_packages_are_not_own_code():
    (found,) = find(ElixirErrors(), text=RAISED)

    assert [(frame.file, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("lib/shop/main.ex", 7, True),
        ("lib/phoenix/router.ex", 432, False),
        ("lib/enum.ex", 2510, False),
        ("lib/shop/basket.ex", 31, True),
    ]


def test_own_applications_can_be_named_and_excluded():
    config = ElixirConfig(in_app=["phoenix"], not_in_app=["lib/shop/main.ex"])

    (found,) = find(ElixirErrors(config), text=RAISED)

    assert [frame.line for frame in found.event.frames if frame.in_app] == [432, 31]


def test_an_exit_tells_what_it_came_of():
    (found,) = find(ElixirErrors(), text=EXITED)

    assert [(one.type, one.link, one.parent) for one in found.event.exceptions] == [
        ("exit", "raised", -1),
        ("EXIT", "cause", 0),
    ]
    assert found.event.exceptions[1].message == "time out"


def test_the_process_is_told():
    (found,) = find(ElixirErrors(), text=TASK)

    assert found.event.attributes["process"] == "0.220.0"


def test_a_report_of_erlang_names_places():
    (found,) = find(ElixirErrors(), text=CRASH)

    assert [(frame.function, frame.file, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("gen_server:try_handle_call/4", "gen_server.erl", 1113, False),
        ("shop_stock:handle_call/3", "src/shop_stock.erl", 12, True),
    ]


def test_the_logging_line_that_introduced_an_exception_is_joined():
    line = "03:04:05.678 [error] checkout failed\n"

    (found,) = find(ElixirErrors(), text=f"03:04:05.600 [info] hello\n{line}{RAISED}")

    assert (found.headline, found.start) == (line.strip(), 1)


def test_two_processes_that_write_between_each_other_are_two_events():
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in RAISED.splitlines())

    found = find(ElixirErrors(), text=text)

    assert [(one.event.message, len(one.event.frames)) for one in found] == [("no stock", 4)] * 2


def test_a_line_of_its_own_behind_a_prefix_is_read_without_it():
    (found,) = find(ElixirErrors(), text="[p1] ** (RuntimeError) no stock\n[p1] next\n")

    assert (found.event.type, found.event.message) == ("RuntimeError", "no stock")


def test_two_exceptions_one_after_the_other_are_two_events():
    assert len(find(ElixirErrors(), text=RAISED + SERVER + TASK)) == 3


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(ElixirErrors(), text="".join(SERVER.splitlines(keepends=True)[:3]))

    assert (found.event.type, len(found.event.frames)) == ("KeyError", 1)


def test_a_stack_without_end_is_marked_as_truncated():
    frames = "".join(f"    (shop 0.1.0) lib/shop/tree.ex:{n}: Shop.Tree.walk/1\n" for n in range(1, 6000))

    first, *_ = find(ElixirErrors(), text="** (RuntimeError) too deep\n" + frames)

    assert first.block.truncated
    assert len(first.event.frames) == 200


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "12 tests, 0 failures",
        "** starting the shop",
        "03:04:05.678 [info] GenServer Shop.Stock started",
        "warning: variable x is unused",
        "Error in process < 3 ms",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(ElixirErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(ElixirErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for report in [*REPORTS.values()] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(ElixirErrors(), text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(ElixirErrors, good=[RAISED, SERVER], bad=["started, 0 errors found\n"])
