"""Errors of Node.js, browsers, Deno, Bun and React Native, as they stand in logs."""

import random
import time

import pytest
from aiops_detector_javascript import JavascriptErrors

from aiops_core import More, Span
from aiops_core.testing import contract
from aiops_core.text.lines import MAX_LINES, window

NODE = """\
/srv/app/cart.js:3
  return order.total
               ^

TypeError: Cannot read properties of undefined (reading 'total')
    at total (/srv/app/cart.js:3:16)
    at Layer.handle [as handle_request] (/srv/app/node_modules/express/lib/router/layer.js:95:5)
    at async Promise.all (index 0)
    at new Cart (file:///srv/app/lib/cart.mjs:7:1)
    at Object.<anonymous> (/srv/app/index.js:9:1)
    at node:internal/main/run_main_module:28:49

Node.js v20.20.2
"""
FRAME = "    at f (/srv/app/a.js:1:2)\n"


def links(exceptions):
    return [(raised.type, raised.message, raised.link, raised.parent) for raised in exceptions]


def test_the_source_above_and_the_version_below_belong_to_an_uncaught_error(only):
    event = only(NODE)

    assert event.type == "TypeError"
    assert event.message == "Cannot read properties of undefined (reading 'total')"
    assert event.severity == "error"
    assert event.language == "javascript"


def test_frames_run_from_the_outermost_call_to_the_throw(only):
    frames = only(NODE).frames

    assert [(frame.function, frame.file, frame.line, frame.column) for frame in frames] == [
        ("", "node:internal/main/run_main_module", 28, 49),
        ("Object.<anonymous>", "/srv/app/index.js", 9, 1),
        ("new Cart", "/srv/app/lib/cart.mjs", 7, 1),
        ("Promise.all", "", 0, 0),
        ("Layer.handle", "/srv/app/node_modules/express/lib/router/layer.js", 95, 5),
        ("total", "/srv/app/cart.js", 3, 16),
    ]
    assert [frame.in_app for frame in frames] == [False, True, True, False, False, True]


@pytest.mark.parametrize(
    ("place", "function", "file", "line", "column"),
    [
        ("at f (webpack:///./src/cart.tsx?:3:4)", "f", "src/cart.tsx", 3, 4),
        ("at f (webpack-internal:///./src/cart.tsx:3:4)", "f", "src/cart.tsx", 3, 4),
        ("at https://acme.example/cart.js?v=2:3:4", "", "https://acme.example/cart.js?v=2", 3, 4),
        (r"at f (C:\shop files\cart.js:3:4)", "f", r"C:\shop files\cart.js", 3, 4),
        ("at file:///C:/shop/cart.mjs:3:4", "", "C:/shop/cart.mjs", 3, 4),
        ("at eval (eval at run (/srv/a.js:1:1), <anonymous>:1:36)", "eval", "/srv/a.js", 1, 1),
        ("at JSON.parse (<anonymous>)", "JSON.parse", "", 0, 0),
        ("at render(/home/app/src/Scene.js:78:24)", "render", "/home/app/src/Scene.js", 78, 24),
        ("at f (address at index.android.bundle:1:2345)", "f", "index.android.bundle", 1, 2345),
        ("at Type.main(sample(copy).js:6:4)", "Type.main", "sample(copy).js", 6, 4),
        ("at async load (node:fs/promises:3:4)", "load", "node:fs/promises", 3, 4),
    ],
)
def test_every_form_of_a_frame_is_read(only, place, function, file, line, column):
    event = only(f"Error: x\n    {place}\n{FRAME}")

    frame = event.frames[-1]
    assert (frame.function, frame.file, frame.line, frame.column) == (function, file, line, column)


@pytest.mark.parametrize(
    ("head", "name", "message"),
    [
        ("Error", "Error", ""),
        ("Error: x", "Error", "x"),
        ("TypeError [ERR_INVALID_ARG_TYPE]: x", "TypeError", "x"),
        ("Uncaught TypeError: x", "TypeError", "x"),
        ("Uncaught (in promise) TypeError: x", "TypeError", "x"),
        ("Unhandled rejection Error: x", "Error", "x"),
        ("(node:7) UnhandledPromiseRejectionWarning: Error: x", "Error", "x"),
        ("error: Uncaught (in promise) Error: x", "Error", "x"),
        ("OrderRejected: no stock", "OrderRejected", "no stock"),
        ("error: relation does not exist", "error", "relation does not exist"),
        ("failed: OrderRejected: no stock", "OrderRejected", "no stock"),
        ("2026-01-01T10:00:00Z ERROR checkout failed: TypeError: x", "TypeError", "x"),
        ("2026-01-01T10:00:00Z ERROR something broke", "Error", "something broke"),
    ],
)
def test_the_head_of_an_error_is_read_in_every_form(only, head, name, message):
    event = only(f"{head}\n{FRAME * 2}")

    assert (event.type, event.message) == (name, message)


def test_causes_and_members_nest_by_their_braces(only):
    event = only(
        "AggregateError: multi\n" + FRAME.rstrip() + " {\n"
        "  code: 'E_MANY',\n"
        "  [errors]: [\n"
        "    Error: a\n"
        "        at f (/srv/app/a.js:1:2),\n"
        "    Error: b\n"
        "        at f (/srv/app/a.js:1:2) {\n"
        "      [cause]: RangeError: c\n"
        "          at f (/srv/app/a.js:1:2)\n"
        "    },\n"
        "    [Error: d]\n"
        "  ]\n"
        "}\n"
    )

    assert links(event.exceptions) == [
        ("AggregateError", "multi", "raised", -1),
        ("Error", "a", "member", 0),
        ("Error", "b", "member", 0),
        ("RangeError", "c", "cause", 2),
        ("Error", "d", "member", 0),
    ]
    assert event.attributes == {"code": "E_MANY"}


def test_an_aggregate_without_frames_of_its_own_is_one_event(only):
    event = only(
        "[AggregateError: All promises were rejected] {\n"
        "  [errors]: [\n"
        "    Error: a\n        at f (/srv/app/a.js:1:2),\n"
        "    TypeError: b\n        at f (/srv/app/a.js:1:2)\n"
        "  ]\n"
        "}\n"
    )

    assert [raised.type for raised in event.exceptions] == ["AggregateError", "Error", "TypeError"]


def test_the_line_after_the_properties_is_outside(find):
    found = find(f"Error: x\n{FRAME.rstrip()} {{\n  code: 'E1'\n}}\nnext line\n")

    assert [(one.start, one.end) for one in found] == [(0, 4)]


def test_a_difference_in_the_message_belongs_to_it(only):
    message = "Expected values to be equal:\n+ actual - expected\n\n  {\n+   a: 1\n-   a: 2\n  }"

    event = only(f"AssertionError [ERR_ASSERTION]: {message}\n{FRAME}")

    assert (event.type, event.message) == ("AssertionError", message)
    assert event.attributes == {"code": "ERR_ASSERTION"}


def test_a_long_difference_is_read_from_its_head(only):
    difference = "\n".join(f"+   a{number}: 1" for number in range(50))

    event = only(f"AssertionError [ERR_ASSERTION]: Expected:\n{difference}\n{FRAME}")

    assert event.message == f"Expected:\n{difference}"


def test_a_message_may_look_like_a_frame(only):
    event = only(f"Error: one\ntwo\n  at not a frame\n\nfive\n{FRAME}")

    assert event.message == "one\ntwo\n  at not a frame\n\nfive"
    assert len(event.frames) == 1


def test_the_stack_of_an_emitter_is_no_part_of_the_throw(only):
    event = only(
        "node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\n"
        "Error: connect ECONNREFUSED 127.0.0.1:1\n"
        "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)\n"
        "Emitted 'error' event on Socket instance at:\n"
        "    at emitErrorNT (node:internal/streams/destroy:169:8) {\n"
        "  code: 'ECONNREFUSED',\n}\n\nNode.js v20.20.2\n"
    )

    assert [frame.function for frame in event.frames] == ["TCPConnectWrap.afterConnect"]
    assert event.attributes == {"code": "ECONNREFUSED"}


def test_a_rejection_with_something_else_than_an_error_is_found(only):
    event = only(
        '[UnhandledPromiseRejection: This error originated somewhere. The reason "foo".] {\n'
        "  code: 'ERR_UNHANDLED_REJECTION'\n}\n\nNode.js v20.20.2\n"
    )

    assert event.type == "UnhandledPromiseRejection"
    assert event.message == 'This error originated somewhere. The reason "foo".'


def test_a_thrown_value_that_is_no_error_is_found(only):
    event = only(
        "/srv/app/c.js:1\nthrow {a: 1}\n^\n{ a: 1 }\n(Use `node --trace-uncaught ...` to see)\n\nNode.js v20.20.2\n"
    )

    assert (event.type, event.message) == ("Uncaught", "{ a: 1 }")


def test_running_out_of_memory_is_critical(only):
    event = only(
        "<--- Last few GCs --->\n\n[1:0x44a7]  91 ms: Mark-Compact 17.8\n\n<--- JS stacktrace --->\n\n"
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"
        "----- Native stack trace -----\n\n 1: 0xb78db3 node::OOMErrorHandler() [node]\n 2: 0xee8300  [node]\n"
    )

    assert (event.type, event.severity) == ("FATAL ERROR", "critical")
    assert event.message == "Reached heap limit Allocation failed - JavaScript heap out of memory"


def test_a_warning_with_a_trace_is_a_warning(only):
    assert only(f"(node:7) DeprecationWarning: old\n{FRAME}").severity == "warning"


def test_source_with_line_numbers_above_the_error_belongs_to_it(only):
    event = only(
        "1 | function f() { null.x }\n2 | f()\n      ^\nTypeError: null is not an object\n"
        "      at f (/srv/app/a.ts:1:16)\n\nBun v1.1.0 (Linux x64)\n"
    )

    assert (event.type, event.message) == ("TypeError", "null is not an object")


def test_source_between_message_and_frames_is_no_message(only):
    event = only(
        'error: Uncaught (in promise) Error: boom\n    throw new Error("boom");\n          ^\n'
        "    at file:///srv/app/a.ts:1:7\n"
    )

    assert (event.type, event.message) == ("Error", "boom")


def test_a_time_before_each_line_changes_neither_type_nor_message(only):
    lines = [
        "error: Uncaught (in promise) NotFound: no file",
        "    at Object.open (ext:deno_fs/30_fs.js:7:2)",
    ]

    event = only("".join(f"2026-11-23T01:00:00.0001370Z {line}\n" for line in lines))

    assert (event.type, event.message) == ("NotFound", "no file")


@pytest.mark.parametrize(
    "frames",
    [
        "dump@https://acme.example/cart.js:41:13\n@https://acme.example/cart.js:1:1\n",
        "https://acme.example/cart.js:48:22\nfoo@https://acme.example/cart.js:52:15\n",
        'obj["@who"]@http://localhost/@stuff/a.js:4:9\nwhat@http://localhost/@stuff/a.js:8:3\n',
        "value@index.android.bundle:12:1917\n[native code]\n",
        "eval code\neval@[native code]\nfoo@http://localhost/a.js:58:21\n",
        "baz@http://localhost/a.js line 26 > eval line 2 > eval:1:30\n@http://localhost/a.js:33:9\n",
    ],
)
def test_stacks_of_firefox_and_safari_are_found(only, frames):
    event = only(f"TypeError: x is undefined\n{frames}")
    bare = only(frames)

    assert (event.type, event.message) == ("TypeError", "x is undefined")
    assert (bare.type, bare.message) == ("Error", "")
    assert len(event.frames) == len(bare.frames) >= 1


def test_a_firefox_frame_tells_its_place(only):
    event = only("Error: x\nbaz@http://localhost/a.js line 26 > eval:1:30\nfoo@http://localhost/a.js:58:21\n")

    outer, inner = event.frames
    assert (outer.function, outer.file, outer.line, outer.column) == ("foo", "http://localhost/a.js", 58, 21)
    assert (inner.function, inner.line) == ("baz", 26)


def test_every_line_may_carry_the_prefix_of_the_first(find):
    prefix = "2026-01-01T00:00:00Z svc-api "
    text = "".join(prefix + line for line in NODE.splitlines(keepends=True))

    (one,) = find(f"{prefix}before\n{text}{prefix}after\n")

    assert (one.start, one.end) == (1, 14)
    assert (one.event.type, len(one.event.frames)) == ("TypeError", 6)


def test_two_errors_in_a_row_are_two_events(find):
    assert [(one.start, one.end) for one in find(f"Error: x\n{FRAME}" * 2)] == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01 INFO caught TypeError: x, retrying\n",
        "Error: 0 errors found\nsrc/a.js:3:4: error: unused\n",
        "Uncaught exceptions are logged\n",
        f"Trace: hello\n{FRAME}",
        f"plain line\n{FRAME}next line\n",
        FRAME,
        "one@http://localhost/a.js:1:1\n",
        "git@github.com:acme/shop.js:1:2\n",
        "(node:7) Warning: careful\n(Use `node --trace-warnings ...` to show where)\n",
        "Node.js v20.20.2\n",
        "java.lang.Error: x\n\tat com.acme.A.a(A.java:1)\n\tat com.acme.A.b(A.java:1)\n",
        "stack backtrace:\n   0: rust_begin\n             at /rustc/1/library/std/src/panicking.rs:1:2\n",
    ],
)
def test_what_is_no_error_is_no_event(find, text):
    assert find(text) == []


@pytest.mark.parametrize("line", ["Uncaught TypeError: x", "Uncaught (in promise) Error: x"])
def test_an_unmistakable_head_needs_no_frames(only, line):
    assert only(f"{line}\n").message == "x"


def test_settings_say_what_is_own_code(find_with):
    find = find_with(in_app=["/srv/app/node_modules/acme-"], not_in_app=["/srv/app/vendored/"])

    (one,) = find(
        "Error: x\n"
        "    at f (/srv/app/node_modules/acme-cart/a.js:1:2)\n"
        "    at f (/srv/app/node_modules/express/a.js:1:2)\n"
        "    at f (/srv/app/vendored/a.js:1:2)\n"
        "    at f (/srv/app/a.js:1:2)\n"
    )

    assert [frame.in_app for frame in reversed(one.event.frames)] == [True, False, False, True]


def test_an_error_is_open_until_a_line_follows_that_is_none_of_it():
    detector = JavascriptErrors()
    error = f"Error: x\n{FRAME}"

    assert detector.cut(window(error, final=False), 1) == More(0)
    assert detector.cut(window(error), 1) == Span(0, 2)
    assert detector.cut(window(f"{error}\n", final=False), 1) == More(0)
    assert detector.cut(window(f"{error}\nNode.js v20\n"), 1) == Span(0, 4)
    assert detector.cut(window(f"{error}next\n", final=False), 1) == Span(0, 2)
    assert detector.cut(window(f"{error[:-1]} {{\n  code: 1\n", final=False), 1) == More(0)


@pytest.mark.parametrize(
    "line",
    [
        "at at at ",
        FRAME,
        f"x\n{FRAME}",
        "    at " + "(" * 2000 + "/a.js:1:1)\n",
        "foo@http://localhost/a.js:1:1\nx\n",
        "@a/" * 1300 + "@http://localhost/a.js:1:1\n",
        f"Error: x\n{FRAME[:-1]} {{\n  [cause]: Error: y\n",
        " " * 4000 + "at a (/a.js:1:1)\n",
        "Node.js v20\n",
    ],
)
def test_hostile_input_takes_linear_time(find, line):
    started = time.process_time()

    find(line * (300_000 // len(line)) + "\n")

    assert time.process_time() - started < 10


def test_a_garbled_trace_breaks_nothing(find):
    chance = random.Random(7)
    for _ in range(150):
        text = list(NODE)
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(text))
            text[at] = chance.choice(["", "\n", " ", "(", ")", ":", "\t", "9", "{", "}", text[at] * 2])

        for one in find("".join(text)):
            assert one.event.type
            assert one.start < one.end
            assert all(raised.parent < index for index, raised in enumerate(one.event.exceptions))


test_contract = contract(JavascriptErrors, good=[NODE], bad=["started, 0 errors found\n"])


def test_a_stack_of_opera_ends_where_no_more_lines_are_known():
    lines = window("  Line 4 of linked script http://path/to/file.js\n    foo();\n" * MAX_LINES, final=False)

    assert isinstance(JavascriptErrors().cut(lines, 0), Span)


def test_the_message_above_a_stack_of_firefox_holds_no_time_nor_does_a_frame(find):
    stack = "sell@http://shop/app.js:10:3\nmain@http://shop/app.js:3:1\n"

    (below,) = find("2026-11-21 07:00:01,000 ERROR sold out\n" + stack)
    (behind,) = find("2026-11-21 07:00:01,000 ERROR " + stack)

    assert below.event.message == "sold out"
    assert [frame.function for frame in behind.event.frames] == ["main", "sell"]
