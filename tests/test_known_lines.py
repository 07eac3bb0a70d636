"""Lines that repeat: found without reading them, and never otherwise than reading would find them."""

import random
from pathlib import Path

import pytest

from aiops_core import replace
from aiops_core.catalogue import Catalogue
from aiops_core.component import LogDetector
from aiops_core.detection import Detection
from aiops_core.records import Event, LogBatch
from aiops_core.text.blocks import Cutter
from aiops_core.text.repeats import RepeatedLine

LINES = [
    "{time} ERROR [worker-{few}] shop.order: cannot sell order {number} for customer {hexed}",
    "{time} ERROR [worker-{few}] shop.order: HTTP {status} for order {number}",
    "{time} CRITICAL shop.disk: {few} GB left on /data{few}",
    "{time} ERROR shop.card: {uuid} was declined after {number}ms",
    "{time} INFO [worker-{few}] shop.order: sold {number}",
    "{time} svc-{few} 11-21 07:00:00.{status} {number} 42 E Till: not read as an error behind a word, {number}",
    "{time} ERROR shop: gave up\nTraceback (most recent call last):\n"
    '  File "/app/shop.py", line {few}, in sell\n    take()\nValueError: no stock for {number}',
]


@pytest.fixture(scope="module")
def load():
    catalogue = Catalogue()
    kinds = [(name, catalogue.load("detectors", name, Path())) for name in ("python", "java", "levels")]
    return lambda: Detection([(name, kind()) for name, kind in kinds])


def log(seed, size=600):
    chance = random.Random(seed)

    def line(number):
        return chance.choice(LINES).format(
            time=f"2026-11-21 07:{number // 60 % 60:02}:{number % 60:02},{chance.randrange(1000):03}",
            few=chance.randrange(4),
            number=chance.choice([7, 42, 1234, 99_999_999, 10**15]),
            hexed=f"{chance.randrange(1 << 32):x}",
            status=chance.choice([404, 500, 503]),
            uuid=f"{chance.randrange(1 << 32):08x}-{chance.randrange(1 << 16):04x}",
        )

    return "".join(line(number) + "\n" for number in range(size)).encode()


def detect(detection, data, chunk):
    cutter, batch = (
        Cutter(detection.grammar, 0),
        LogBatch("s", b"", ((0, {}),), attributes={"service": "shop"}),
    )
    events, repeats, at = [], 0, 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + chunk) + 1
        for claim in cutter.feed(data[at:end])[0]:
            repeats += isinstance(claim, RepeatedLine)
            events += detection.events(claim, batch=batch)
        at = end
    for claim in cutter.flush():
        events += detection.events(claim, batch=batch)
    return sorted(events, key=lambda event: event.start), repeats


def comparable(event):
    return replace(event, context_before=(), context_after=(), attributes={})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("chunk", [700, 1 << 20])
def test_lines_that_repeat_are_found_as_reading_finds_them(load, seed, chunk):
    data = log(seed)
    read = load()
    read.grammar.repeats.find = lambda *place: None
    read.grammar.repeats.find_line = lambda *place: None
    read.grammar.repeats.is_passed = lambda *place: False

    expected, _ = detect(read, data, chunk)
    found, repeats = detect(load(), data, chunk)

    assert list(map(comparable, found)) == list(map(comparable, expected))
    assert repeats > len(found) / 5


def test_a_known_line_still_introduces_a_trace_that_follows(load):
    known = b"".join(b"2026-11-21 07:00:%02d,000 ERROR shop: gave up\n" % second for second in range(60))
    trace = b'Traceback (most recent call last):\n  File "/app/a.py", line 3, in sell\n    take()\nValueError: none\n'

    events, repeats = detect(load(), known + trace + b"2026-11-21 07:01:00,000 INFO shop: on\n", 1 << 20)

    assert repeats > 10
    assert len(events) == 60
    assert (events[-1].type, events[-1].headline) == (
        "ValueError",
        "2026-11-21 07:00:59,000 ERROR shop: gave up",
    )


def test_an_attribute_that_changes_from_line_to_line_is_left_out_of_repeats(load):
    events, _ = detect(load(), log(2), 1 << 20)

    for event in events:
        thread = event.attributes.get("thread")
        assert event.attributes["service"] == "shop"
        assert thread is None or f"[{thread}]" in event.block + event.headline


class Slow(LogDetector):
    """A problem above a limit, which only the numbers tell."""

    triggers = ("took ",)
    rank = "line"

    def detect(self, block):
        return (
            Event(type="Slow", message=block.first_line) if int(block.first_line.split()[-1]) > 1000 else None
        )


class VerySlow(LogDetector):
    """The same, by what its trigger matches."""

    triggers = (r"took [5-9]\d{3}$",)
    rank = "line"
    reads_numbers = False

    def detect(self, block):
        return Event(type="VerySlow", message=block.first_line, severity="critical")


@pytest.mark.parametrize(("detector", "limit"), [(Slow, 1000), (VerySlow, 4999)])
def test_a_number_that_decides_is_never_one_that_does_not_matter(detector, limit):
    chance = random.Random(5)
    taken = [chance.randrange(1, 9999) for _ in range(500)]
    data = "".join(f"2026-11-21 07:00:00,000 ERROR it took {taken_}\n" for taken_ in taken).encode()
    levels = Catalogue().load("detectors", "levels", Path())()

    events, _ = detect(Detection([("slow", detector()), ("levels", levels)]), data, 1 << 20)

    slow = [int(event.message.split()[-1]) for event in events if event.detector == "slow"]
    assert sorted(slow) == sorted(number for number in taken if number > limit)


def asked(detector, monkeypatch, data):
    """Return how many events there are, and how often the detector was asked to cut."""
    calls, cut = [], type(detector).cut
    monkeypatch.setattr(type(detector), "cut", lambda *call: calls.append(call) or cut(*call))
    events, _ = detect(Detection([("one", detector)]), data, 1 << 20)
    return len(events), len(calls)


def test_a_line_that_was_no_event_is_not_read_again(load, monkeypatch):
    line = "2026-11-21T07:00:{:02}Z svc-till 11-21 07:00:00.000 {} 42 E Till: read {}\n"
    data = "".join(line.format(n % 60, n * 7, n * 3) for n in range(200)).encode()
    levels = Catalogue().load("detectors", "levels", Path())()

    assert asked(levels, monkeypatch, data) == (0, 4)  # the first two, and now and then one


def test_a_line_that_only_its_trigger_keeps_from_being_an_event_tells_nothing_of_others():
    numbers = [n * 1_000 + 50_678 for n in range(50)] + [5_678] * 50 + [9_876] * 50
    data = "".join(f"2026-11-21 07:00:00,000 INFO it took {number}\n" for number in numbers).encode()

    events, _ = detect(Detection([("slow", VerySlow())]), data, 1 << 20)

    assert len(events) == 100


def test_a_repeat_is_of_the_release_its_own_line_names(load):
    lines = [
        f'{{"time":"2026-11-21T07:00:{n % 60:02}Z","level":"error","version":"1.4.{n // 40}","msg":"cannot sell {n}"}}'
        for n in range(80)
    ]

    events, _ = detect(load(), "".join(f"{line}\n" for line in lines).encode(), 1 << 20)

    assert [event.attributes["version"] for event in events] == ["1.4.0"] * 40 + ["1.4.1"] * 40
