import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from aiops_detector_python import PythonErrors

from aiops_core import Event, Frame, RaisedException
from aiops_core.text.blocks import Cutter, Grammar
from aiops_core.text.fingerprint import VERSION, fingerprint, title

FRAMES = (
    Frame(file="/usr/lib/python3.11/runpy.py", line=1, function="run", in_app=False),
    Frame(file="/srv/app/shop.py", line=12, function="main"),
    Frame(file="/srv/app/totals.py", line=40, function="total"),
)


def event(*, frames=FRAMES, message="x", type_="ValueError", **fields):
    raised = RaisedException(type_, message, frames)
    return Event(type=type_, message=message, language="python", exceptions=(raised,), **fields)


def moved(**changes):
    return tuple(replace(frame, **changes) for frame in FRAMES)


def test_a_fingerprint_names_its_version():
    assert re.fullmatch(rf"v{VERSION}:[0-9a-f]{{32}}", fingerprint(event()))


@pytest.mark.parametrize(
    "same",
    [
        event(message="another text"),
        event(frames=moved(line=99)),
        event(frames=tuple(replace(frame, file=frame.file.replace("/srv", "/opt/r2")) for frame in FRAMES)),
        event(frames=(*FRAMES, *FRAMES[1:], *FRAMES[1:])),
        event(frames=(replace(FRAMES[0], function="other"), *FRAMES[1:])),
        event(severity="info", path="/x", start=3, attributes={"thread": "9"}),
    ],
    ids=["message", "lines", "folder", "recursion", "library frames", "place"],
)
def test_what_varies_does_not_count(same):
    assert fingerprint(same) == fingerprint(event())


@pytest.mark.parametrize(
    "other",
    [
        event(type_="KeyError"),
        event(frames=FRAMES[:2]),
        event(frames=(*FRAMES[:2], replace(FRAMES[2], function="sum"))),
        event(frames=(*FRAMES[:2], replace(FRAMES[2], file="/srv/app/sums.py"))),
        replace(event(), language="java"),
        replace(
            event(), exceptions=(*event().exceptions, RaisedException("OSError", link="cause", parent=0))
        ),
    ],
    ids=["type", "fewer frames", "function", "file", "language", "cause"],
)
def test_what_stays_counts(other):
    assert fingerprint(other) != fingerprint(event())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lambda$main$0", "lambda$main$17"),
        ("Foo$$Lambda$14/0x0000000800066840.run", "Foo$$Lambda/0x00007f0a.run"),
        ("Foo$$EnhancerBySpringCGLIB$$1a2b3c4d.pay", "Foo$$EnhancerBySpringCGLIB$$9f8e7d6c.pay"),
        ("jdk.GeneratedMethodAccessor1.invoke", "jdk.GeneratedMethodAccessor23.invoke"),
        ("com.sun.proxy.$Proxy12.pay", "com.sun.proxy.$Proxy7.pay"),
        ("main.main.func1.2", "main.main.func3"),
        ("shop::pay::h0123456789abcdef", "shop::pay::hfedcba9876543210"),
        ("anonymous$3", "anonymous$4"),
    ],
)
def test_generated_names_are_one(one, other):
    def named(function):
        return event(frames=(Frame(file="a", function=function),))

    assert fingerprint(named(one)) == fingerprint(named(other))


def test_the_hash_in_a_bundle_does_not_count():
    def bundled(file):
        return event(frames=(Frame(file=file, function="pay"),))

    assert fingerprint(bundled("https://h/main.3f2a1bc4.js?v=1")) == fingerprint(
        bundled("https://h/main.77aa01ff.js")
    )
    assert fingerprint(bundled("https://h/main.js")) != fingerprint(bundled("https://h/shop.js"))


def test_without_own_frames_the_last_five_count():
    library = tuple(Frame(file=f"/lib/m{letter}.py", function=letter, in_app=False) for letter in "abcdefg")

    assert fingerprint(event(frames=library)) == fingerprint(event(frames=library[2:]))
    assert fingerprint(event(frames=library)) != fingerprint(event(frames=library[:-1]))


def test_without_frames_the_template_of_the_first_line_counts():
    def lines(message):
        return Event(type="LogError", message=message, detector="levels")

    assert fingerprint(lines("user 42 is gone\nmore")) == fingerprint(lines("user 7 is gone"))
    assert fingerprint(lines("user 42 is gone")) != fingerprint(lines("user 42 is here"))
    assert fingerprint(replace(lines("x"), detector="regex")) != fingerprint(lines("x"))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (event(message="no such item"), "ValueError: no such item · total"),
        (event(message=""), "ValueError · total"),
        (event(message="a\n\tb\x1b[31m\u202ec\u2028d"), "ValueError: a b [31m c d · total"),
        (event(type_="shop.errors.Broken"), "Broken: x · total"),
        (Event(type="LogError", message="disk full"), "LogError: disk full"),
        (event(frames=moved(in_app=False)), "ValueError: x · total"),
        (Event(type=""), "error"),
    ],
)
def test_a_title_is_one_line_for_people(named, expected):
    assert title(named) == expected


def test_a_long_title_is_cut_but_keeps_its_function():
    text = title(event(message="word " * 1000))

    assert len(text) == 200
    assert text.endswith("… · total")


def _vary(data, seed):
    """Change addresses, thread numbers and ids, as another run of the same program would."""
    chance = random.Random(seed)
    data = re.sub(rb"0x[0-9a-f]{5,16}", lambda _: b"0x%012x" % chance.getrandbits(48), data)
    data = re.sub(rb"(?<=Thread-)\d+|(?<=\bpid )\d+", lambda _: b"%d" % chance.randrange(1, 9999), data)
    return re.sub(rb"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", b"2027-01-01 10:00:00,000", data)


def test_every_program_of_the_corpus_has_a_fingerprint_of_its_own():
    root = Path(__file__).resolve().parents[3] / "shared/data/traces/generated-local"
    if not root.is_dir():
        pytest.skip("no corpora beside the project (../shared/data)")
    grammar = Grammar([PythonErrors()])
    programs: dict[str, set[str]] = {}
    for entry in json.loads((root / "manifest.json").read_text()):
        if entry["language"] != "python" or entry["exceptions"] != 1:
            continue
        for seed in range(3):
            cutter = Cutter(grammar, 0)
            claims = [*cutter.feed(_vary((root / entry["file"]).read_bytes(), seed))[0], *cutter.flush()]
            [claim] = claims
            known = grammar.detectors[0].detect(claim.block)
            programs.setdefault(entry["id"], set()).add(fingerprint(known))

    assert all(len(found) == 1 for found in programs.values())
    by_program: dict[str, set[str]] = {}
    for name, found in programs.items():
        by_program.setdefault(next(iter(found)), set()).add(name.partition("_")[2])
    assert all(len(names) == 1 for names in by_program.values())
