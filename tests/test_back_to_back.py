"""Two programs that share a stream die one after the other: nothing parts what they say."""

import pytest
from corner_scene import all_detectors

from aiops_core import LogBatch
from aiops_core.text.blocks import Cutter

DEATHS = {
    "python": """\
Traceback (most recent call last):
  File "/srv/shop/orders.py", line 42, in total
    raise Broken("first\\nsecond")
shop.Broken: first
second
""",
    "python syntax": """\
  File "/srv/shop/orders.py", line 1
    def f(:
          ^
SyntaxError: invalid syntax
""",
    "python group": """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/shop/orders.py", line 8, in f
  |     raise ExceptionGroup("grp", [one])
  | ExceptionGroup: grp (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: one
    +------------------------------------
""",
    "go": "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:7 +0x1d\nexit status 2\n",
    "java": 'Exception in thread "main" java.lang.IllegalStateException: no\n\tat shop.Main.main(Main.java:3)\n',
    "javascript": """\
/srv/shop/server.js:3
    throw new TypeError("no")
    ^

TypeError: no
    at main (/srv/shop/server.js:3:11)

Node.js v20.11.0
""",
    "rust": "thread 'main' panicked at src/main.rs:2:5:\nno\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
    "dotnet": "Unhandled exception. System.InvalidOperationException: no\n   at Shop.Program.Main() in /src/Program.cs:line 3\n",
    "php": "PHP Fatal error:  Uncaught Exception: no in /srv/shop/index.php:3\nStack trace:\n#0 {main}\n  thrown in /srv/shop/index.php on line 3\n",
    "ruby": "/srv/shop/a.rb:3:in 'Object#f': no (ArgumentError)\n\tfrom /srv/shop/a.rb:7:in '<main>'\n",
    "rust overflow": "thread 'main' (7217) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n",
    "elixir": "** (RuntimeError) no\n    shop.exs:2: Shop.main/0\n    shop.exs:5: (file)\n",
    "cpp": "shop: /srv/shop/main.c:2: main: Assertion `stock > 0' failed.\n",
}


def events(text):
    detection, data = all_detectors(), text.encode()
    cutter = Cutter(detection.grammar, 0)
    batch = LogBatch("s", data, ((0, {}), (len(data), {})), ended=True)
    claims = [*cutter.feed(data)[0], *cutter.flush()]
    found = [event for claim in claims for event in detection.events(claim, batch=batch)]
    return [(event.start, event.end, event.type, event.message) for event in found]


@pytest.mark.parametrize("second", DEATHS)
@pytest.mark.parametrize("first", DEATHS)
def test_of_two_that_die_one_after_the_other_each_is_an_event(first, second):
    one, other = DEATHS[first], DEATHS[second]
    shift = len(one.encode())

    moved = [(start + shift, end + shift, *said) for start, end, *said in events(other)]

    assert len(moved) == 1
    assert events(one + other) == [*events(one), *moved]
