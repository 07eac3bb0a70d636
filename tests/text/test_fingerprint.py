import json
import random
import re
from pathlib import Path

import pytest
from aiops_detector_python import PythonErrors

from aiops_core import Event, Frame, RaisedException, replace
from aiops_core.text.blocks import Cutter, Grammar
from aiops_core.text.fingerprint import VERSION, Part, digest, fingerprint, parts, title

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
        ("Shop$HibernateProxy$aB3d.pay", "Shop$HibernateProxy$zZ9.pay"),
        ("Shop_$$_jvst1a2_0.pay", "Shop_$$_jvst9c_12.pay"),
        ("Shop.<Sell>b__0_1", "Shop.<Sell>b__3_0"),
        ("Shop+<SellAsync>d__12.MoveNext()", "Shop+<SellAsync>d__7.MoveNext()"),
        ("pay.constprop.0", "pay.isra.4"),
        ("pay+0x12/0x40", "pay+0x9/0x38"),
        ("-pay/1-fun-0-", "-pay/1-fun-3-"),
        ("{closure:/app/releases/1/shop.php:12}", "{closure:/app/releases/2/shop.php:14}"),
        ("_app_views_shop_html_erb__1234567_8900", "_app_views_shop_html_erb__7654321_100"),
        ("Shop$_run_closure1.doCall", "Shop$_run_closure2.doCall"),
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Frame(file="/srv/releases/20261121/a.rb"), Frame(file="/srv/releases/20261122/a.rb")),
        (Frame(module="app-1.2.3.lib.shop"), Frame(module="app-1.10.0.lib.shop")),
        (Frame(module="example.com/pay@v1.2.3"), Frame(module="example.com/pay@v1.3.0-rc1")),
        (Frame(module="srv/releases/20261121/shop"), Frame(module="srv/releases/20261122/shop")),
        (Frame(file="https://h/chunk-ABCDEFGH.js"), Frame(file="https://h/chunk-HGFEDCBA.js")),
        (Frame(file="https://h/2.aabbccdd.chunk.js"), Frame(file="https://h/7.99aa88bb.chunk.js")),
        (Frame(file="https://h/index-DiwrgTda.js"), Frame(file="https://h/index-B_k-3Zq1.js")),
        (Frame(file="/a/rules.php(17) : eval()'d code"), Frame(file="/b/rules.php(19) : eval()'d code")),
        (Frame(file="views/0123456789abcdef0123.php"), Frame(file="views/fedcba98765432100123.php")),
    ],
)
def test_a_new_release_does_not_count(one, other):
    assert fingerprint(event(frames=(one,))) == fingerprint(event(frames=(other,)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/user-settings.js", "https://h/user-messages.js"),
        ("https://h/user-Settings.js", "https://h/user-Messages.js"),
        ("https://h/on-feedback.js", "https://h/on-deadbeat.js"),
    ],
)
def test_words_in_the_name_of_a_bundle_count(one, other):
    assert fingerprint(event(frames=(Frame(file=one),))) != fingerprint(event(frames=(Frame(file=other),)))


def test_where_a_deep_recursion_was_cut_does_not_count():
    even, odd = (Frame(file="a.py", function=name) for name in ("even", "odd"))
    start = Frame(file="a.py", function="start")

    assert fingerprint(event(frames=(even, odd) * 50)) == fingerprint(event(frames=(odd, even) * 50))
    assert fingerprint(event(frames=(start, even, odd))) != fingerprint(event(frames=(start, odd, even)))


def test_the_parts_say_what_was_masked():
    found = Event(type="LogError", message="user 42 is gone\nmore", detector="levels")

    assert parts(found) == [
        Part("detector", "levels", "levels"),
        Part("type", "LogError", "LogError"),
        Part("message", "user 42 is gone", "user <*> is gone"),
    ]
    assert parts(event())[2:] == [
        Part("own frame", "/srv/app/shop.py:main", "shop.py:main"),
        Part("own frame", "/srv/app/totals.py:total", "totals.py:total"),
    ]
    assert digest(parts(event())) == fingerprint(event())


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


def test_a_title_says_once_what_the_message_repeats_of_the_type():
    event = Event("runtime error: index out of range", "runtime error: index out of range [5] with length 3")

    assert title(event) == "runtime error: index out of range [5] with length 3"


def test_a_title_names_the_own_function_behind_an_error_that_surfaced_in_a_library():
    library = RaisedException("RuntimeError", "no activity", (Frame("rt.py", 1, "perform", in_app=False),))
    cause = RaisedException("KeyError", "x", (*FRAMES, Frame("lib.py", 3, "get", in_app=False)), link="cause")
    found = Event("RuntimeError", "no activity", exceptions=(library, cause))

    assert title(found) == "RuntimeError: no activity · total"
    assert [frame.function for frame in found.own_frames] == ["main", "total"]
    assert [frame.function for frame in found.frames] == ["perform"]
    assert title(Event("E", "x", exceptions=(library,))) == "E: x · perform"
