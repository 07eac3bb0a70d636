"""Known blocks one after the other: recognised at once, and never otherwise than reading would find them."""

import random

import pytest

from aiops_core import replace
from aiops_core.catalogue import Catalogue
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.text.blocks import Claim, Cutter
from aiops_core.text.streaks import Streak

TRACE = """Traceback (most recent call last):
  File "/app/shop/mod{place}.py", line {line}, in sell{place}
    stock.take(order)
"""
FORMS = (
    "2026-11-21 07:{minute:02}:{second:02},{order:03} ERROR [worker-{worker}] shop.order: cannot sell {order}\n"
    + TRACE
    + "ValueError: no stock for order {order}\n",
    "2026-11-21T07:{minute:02}:{second:02}.{order:03}+0{zone}:00 ERROR shop.order: request {id:x} took {order}ms\n"
    + TRACE
    + "KeyError: '{id:x}'\n",
    "Nov 21 07:{minute:02}:{second:02} shop-{worker} app[{order}]: CRITICAL it failed after {second}{unit}\n"
    + TRACE
    + "shop.Error{place}: {order}{unit} at {id:#x}\n",
    TRACE + "RuntimeError: {order} of {id:x}\n",
    "[{minute:02}:{second:02}] ERROR worker{worker} failed a{order}b{id:x}\n"
    + TRACE
    + "ValueError: x{order}\n",
    "2026-11-21 07:{minute:02}:{second:02}.{order} ERROR shop.Order - cannot sell {order}\r\n"
    "com.acme.Error{place}: no stock for order {order}\r\n"
    "\tat com.acme.Shop.sell(Shop.java:{line})\r\n\tat com.acme.Main.main(Main.java:3)\r\n",
    "2026-11-21 07:{minute:02}:{second:02} ERROR java.lang.IllegalStateException: order {order} is {id:x}\n"
    "\tat com.acme.Shop.sell(Shop.java:{line})\n\tat com.acme.Main.main(Main.java:3)\n",
    "2026-11-21 07:{minute:02}:{second:02} INFO shop: sold {order}\n",
)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    catalogue, directory = Catalogue(), tmp_path_factory.mktemp("plugins")
    kinds = [(name, catalogue.load("detectors", name, directory)) for name in ("python", "java", "levels")]
    return lambda: Detection([(name, kind()) for name, kind in kinds])


def storm(seed, size=600, forms=FORMS):
    chance = random.Random(seed)
    likely = chance.sample(forms, min(2, len(forms)))
    return "".join(
        chance.choice(likely if chance.random() < 0.95 else forms).format(
            minute=number * 3 // size,
            second=chance.randrange(60),
            order=chance.randrange(10 ** chance.randrange(1, 7)),
            id=chance.randrange(1 << chance.choice([16, 40])),
            zone=chance.randrange(2),
            worker=chance.randrange(4),
            unit=chance.choice(["ms", "ms", "s"]),
            place=chance.randrange(2),
            line=chance.choice([10, 10, 10, 11]),
        )
        for number in range(size)
    ).encode()


def feed(detection, data, chunk):
    cutter, at = Cutter(detection.grammar, 0), 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + chunk) + 1
        yield from cutter.feed(data[at:end])[0]
        at = end
    yield from cutter.flush()


def detect(detection, data, chunk):
    events, counted = [], 0
    batch = LogBatch("s", b"", ((0, {}),), attributes={"service": "shop"})
    for piece in feed(detection, data, chunk):
        found = detection.events(piece, batch=batch)
        counted += len(found) if isinstance(piece, Streak) else 0
        events += found
    return [replace(one, context_before=(), context_after=(), attributes={}) for one in events], counted


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("chunk", [5000, 1 << 20])
def test_a_streak_holds_what_reading_finds(load, seed, chunk):
    data = storm(seed)
    read, reading = load(), load()
    read.grammar.repeats.find = lambda *place: None

    expected, _ = detect(read, data, chunk)
    found, counted = detect(reading, data, chunk)

    assert found == expected
    print(seed, counted, len(found))


INFO = FORMS[-1]
JAVA = (
    "2026-11-21 07:{minute:02}:{second:02},{order:03} ERROR [w-{worker}] shop.Order - it failed for {order}\n"
    "com.acme.Error: no stock for order {order}\n"
    "\tat com.acme.Shop.sell{place}(Shop.java:{line})\n" + "\tat com.acme.Deep.f(Deep.java:7)\n" * 3
)


@pytest.mark.parametrize(
    "forms",
    [
        pytest.param((FORMS[0], INFO), id="with ordinary lines between them"),
        pytest.param((JAVA, FORMS[0]), id="in two forms"),
        pytest.param(
            tuple(JAVA.replace("sell{place}", f"sell{'x' * n}{n}") for n in range(12)), id="of many lengths"
        ),
        pytest.param((FORMS[5].replace("{place}", ""),), id="with the line ends of Windows"),
    ],
)
def test_hardly_a_block_of_a_storm_is_looked_at_alone(load, forms):
    chance = random.Random(3)
    data = b"".join(storm(chance.random(), 1, (chance.choice(forms),)) for _ in range(3000))
    read, reading = load(), load()
    read.grammar.repeats.find = lambda *place: None

    expected, _ = detect(read, data, 1 << 16)
    found, counted = detect(reading, data, 1 << 16)

    assert found == expected
    assert counted > 0.8 * len(found)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_storm_with_a_block_in_two_pieces_is_counted_all_the_same(load, cut):
    form = FORMS[0].replace("{place}", "").replace("{line}", "10")
    blocks = [storm(seed, 1, (form,)) for seed in range(60)]
    half = blocks[cut].index(b"  File")
    parted = b"".join(blocks[:cut]) + blocks[cut][:half]
    rest = blocks[cut][half:] + b"".join(blocks[cut + 1 :])
    detection, batch = load(), LogBatch("s", b"", ((0, {}),))
    cutter, counted = Cutter(detection.grammar, 0), 0

    for data in (parted, rest):
        for piece in cutter.feed(data)[0]:
            detection.events(piece, batch=batch)
            counted += len(piece) if isinstance(piece, Streak) else 0

    assert counted > 40


def test_a_block_of_a_storm_is_read_again_after_many_repeats(load):
    often, seldom = (FORMS[0].replace("{place}", name).replace("{line}", "10") for name in "ab")
    detection, batch, read = load(), LogBatch("s", b"", ((0, {}),)), []
    cutter = Cutter(detection.grammar, 0)

    for seed in range(40):
        chunk = b"".join(storm(seed * 40 + at, 1, (often if at < 30 else seldom,)) for at in range(31))
        for piece in cutter.feed(chunk)[0]:
            detection.events(piece, batch=batch)
            if isinstance(piece, Claim) and "sella" in piece.block.raw:
                read.append(seed)

    assert read[-1] > 5
    assert len(read) < 10
