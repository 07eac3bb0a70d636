"""Cutting: headlines, overlaps, context, and that it does not matter how the bytes arrive."""

import random

import pytest

from aiops_core.catalogue import Catalogue
from aiops_core.component import LogDetector
from aiops_core.records import Event
from aiops_core.text.blocks import Cutter, Grammar
from aiops_core.text.lines import Span


class Failed(LogDetector):
    triggers = ("^FAILED",)
    continues = r"^\s"

    def detect(self, block):
        return Event(type="Failed")


class Word(LogDetector):
    triggers = ("error:",)
    rank = "line"

    def detect(self, block):
        return Event(type="Word")


class Upwards(LogDetector):
    """Claim all the errors above the line that tells of a failure."""

    triggers = ("error: FAILED here",)

    def cut(self, lines, hit):
        start = hit
        while "error:" in (lines.get(start - 1) or ""):
            start -= 1
        return Span(start, hit + 1)

    def detect(self, block):
        return Event(type="Upwards")


def cut(text, *detectors, step=0, engine="", **context):
    """Return the claims of a text fed in pieces of ``step`` lines, all at once when 0."""
    data = text if isinstance(text, bytes) else text.encode()
    cutter = Cutter(Grammar(detectors, engine=engine), 0, **context)
    lines = data.splitlines(keepends=True)
    claims, late = [], []
    for at in range(0, len(lines), step or len(lines) or 1):
        found, following = cutter.feed(b"".join(lines[at : at + (step or len(lines))]))
        claims += found
        late += following
    return claims + list(cutter.flush()), late


def shown(claims):
    return [
        (claim.detector, claim.start, claim.end, claim.block.headline, claim.block.lines) for claim in claims
    ]


def test_a_block_is_the_trigger_and_the_lines_that_go_on():
    claims, _ = cut("one\nFAILED x\n  a\n  b\ntwo\n", Failed())

    assert shown(claims) == [(0, 4, 21, "", ("FAILED x", "  a", "  b"))]
    assert claims[0].block.raw == "FAILED x\n  a\n  b\n"


def test_a_logged_error_before_a_block_becomes_its_headline():
    head = "2026-01-01 10:00:00,000 ERROR shop: cannot sell"

    claims, _ = cut(f"one\n{head}\nFAILED x\n  a\n", Failed())

    assert shown(claims) == [(0, 4, 4 + len(head) + 1 + 13, head, ("FAILED x", "  a"))]


@pytest.mark.parametrize("step", [0, 1])
def test_a_blank_line_may_stand_between_a_logged_error_and_its_block(step):
    head = "2026-01-01 10:00:00,000 ERROR shop: error: cannot sell"
    text = f"{head}\n\nFAILED x\n  a\n\n"

    claims, _ = cut(text * 3, Failed(), Word(), step=step)

    assert [(claim.detector, claim.block.headline, claim.block.raw) for claim in claims] == [
        (0, head, text[:-1])
    ] * 3


def test_two_blank_lines_part_a_logged_error_from_a_block():
    claims, _ = cut("shop ERROR: error: cannot sell\n\n\nFAILED x\n", Failed(), Word())

    assert [(claim.detector, claim.block.headline) for claim in claims] == [(1, ""), (0, "")]


def test_a_line_hit_before_a_trace_becomes_its_headline_and_no_claim_of_its_own():
    claims, _ = cut("shop error: cannot sell\nFAILED x\n  a\nwell\n", Failed(), Word())

    assert [(claim.detector, claim.block.headline) for claim in claims] == [(0, "shop error: cannot sell")]


@pytest.mark.parametrize(("severity", "is_joined"), [("ERROR", True), ("WARNING", False)])
def test_a_record_of_another_severity_introduces_no_block_that_is_a_record_itself(severity, is_joined):
    head = f"2026-01-01 10:00:00,000 {severity} shop: paper low"

    claims, _ = cut(f"{head}\n2026-01-01 10:00:01,000 ERROR shop: FAILED x\n  a\n", Failed())

    assert [claim.block.headline for claim in claims] == [head if is_joined else ""]


def test_an_ordinary_line_before_a_block_stays_out_of_it():
    claims, _ = cut("2026-01-01 10:00:00,000 INFO shop: selling\nFAILED x\n", Failed())

    assert claims[0].block.headline == ""


@pytest.mark.parametrize("step", [0, 1])
def test_a_trace_each_line_of_which_is_logged_as_an_error_is_one_block_from_its_first_line(step):
    head = "2026-01-01 10:00:00,000 ERROR shop: error:"
    lines = [f"{head} {number}\n" for number in range(6)]
    text = "2026-01-01 09:59:59,000 INFO shop: on\n" + "".join(lines) + f"{head} FAILED here\n"

    claims, _ = cut(text, Upwards(), Word(), step=step)

    assert [(claim.detector, claim.start, claim.end) for claim in claims] == [(0, 38, len(text))]


def test_logged_errors_that_belong_to_no_trace_are_claimed_one_by_one_and_in_order():
    head = "2026-01-01 10:00:00,000 ERROR shop: error:"
    lines = [f"{head} {number}\n" for number in range(60)]

    claims, _ = cut("".join(lines), Upwards(), Word(), step=7)

    assert [claim.block.raw for claim in claims] == lines


@pytest.mark.parametrize(
    "line", ["03-17 16:13:38.811  1702  2395 W Activity: slow", "W/Activity( 1702): slow"]
)
def test_a_writer_who_prefixes_every_line_introduces_no_bare_trace(line):
    claims, _ = cut(f"{line}\nFAILED x\n  a\n", Failed())

    assert shown(claims) == [(0, len(line) + 1, len(line) + 14, "", ("FAILED x", "  a"))]


def test_a_trace_wins_over_line_hits_inside_it_whatever_their_order():
    text = "FAILED x\n  error: inside\nerror: outside\n"

    for detectors in ((Failed(), Word()), (Word(), Failed())):
        claims, _ = cut(text, *detectors)
        names = [type(detectors[claim.detector]).__name__ for claim in claims]
        assert names == ["Failed", "Word"]
        assert [claim.block.lines for claim in claims] == [
            ("FAILED x", "  error: inside"),
            ("error: outside",),
        ]


def test_of_two_traces_the_longer_wins_and_of_equals_the_first_written():
    class Short(Failed):
        continues = None

    longer, _ = cut("FAILED x\n  a\n", Short(), Failed())
    first, _ = cut("FAILED x\n  a\n", Failed(), Failed())

    assert [(claim.detector, len(claim.block.lines)) for claim in longer] == [(1, 2)]
    assert [claim.detector for claim in first] == [0]


def test_an_envelope_on_every_line_is_cut_off():
    text = "".join(
        f"2026-01-01 10:00:0{n} ERROR shop: {line}\n" for n, line in enumerate(("FAILED x", "  a", "well"))
    )

    (claim,) = cut(text, Failed())[0]

    assert claim.block.prefix == "2026-01-01 10:00:00 ERROR shop: "
    assert claim.block.lines == ("FAILED x", "  a")


def test_lines_before_and_after_are_kept_and_late_ones_follow():
    text = "".join(f"b{n}\n" for n in range(5)) + "FAILED x\n" + "".join(f"a{n}\n" for n in range(5))

    whole, _ = cut(text, Failed(), before=2, after=3)
    claims, late = cut(text, Failed(), before=2, after=3, step=1)

    assert (whole[0].before, whole[0].after) == (("b3", "b4"), ("a0", "a1", "a2"))
    following = tuple(line for one in late for line in one.lines)
    assert claims[0].before == ("b3", "b4")
    assert claims[0].after + following == ("a0", "a1", "a2")


def test_a_block_stays_open_until_a_line_or_a_flush_ends_it():
    cutter = Cutter(Grammar([Failed()]), 100)

    claims, late = cutter.feed(b"FAILED x\n  a\n")
    assert (list(claims), late) == ([], [])
    assert (cutter.is_open, cutter.low_water) == (True, 100)
    (claim,) = cutter.flush()
    assert (claim.start, claim.end) == (100, 113)
    assert (cutter.is_open, cutter.low_water) == (False, 113)


def test_a_claim_is_never_made_twice():
    claims, _ = cut("FAILED x\n  FAILED y\nFAILED z\n", Failed(), step=1)

    assert [(claim.start, claim.end) for claim in claims] == [(0, 20), (20, 29)]


# -- generated logs -----------------------------------------------------------------------------


def python(chance):
    frames = "".join(
        f'  File "/app/m{n}.py", line {n + 1}, in f{n}\n    g(x)\n' for n in range(chance.randint(1, 6))
    )
    trace = f"Traceback (most recent call last):\n{frames}ValueError: bad {chance.randint(1, 99)}\n"
    cause = "\nThe above exception was the direct cause of the following exception:\n\n"
    return trace + (cause + trace if chance.random() < 0.4 else "")


def java(chance):
    frames = "".join(f"\tat com.acme.C{n}.run(C{n}.java:{n + 1})\n" for n in range(chance.randint(1, 6)))
    cause = f"Caused by: java.io.IOException: disk\n{frames}\t... 3 more\n" if chance.random() < 0.4 else ""
    return f'Exception in thread "main" java.lang.IllegalStateException: bad\n{frames}{cause}'


def javascript(chance):
    frames = "".join(f"    at f{n} (/app/m{n}.js:{n + 1}:7)\n" for n in range(chance.randint(1, 6)))
    source = "/app/m.js:3\n  g(x)\n  ^\n\n" if chance.random() < 0.4 else ""
    return f"{source}TypeError: x is not a function\n{frames}"


def go(chance):
    frames = "".join(f"main.f{n}(0x1)\n\t/app/m{n}.go:{n + 1} +0x1d\n" for n in range(chance.randint(1, 6)))
    return f"panic: bad {chance.randint(1, 99)}\n\ngoroutine 1 [running]:\n{frames}exit status 2\n"


def noise(chance):
    level = chance.choice(["INFO", "INFO", "DEBUG", "ERROR", "WARN"])
    return f"2026-01-01 10:00:{chance.randint(10, 59)},{chance.randint(100, 999)} {level} shop: item {chance.random()}\n"


def generated(kinds, seed):
    chance = random.Random(seed)
    parts = []
    for _ in range(12):
        parts += [noise(chance) for _ in range(chance.randint(1, 4))]
        parts.append(chance.choice(kinds)(chance))
    return "".join(parts) + noise(chance)


def installed(*names):
    catalogue = Catalogue()
    return [catalogue.find("detectors", name).load()() for name in names]


KINDS = {
    "python": [python],
    "java": [java],
    "javascript": [javascript],
    "go": [go],
    "all": [python, java, javascript, go],
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_it_does_not_matter_in_which_pieces_a_log_arrives(kind, seed):
    text = generated(KINDS[kind], seed)
    names = ["python", "java", "javascript", "go"] if kind == "all" else [kind]
    detectors = installed(*names, "levels")

    whole, _ = cut(text, *detectors)

    traces = [claim for claim in whole if claim.detector < len(names)]
    assert len(traces) >= 12
    for step in (1, 2, 3, 7):
        assert shown(cut(text, *detectors, step=step)[0]) == shown(whole)


@pytest.mark.parametrize("seed", range(3))
def test_both_engines_cut_the_same_blocks(seed):
    pytest.importorskip("hyperscan", reason="hyperscan is not installed here")
    text = generated(KINDS["all"], seed)
    detectors = installed("python", "java", "javascript", "go", "levels")

    assert shown(cut(text, *detectors, engine="re")[0]) == shown(cut(text, *detectors, engine="hyperscan")[0])
