"""Blocks that repeat: found without reading, and never otherwise than reading would find them."""

import itertools
import random
import re
from pathlib import Path

import pytest

from aiops_core import replace
from aiops_core.catalogue import Catalogue
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.text import known_blocks
from aiops_core.text.blocks import Cutter
from aiops_core.text.repeats import Repeat

LOGGED = """2026-11-21 07:00:{second:02},{order:03} ERROR [worker-{worker}] shop.order: cannot sell {order}
Traceback (most recent call last):
  File "/app/shop/mod{place}.py", line {line}, in sell{place}
    stock.take(order)
ValueError: no stock for order {order}
"""
JAVA = """2026-11-21 07:00:{second:02},{order:03} ERROR [worker-{worker}] shop.Order - cannot sell {order}
com.acme.Error{place}: no stock for order {order}
\tat com.acme.Shop.sell(Shop.java:{line})
\tat com.acme.Main.main(Main.java:3)
"""
THREAD = """Exception in thread Thread-{order}:
Traceback (most recent call last):
  File "/app/shop/mod{place}.py", line {line}, in run{place}
    stock.take(order)
ValueError: no stock for order {order}
"""
SERVICE = """2026-11-21T07:00:{second:02}.{order:03}Z svc-{service} Traceback (most recent call last):
  File "/app/shop/mod{place}.py", line {line}, in serve{place}
    stock.take(order)
ValueError: no stock for order {order}
"""
NODE = """2026-11-21T07:00:{second:02}.{order:03}Z svc-{service} TypeError: no stock for {order}
    at sell{place} (/srv/shop.js:{line}:3)
    at main (/srv/shop.js:3:1)
"""
LEVELLED = """2026-11-21T07:00:{second:02}.{order:03}Z {level} [{service}] com.acme.Error{place}: no stock for {order}
\tat com.acme.Shop.serve(Shop.java:{line})
\tat com.acme.Main.main(Main.java:3)
"""
PLAIN = "2026-11-21 07:00:{second:02},{order:03} INFO [worker-{worker}] shop.order: sold {order}\n"


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    catalogue, directory = Catalogue(), tmp_path_factory.mktemp("plugins")
    kinds = [
        (name, catalogue.load("detectors", name, directory))
        for name in ("python", "java", "javascript", "levels")
    ]
    return lambda: Detection([(name, kind()) for name, kind in kinds])


def log(seed, size=400):
    chance = random.Random(seed)
    return "".join(
        chance.choice([LOGGED, JAVA, THREAD, SERVICE, NODE, LEVELLED, PLAIN]).format(
            second=number % 60,
            service=chance.choice(["api", "cart", "pay"]),
            level=chance.choice(["ERROR", "ERROR", "ERROR", "WARN"]),
            order=chance.randrange(1000),
            worker=chance.randrange(4),
            place=chance.randrange(2),
            line=chance.choice([10, 10, 10, 11]),
        )
        for number in range(size)
    ).encode()


def detect(detection, data, chunk):
    cutter, batch = (
        Cutter(detection.grammar, 0),
        LogBatch("s", b"", ((0, {}),), attributes={"service": "shop"}),
    )
    events, repeats, at = [], 0, 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + chunk) + 1
        for claim in cutter.feed(data[at:end])[0]:
            repeats += isinstance(claim, Repeat)
            events += detection.events(claim, batch=batch)
        at = end
    for claim in cutter.flush():
        events += detection.events(claim, batch=batch)
    return events, repeats


def comparable(event):
    return replace(event, context_before=(), context_after=(), attributes={})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("chunk", [2000, 1 << 20])
def test_what_repeats_is_found_as_reading_finds_it(load, seed, chunk):
    data = log(seed)
    read, reading = load(), load()
    read.grammar.repeats.find = lambda *place: None

    expected, _ = detect(read, data, chunk)
    found, repeats = detect(reading, data, chunk)

    assert list(map(comparable, found)) == list(map(comparable, expected))
    assert repeats > len(found) / 5


def test_numbers_that_tell_frames_or_types_apart_are_never_taken_for_ids(load):
    data = log(1, 2000)

    events, repeats = detect(load(), data, 1 << 20)

    assert repeats
    for event in events:
        assert re.search(rf"(?:, line |:){event.frames[-1].line}\b", event.block)
        assert event.type in event.block
        assert event.message in event.block


def test_an_attribute_that_changes_from_block_to_block_is_left_out_of_repeats(load):
    events, _ = detect(load(), log(2), 1 << 20)

    for event in events:
        assert event.attributes["service"] == "shop"
        thread = event.attributes.get("thread")
        assert thread is None or thread in event.block


def test_a_known_block_that_goes_on_longer_is_read_again(load):
    data = log(3)
    longer = JAVA.format(second=1, order=5, worker=1, place=1, line=10)
    longer += "Caused by: java.io.IOException: closed\n\tat com.acme.Store.read(Store.java:7)\n"

    events, _ = detect(load(), data + longer.encode() + data, 1 << 20)

    assert sum(len(event.exceptions) == 2 for event in events) == 1


HUNG = """[ 1395.{order:06}][ T1057] INFO: task worker:{order} blocked for more than 143 seconds.
[ 1395.{order:06}][ T1057]       Not tainted 5.3.0-rc7+ #0
[ 1395.{order:06}][ T1057] Call Trace:
[ 1395.{order:06}][ T1057]  __schedule+0x755/0x1580
[ 1395.{order:06}][ T1057]  rwsem_down_write_slowpath+0x708/0xf60
[ 1395.{order:06}][ T1057]  raw_init+0x299/0x340
[ 1395.{order:06}][ T1057] RIP: 0033:0x459879
"""
LOCKS = """[ 1396.687935][ T1057] INFO: lockdep is turned off.
[ 1396.696692][ T1057] Call Trace:
[ 1396.717928][ T1057]  dump_stack+0x172/0x1f0
"""


def test_a_known_block_is_read_where_only_the_words_of_the_next_line_tell_whether_it_goes_on():
    kernel = Catalogue().load("detectors", "kernel", Path())
    detection = Detection([("kernel", kernel())])
    data = ("".join(HUNG.format(order=order) for order in range(5)) + LOCKS).encode()

    first, _ = detect(detection, data, 1 << 20)
    second, _ = detect(detection, data, 1 << 20)

    assert [(event.start, event.end) for event in second] == [(event.start, event.end) for event in first]
    assert first[-1].end == len(data)


def test_no_detector_is_asked_about_a_line_within_a_known_block(load, monkeypatch):
    detection, asked = load(), []
    cut = detection.grammar.cut
    monkeypatch.setattr(detection.grammar, "cut", lambda *call: asked.append(call) or cut(*call))
    blocks = [
        THREAD.format(order=order, place=1, line=10)
        + PLAIN.format(second=1, order=order, worker=1) * 9  # no line before the block can introduce it
        for order in range(12)
    ]

    events, repeats = detect(detection, "".join(blocks).encode(), 1 << 20)

    assert (len(events), repeats) == (12, 10)
    assert {owner for owner, _, _ in asked} == {0, 1}
    assert len(asked) == 4


@pytest.mark.parametrize("line", range(1, 6))
def test_a_known_block_that_comes_in_two_pieces_is_not_read_again(load, line):
    detection = load()
    blocks = [LOGGED.format(second=order, order=order, worker=1, place=1, line=10) for order in range(20)]
    detect(detection, "".join(blocks).encode(), 1 << 20)
    lines = blocks[0].splitlines(keepends=True)
    head, rest = ("".join(some).encode() for some in (lines[:line], [*lines[line:], blocks[1], blocks[2]]))
    cutter = Cutter(detection.grammar, 0)

    first, second = list(cutter.feed(head)[0]), list(cutter.feed(rest)[0])

    assert not first
    assert isinstance(second[0], Repeat)
    assert (second[0].start, second[0].end) == (0, len(blocks[0]))


def behind(prefix, kind, order):
    """Return a trace of a kind that follows a prefix on the same line, and lines that nothing opens with."""
    trace = THREAD.format(order=order, place=kind, line=10).partition("\n")[2]
    return f"2026-11-21T07:00:{order % 60:02}.000Z {prefix} {trace}" + PLAIN.format(
        second=1, order=order, worker=1
    )


def asked_about(detection, blocks, monkeypatch):
    """Return how often a detector is asked about these blocks."""
    asked, cut = [], detection.grammar.cut
    with monkeypatch.context() as patched:
        patched.setattr(detection.grammar, "cut", lambda *call: asked.append(call) or cut(*call))
        detect(detection, "".join(blocks).encode(), 1 << 20)
    return len(asked)


def test_a_trace_that_is_known_behind_one_service_is_known_behind_another(load, monkeypatch):
    detection = load()
    learned = [
        behind("svc-api", 0, 1),
        behind("svc-pay", 0, 2),
        behind("svc-api", 1, 3),
        behind("svc-api", 1, 4),
    ]
    assert asked_about(detection, learned, monkeypatch) == 4

    assert asked_about(detection, [behind("svc-pay", 1, 5)], monkeypatch) == 0
    assert asked_about(detection, [behind("svc-cart", 1, 6)], monkeypatch) > 0  # never seen before a trace
    assert asked_about(detection, [behind("[svc-pay]", 1, 7)], monkeypatch) > 0  # of another shape


FIREFOX = """sell{place}@https://shop.example/app.js:{line}:3
main@https://shop.example/app.js:3:1
"""


@pytest.mark.parametrize(
    ("words", "trace", "is_known"),
    [
        pytest.param(["svc-api", "svc-pay"], NODE.partition("svc-{service} ")[2], True, id="says nothing"),
        pytest.param(["svc-api", "svc-pay"], FIREFOX, False, id="is the name of a function"),
        pytest.param(["StockError:", "PriceError:"], NODE.partition("TypeError: ")[2], False, id="is a type"),
    ],
)
def test_a_word_before_the_first_line_of_a_trace_is_taken_for_a_prefix_where_it_says_nothing(
    load, monkeypatch, words, trace, is_known
):
    def told(word, order):
        line = f"2026-11-21T07:00:01.000Z {word} "
        return (
            line + trace.format(order=order, place=1, line=10) + PLAIN.format(second=2, order=order, worker=1)
        )

    detection, (first, second) = load(), words
    detect(
        detection, "".join(behind(word, kind, kind) for word in words for kind in (0, 1)).encode(), 1 << 20
    )
    detect(detection, (told(first, 5) + told(first, 6)).encode(), 1 << 20)

    assert (asked_about(detection, [told(second, 7)], monkeypatch) == 0) == is_known


def test_what_stands_before_a_trace_is_told_of_it_behind_another_prefix_too(load):
    detection = load()
    lines = [
        ("ERROR [api]", 0),
        ("WARN [pay]", 0),
        ("ERROR [api]", 1),
        ("ERROR [api]", 1),
        ("WARN [pay]", 1),
    ] * 2
    data = "".join(behind(prefix, kind, order) for order, (prefix, kind) in enumerate(lines)).encode()

    events, repeats = detect(detection, data, 1 << 20)

    severities = {"ERROR": "error", "WARN": "warning"}
    assert repeats
    assert [event.severity for event in events] == [severities[prefix.split()[0]] for prefix, _ in lines]
    assert [event.occurred_at.second for event in events] == list(range(len(lines)))


def test_a_known_trace_is_known_below_any_line_that_introduced_another(load, monkeypatch):
    detection = load()
    said = [
        "2026-11-21 07:00:01,000 ERROR [worker-1] shop.order: failed\n",
        "2026-11-21 07:00:01,000 ERROR cannot\n",
    ]
    traces = [THREAD.format(order=1, place=kind, line=10).partition("\n")[2] for kind in (0, 1)]
    detect(detection, "".join(line + trace for line in said for trace in traces[:1] * 2).encode(), 1 << 20)
    detect(detection, (said[0] + traces[1] + PLAIN.format(second=1, order=1, worker=1)).encode(), 1 << 20)

    line_after = PLAIN.format(second=1, order=1, worker=1)
    assert asked_about(detection, [said[1] + traces[1] + line_after], monkeypatch) == 0


STACKS = {
    "dotnet": "   at Shop.Order.Sell() in c:/shop/Order.cs:line 33\n   at Shop.Main.Run() in c:/shop/Main.cs:line 3\n",
    "go": "goroutine 7 [running]:\nmain.sell(0x1)\n\t/app/main.go:10 +0x1d\nmain.main()\n\t/app/main.go:3 +0x1d\n",
    "javascript": "sell@http://shop/app.js:10:3\nmain@http://shop/app.js:3:1\n",
    "ruby": "app/models/order.rb:10:in `sell'\napp/main.rb:3:in `main'\n",
    "dart": "#0      sell (package:shop/order.dart:10:3)\n#1      main (package:shop/main.dart:3:1)\n",
}


@pytest.mark.parametrize("language", STACKS)
@pytest.mark.parametrize(
    "said", ["ERROR {error}", "[ERROR] sell failed error={error}", "ERROR app: FooError: {error}"]
)
def test_of_equal_stacks_each_has_the_error_that_the_line_above_it_names(tmp_path, language, said):
    kinds = [(name, Catalogue().load("detectors", name, tmp_path)) for name in (language, "levels")]
    detection = Detection([(name, kind()) for name, kind in kinds])
    errors = [
        error for error in ("bad state", "bad order", "no stock for 7", "no stock for 8") for _ in range(3)
    ] * 2
    blocks = [
        f"2026-11-21 07:00:{second:02},000 {said.format(error=error)}\n"
        + STACKS[language]
        + PLAIN.format(second=second, order=1, worker=1)
        for second, error in enumerate(errors)
    ]

    events, repeats = detect(detection, "".join(blocks).encode(), 1 << 20)

    assert repeats
    assert [event.message.endswith(error) for event, error in zip(events, errors, strict=True)] == [True] * 24
    assert not any("07:00" in event.message for event in events)


RAILS = """2026-11-21 07:00:{second:02},000 ERROR shop: cannot sell
NoMethodError (undefined method `price' for #<Order:0x{order:012x}>):
  app/models/order.rb:10:in `sell'
  app/main.rb:3:in `main'
"""
OVERFLOW = """2026-11-21 07:00:{second:02},000 ERROR shop: cannot sell
thread 'main' ({order}) has overflowed its stack
fatal runtime error: stack overflow, aborting
"""


@pytest.mark.parametrize(
    ("language", "block", "orders", "known", "message"),
    [
        ("ruby", RAILS, range(1, 9), 6, "undefined method `price' for #<Order:0x{order:012x}>"),
        ("rust", OVERFLOW, [1, 1, 1, 2, 2, 1], 3, "thread 'main' ({order}) has overflowed its stack"),
    ],
    ids=["a message inside a line", "no frames: equal in every number"],
)
def test_what_is_found_has_its_own_message(tmp_path, language, block, orders, known, message):
    kinds = [(name, Catalogue().load("detectors", name, tmp_path)) for name in (language, "levels")]
    detection = Detection([(name, kind()) for name, kind in kinds])
    blocks = [
        block.format(second=second, order=order) + PLAIN.format(second=second, order=order, worker=1)
        for second, order in enumerate(orders)
    ]

    events, repeats = detect(detection, "".join(blocks).encode(), 1 << 20)

    assert repeats == known
    assert [event.message or event.block for event in events] == [
        message.format(order=order) for order in orders
    ]


AGGREGATE = """[AggregateError: All promises were rejected] {
  [errors]: [
    Error: a
        at sell (/app/shop.js:10:3)
        at main (/app/shop.js:3:1),
    TypeError: b
        at sell (/app/shop.js:12:3)
        at main (/app/shop.js:3:1)
  ]
}
"""


def test_what_was_known_alone_is_not_found_inside_a_larger_block(tmp_path):
    kinds = [(one, Catalogue().load("detectors", one, tmp_path)) for one in ("javascript", "levels")]
    detection = Detection([(one, kind()) for one, kind in kinds])
    plain = PLAIN.format(second=1, order=1, worker=1)
    parted = "[cart] " + AGGREGATE  # its members are read one by one

    events, _ = detect(detection, ((plain + parted) * 6 + (plain + AGGREGATE) * 3 + plain).encode(), 1 << 20)

    assert [event.type for event in events][-3:] == ["AggregateError"] * 3


def test_errors_that_never_come_again_are_compared_with_few_others_and_push_no_other_out(load, monkeypatch):
    detection, compared = load(), []
    says_the_same = known_blocks._says_the_same
    monkeypatch.setattr(
        known_blocks, "_says_the_same", lambda *one: compared.append(one) or says_the_same(*one)
    )
    monkeypatch.setattr("aiops_core.text.repeats._MOST_KNOWN", 20)
    again = [LOGGED.format(second=1, order=order, worker=1, place=1, line=10) for order in range(4)]
    names = ["".join(letters) for letters in itertools.product("ghijk", repeat=4)]
    user = LEVELLED.format(second=2, order=100, place=1, line=10, level="ERROR", service="api")
    users = [user.replace("for 100", f"for {name}") for name in names]
    detect(detection, "".join(again + users).encode(), 1 << 20)

    known = detection.grammar.repeats._alike.values()
    _, repeats = detect(
        detection, again[0].encode() + PLAIN.format(second=1, order=1, worker=1).encode(), 1 << 20
    )

    assert len(compared) < 2 * len(users)
    assert sum(len(alike.known) for alike in known) <= 20
    assert repeats == 1
