"""Triggers: which are accepted, where they hold, and that both engines agree."""

import os
import random

import pytest

from aiops_core.catalogue import Catalogue
from aiops_core.component import LogDetector
from aiops_core.errors import UserError
from aiops_core.pipeline import load
from aiops_core.text.compiled import cache_path, save
from aiops_core.text.compiled import load as load_kept
from aiops_core.text.hits import HitList
from aiops_core.text.kept import Kept
from aiops_core.text.matcher import alike, build_matcher, compile_trigger, compile_triggers, is_compiled

REFUSED = {
    "ab": "no run of 3 literal characters that every match has. "
    "Add some, or the whole log would be looked at line by line",
    r"\d+ \w+": "no run of 3 literal characters that every match has. "
    "Add some, or the whole log would be looked at line by line",
    "error|x": "no run of 3 literal characters that every match has. "
    "Add some, or the whole log would be looked at line by line",
    "(error)?": "no run of 3 literal characters that every match has. "
    "Add some, or the whole log would be looked at line by line",
    "one^two": "an anchor inside. Put ^ first and $ last, alternatives in parentheses",
    "^error|^fatal": "an anchor inside. Put ^ first and $ last, alternatives in parentheses",
    "(error": "missing ), unterminated subpattern at position 0. Write a valid regular expression",
}


@pytest.mark.parametrize(("pattern", "told"), REFUSED.items())
def test_a_trigger_that_cannot_be_scanned_for_is_refused(pattern, told):
    with pytest.raises(UserError) as refused:
        compile_trigger(0, pattern)

    assert str(refused.value) == f"trigger {pattern!r}: {told}"


def test_a_bad_trigger_is_refused_by_check_with_its_step(tmp_path):
    (tmp_path / "short.py").write_text(
        "from aiops_core import LogDetector\nclass Short(LogDetector):\n    triggers = ('ab',)\n"
        "    def detect(self, block): return None\n"
    )
    (tmp_path / "pipeline.yaml").write_text(
        "pipelines:\n  shop:\n    sources: [{uses: file, with: {paths: [a]}}]\n    detectors: ['./short.py:Short']\n"
    )

    with pytest.raises(UserError) as refused:
        load(tmp_path / "pipeline.yaml")

    assert str(refused.value) == (
        f"pipeline.yaml:4:17: detectors[0] (./short.py:Short): trigger 'ab': {REFUSED['ab']}"
    )


@pytest.mark.parametrize(
    "pattern", ["éa", "日", "(?:error|fatal)", "(abc)+", "a{3}bcd", "^Traceback", "failed$", r"\bpanic: "]
)
def test_three_literal_bytes_in_every_match_are_enough(pattern):
    assert compile_trigger(0, pattern).owner == 0


@pytest.mark.parametrize(
    ("pattern", "line", "column"),
    [
        ("^panic: ", "panic: no", 0),
        ("^panic: ", "2026-01-01 10:00:00 ERROR panic: no", 26),
        ("^panic: ", "we do not panic: no", -1),
        ("panic: ", "we do not panic: no", 10),
        ("failed$", "it failed", 3),
        ("failed$", "it failed twice", -1),
        ("^failed$", "failed", 0),
        ("^ {0,4}Caused by:$", "[p1] Caused by:", 5),
        ("^ {0,4}Caused by:$", "[p1]   Caused by:", 5),
        ("^ {0,4}Caused by:$", "  Caused by:", 0),
        ("^ {2,3}at ", "[p1]  at main", 4),
    ],
)
def test_an_anchored_trigger_holds_at_the_start_or_after_an_envelope(pattern, line, column):
    assert compile_trigger(0, pattern).confirm(line) == column


def test_a_trigger_that_ends_with_its_line_is_found_in_a_text_of_many_lines():
    trigger = compile_trigger(0, "^Caused by:$")

    assert trigger.search("no\nCaused by:\n  a") is not None
    assert trigger.search("no\n  a") is None


def installed_triggers():
    catalogue = Catalogue(discovers=False)
    patterns = []
    for name in catalogue.unnamed_detectors():
        kind = catalogue.find("detectors", name).load()
        if issubclass(kind, LogDetector) and not any(
            info.is_required() for info in kind.config_type.model_fields.values()
        ):
            patterns += kind().triggers
    return [compile_trigger(index, pattern) for index, pattern in enumerate(patterns)]


PIECES = [
    "Traceback (most recent call last):", "ValueError: no", "Exception in thread \"main\" java.lang.Error: x",
    "\tat a.b.C.d(C.java:7)", "Caused by: java.io.IOException", "panic: runtime error", "goroutine 1 [running]:",
    "TypeError: x is not a function", "    at f (/a/b.js:1:2)", "2026-01-01 10:00:00 ERROR shop: x", "all is well",
    "\xe9\u65e5 unicode", "FATAL", "", "  indented", "fatal error: all goroutines are asleep", "[error] 7#7: *1",
]  # fmt: skip


def lines_hit(data, hits):
    """Return (start of line, trigger) of hits: what the cutter makes of them."""
    return {(data.rfind(b"\n", 0, max(at, 0)) + 1, trigger) for at, trigger in zip(*hits, strict=True)}


@pytest.mark.parametrize("seed", range(5))
def test_both_engines_hit_the_same_lines(seed):
    pytest.importorskip("hyperscan", reason="hyperscan is not installed here")
    triggers = installed_triggers()
    chance = random.Random(seed)
    data = "".join(chance.choice(PIECES) + chance.choice(["\n", "\r\n"]) for _ in range(400)).encode()

    fast = lines_hit(data, build_matcher(triggers, engine="hyperscan").scan(data))
    slow = lines_hit(data, build_matcher(triggers, engine="re").scan(data))

    def confirmed(hits):
        texts = {at: data[at : data.index(b"\n", at)].decode().rstrip("\r") for at, _ in hits}
        return {(at, index) for at, index in hits if triggers[index].confirm(texts[at]) >= 0}

    assert confirmed(fast) == confirmed(slow)
    assert len(confirmed(fast)) > 100


@pytest.mark.parametrize(
    "ahead", ["Mar  5 09:11:03 web1 shop[7]: ", "2026-03-05T09:11:03.1234567Z ", "a:1:2: "]
)
def test_a_time_on_the_line_hides_nothing_from_the_faster_engine(ahead):
    pytest.importorskip("hyperscan", reason="hyperscan is not installed here")
    triggers = installed_triggers()
    texts = [
        "app.rb:2:in `sell': sold out (RuntimeError)",
        "app.rb:2: syntax error, unexpected end",
        "till.cc:3:4: runtime error: signed integer overflow",
        "till.cc:3: Failure",
        "Till.java:3: error: cannot find symbol",
        "till.dart:3:4: Error: no such method",
        "Till.swift:3: Fatal error: no stock",
        "\tat shop.Till.sell(Till.java:3)",
        "    at sell (/srv/till.js:3:4)",
    ]
    data = "".join(f"{ahead}{text}\n" for text in texts).encode()

    fast = lines_hit(data, build_matcher(triggers, engine="hyperscan").scan(data))

    assert fast == lines_hit(data, build_matcher(triggers, engine="re").scan(data))
    assert len({line for line, _ in fast}) == len(texts)


def test_what_several_detectors_look_for_hits_once_and_is_told_to_each():
    triggers = [compile_trigger(owner, pattern) for owner, pattern in enumerate(["^panic", "fatal", "panic"])]
    kept, hits = Kept(100, before=0), HitList(alike(triggers))
    data = b"all is well\nfatal panic\n"

    hits.add(build_matcher(triggers).scan(data, 100))
    kept.append(data, 0, is_open=False)

    assert hits.places == [116, 122]
    assert hits.triggers == [1, 0]
    assert list(hits.lines(kept)) == [(112, [1, 0, 2])]


def test_a_trigger_hyperscan_cannot_take_moves_the_pipeline_to_re():
    assert build_matcher([compile_trigger(0, r"(?<!no )failed")]).engine == "re"


def test_what_was_compiled_once_is_taken_from_the_cache(tmp_path, monkeypatch):
    pytest.importorskip("hyperscan", reason="hyperscan is not installed here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = b"all is well\nno stock left\n"
    assert not is_compiled(["no stock"])

    _, made = compile_triggers([(0, "no stock")])
    _, kept = compile_triggers([(1, "no stock")])

    assert is_compiled(["no stock"])
    assert kept.scan(data) == made.scan(data) == ([19], [0])


def test_what_was_not_used_for_longest_leaves_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for number in range(70):
        path = cache_path("engine", [b"%d" % number])
        save(path, b"compiled")
        os.utime(path, (number, number))

    left = [number for number in range(70) if load_kept(cache_path("engine", [b"%d" % number]))]

    assert left == list(range(6, 70))
