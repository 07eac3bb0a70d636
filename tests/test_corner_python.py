"""Corner cases 69 to 75: what Python prints when something fails."""

import pytest
from corner_scene import PLAIN, chain, find, only, places


def test_case_69_a_chained_python_3_13_trace_with_a_message_of_many_lines_is_one_event():
    event = only(
        """\
Traceback (most recent call last):
  File "/srv/shop/store.py", line 12, in load
    return json.loads(text)
           ~~~~~~~~~~^^^^^^
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop/cart.py", line 20, in open_cart
    load(name)
    ~~~~^^^^^^
  File "/srv/shop/store.py", line 14, in load
    raise StoreError(f"cannot read {name}:\\n\\nask the shop") from error
shop.errors.StoreError: cannot read cart-7:

ask the shop

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop/app.py", line 5, in <module>
    main()
    ~~~~^^
  File "/srv/shop/app.py", line 3, in main
    close(cart)
    ~~~~~^^^^^^
RuntimeError: no cart
"""
    )

    assert (event.type, event.message) == ("RuntimeError", "no cart")
    assert chain(event) == [
        ("raised", -1, "RuntimeError", "no cart"),
        ("context", 0, "shop.errors.StoreError", "cannot read cart-7:\n\nask the shop"),
        ("cause", 1, "json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),
    ]
    assert places(event) == [
        [("<module>", 5), ("main", 3)],
        [("open_cart", 20), ("load", 14)],
        [("load", 12)],
    ]


def test_case_69_a_last_python_message_of_many_lines_is_whole():
    event = only(
        """\
Traceback (most recent call last):
  File "/srv/shop/app.py", line 3, in main
    check(cart)
ValueError: 2 mistakes in cart-7:

  - no address
  - no card
""",
        after="2026-11-21 07:00:00,000 INFO shop goes on\n",
    )

    assert event.message == "2 mistakes in cart-7:\n\n  - no address\n  - no card"


def test_case_70_nested_python_exception_groups_with_notes_are_one_event():
    event = only(
        """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/shop/app.py", line 30, in <module>
  |     main()
  |     ~~~~^^
  |   File "/srv/shop/app.py", line 22, in main
  |     raise ExceptionGroup("nightly jobs", errors)
  | ExceptionGroup: nightly jobs (2 sub-exceptions)
  | while the day was closed
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/shop/jobs.py", line 4, in invoice
    |     raise ValueError("no address")
    | ValueError: no address
    | in order 7
    +---------------- 2 ----------------
    | Exception Group Traceback (most recent call last):
    |   File "/srv/shop/jobs.py", line 15, in backup
    |     raise ExceptionGroup("backups", errors)
    | ExceptionGroup: backups (2 sub-exceptions)
    +-+---------------- 1 ----------------
      | Traceback (most recent call last):
      |   File "/srv/shop/jobs.py", line 9, in copy
      |     raise OSError("disk is full")
      | OSError: disk is full
      +---------------- 2 ----------------
      | KeyError: 'target'
      +------------------------------------
"""
    )

    found = chain(event)
    assert [(link, parent, kind) for link, parent, kind, _ in found] == [
        ("raised", -1, "ExceptionGroup"),
        ("member", 0, "ValueError"),
        ("member", 0, "ExceptionGroup"),
        ("member", 2, "OSError"),
        ("member", 2, "KeyError"),
    ]
    assert [message.partition("\n")[0] for *_, message in found] == [
        "nightly jobs (2 sub-exceptions)",
        "no address",
        "backups (2 sub-exceptions)",
        "disk is full",
        "'target'",
    ]
    assert "while the day was closed" in event.block
    assert places(event)[1] == [("invoice", 4)]


def test_case_71_a_python_recursion_error_is_one_event():
    frame = '  File "/srv/shop/tree.py", line 6, in depth\n    return depth(n + 1)\n           ^^^^^^^^^^^^\n'
    text = (
        'Traceback (most recent call last):\n  File "/srv/shop/tree.py", line 9, in <module>\n    depth(1)\n'
        + frame * 3
        + "  [Previous line repeated 996 more times]\n"
        + "RecursionError: maximum recursion depth exceeded\n"
    )

    event = only(text)

    assert (event.type, event.message) == ("RecursionError", "maximum recursion depth exceeded")
    assert set(places(event)[0]) == {("<module>", 9), ("depth", 6)}


@pytest.mark.parametrize("ending", ["KeyboardInterrupt", "SystemExit", "SystemExit: 3"])
def test_case_72_a_python_exception_without_a_message_is_one_event(ending):
    event = only(
        f"""\
Traceback (most recent call last):
  File "/srv/shop/app.py", line 8, in <module>
    wait()
    ~~~~^^
  File "/srv/shop/app.py", line 4, in wait
    sys.exit(run())
{ending}
"""
    )

    assert (event.type, event.message) == (ending.partition(":")[0], ending.partition(": ")[2])
    assert places(event) == [[("<module>", 8), ("wait", 4)]]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("SyntaxError", "'(' was never closed"),
        ("IndentationError", "unexpected indent"),
        ("TabError", "inconsistent use of tabs and spaces in indentation"),
    ],
)
def test_case_72_a_python_syntax_error_without_a_header_is_one_event(kind, message):
    event = only(
        f"""\
  File "/srv/shop/app.py", line 3
    print(total
         ^
{kind}: {message}
"""
    )

    assert (event.type, event.message) == (kind, message)
    assert [(frame.file, frame.line) for frame in event.frames] == [("/srv/shop/app.py", 3)]


PREFIXES = {
    "thread": "Exception in thread Thread-3 (work):\n",
    "unraisable": "Exception ignored in: <function Cart.__del__ at 0x7f03a4c1d3a0>\n",
    "thread start": "Exception ignored in thread started by: <function work at 0x7f03a4c1d3a0>\n",
    "task": "Task exception was never retrieved\n"
    "future: <Task finished name='Task-2' coro=<pay() done, defined at /srv/shop/app.py:4> "
    "exception=ValueError('no card')>\n",
}


@pytest.mark.parametrize("name", PREFIXES)
def test_case_73_what_python_prints_before_a_trace_is_part_of_its_event(name):
    event = only(
        PREFIXES[name]
        + """\
Traceback (most recent call last):
  File "/srv/shop/app.py", line 6, in pay
    raise ValueError("no card")
ValueError: no card
"""
    )

    assert (event.type, event.message, places(event)) == ("ValueError", "no card", [[("pay", 6)]])


def test_case_74_a_logged_python_trace_is_one_event_apart_from_the_warning_after_it():
    error = "2026-11-21 07:00:00,000 ERROR shop.cart: order 7 lost\n"
    trace = """\
Traceback (most recent call last):
  File "/srv/shop/cart.py", line 41, in checkout
    charge(order)
ValueError: no card
"""
    warning = "2026-11-21 07:00:00,001 WARNING shop.cart: 3 orders wait\n"

    event, *others = find(PLAIN + error + trace + warning + PLAIN)

    assert (event.type, event.message, event.severity) == ("ValueError", "no card", "error")
    assert (event.headline, event.block) == (error.rstrip("\n"), error + trace)
    assert event.context_after[0] == warning.rstrip("\n")
    assert all((other.severity, other.block) == ("warning", warning) for other in others)


@pytest.mark.parametrize(
    "text",
    [
        "/srv/shop/cart.py:41: DeprecationWarning: charge() is old, use pay()\n  charge(order)\n",
        "/srv/shop/cart.py:3: SyntaxWarning: invalid escape sequence '\\d'\n  re.compile('\\d')\n",
        "sys:1: ResourceWarning: unclosed file <_io.TextIOWrapper name='a' mode='r' encoding='UTF-8'>\n",
    ],
)
def test_case_75_a_python_warning_is_no_error(text):
    assert {event.severity for event in find(PLAIN + text + PLAIN)} <= {"warning", "info"}


@pytest.mark.parametrize(
    "text",
    [
        """\
>>> charge(None)
Traceback (most recent call last):
  File "<stdin>", line 1, in <module>
    charge(None)
ValueError: no card
>>> charge(card)
""",
        """\
Help on function charge in module shop.pay:

charge(order)
    Take the money of an order.

    >>> charge(None)
    Traceback (most recent call last):
        ...
    ValueError: no card

""",
        """\
    >>> charge(None)
    Traceback (most recent call last):
      File "<stdin>", line 1, in <module>
    ValueError: no card
    >>> charge(card)
""",
    ],
)
def test_case_75_a_python_trace_quoted_in_a_session_or_a_help_text_is_no_event(text):
    assert find(PLAIN + text + PLAIN) == []
