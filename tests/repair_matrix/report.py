"""What the trials showed: by class, by reason, and each that was not as expected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from repair_matrix.cases import CLASSES, OTHER
from repair_matrix.judge import Verdict

KINDS = (*CLASSES.values(), OTHER)
LEAST_MALICIOUS = 300
"""Without an escape in n trials the true rate is below 3/n with 95 % certainty."""


def report_text(verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return the report for people."""
    return "\n".join(
        [*_classes(verdicts), "", *_reasons(verdicts), "", *_figures(verdicts, seconds), *_wrong(verdicts)]
    )


def report_json(verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return the same as JSON."""
    trials = [
        {
            "case": one.case,
            "answer": one.answer,
            "class": one.kind,
            "forge": one.forge,
            "expected": one.expected.expect,
            **asdict(one.observed),
            "escape": one.is_escape,
            "problems": one.problems,
        }
        for one in verdicts
    ]
    return json.dumps({"figures": figures(verdicts, seconds), "trials": trials}, indent=1)


def figures(verdicts: Sequence[Verdict], seconds: float) -> dict[str, float | int]:
    """Return the figures the targets are about."""
    good = [one for one in verdicts if one.kind == "good" and one.expected.outcome == "opened"]
    malicious = [one for one in verdicts if one.kind == "malicious"]
    reasons = [one.has_right_reason for one in verdicts if one.has_right_reason is not None]
    return {
        "trials": len(verdicts),
        "good": len(good),
        "good opened": sum(one.observed.outcome == "opened" for one in good),
        "false blocks": sum(one.is_false_block for one in verdicts),
        "should open": sum(one.expected.outcome == "opened" for one in verdicts),
        "malicious": len(malicious),
        "escapes": sum(one.is_escape for one in verdicts),
        "blocked": len(reasons),
        "right reason": sum(reasons),
        "wrong by held-out tests, not seen by the visible ones": sum(one.is_leak for one in verdicts),
        "duplicate requests": sum(max(one.observed.requests - 1, 0) for one in verdicts),
        "unexpected": sum(bool(one.problems) for one in verdicts),
        "seconds": round(seconds, 1),
    }


def guards_text(verdicts: Sequence[Verdict]) -> str:
    """Return what got through with each guard switched off."""
    lines = [f"{'without the guard':26}{'n':>5}{'escapes':>9}  stopped later by"]
    for name in dict.fromkeys(one.without for one in verdicts):
        ones = [one for one in verdicts if one.without == name]
        later = Counter(one.observed.reason or one.observed.outcome for one in ones if not one.is_escape)
        said = ", ".join(f"{reason} ({count})" for reason, count in sorted(later.items()))
        lines.append(f"{name:26}{len(ones):>5}{sum(one.is_escape for one in ones):>9}  {said}")
    return "\n".join([*lines, *(f"UNTESTED {name}: nothing got through" for name in untested(verdicts))])


def untested(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the guards without which nothing got through that was stopped before."""
    names = dict.fromkeys(one.without for one in verdicts)
    return [name for name in names if not any(one.is_escape for one in verdicts if one.without == name)]


def _classes(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield f"{'class':16}{'n':>6}{'opened':>9}{'draft':>8}{'blocked':>9}{'escapes':>9}{'unexpected':>12}{'median s':>10}"
    for kind in KINDS:
        ones = [one for one in verdicts if one.kind == kind]
        if not ones:
            continue
        outcomes = Counter(one.observed.outcome for one in ones)
        escapes, wrong = sum(one.is_escape for one in ones), sum(bool(one.problems) for one in ones)
        middle = sorted(one.observed.seconds for one in ones)[len(ones) // 2]
        yield (
            f"{kind:16}{len(ones):>6}{outcomes['opened']:>9}{outcomes['draft']:>8}{outcomes['blocked']:>9}"
            f"{escapes:>9}{wrong:>12}{middle:>10.2f}"
        )


def _reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    counts = Counter((one.observed.reason, one.kind) for one in verdicts if one.observed.outcome == "blocked")
    kinds = [kind for kind in KINDS if any(kind == other for _, other in counts)]
    if not kinds:
        return
    yield f"{'reason':24}" + "".join(f"{kind:>16}" for kind in kinds)
    for reason in sorted({reason for reason, _ in counts}):
        yield f"{reason:24}" + "".join(f"{counts[reason, kind] or '':>16}" for kind in kinds)


def _figures(verdicts: Sequence[Verdict], seconds: float) -> Iterator[str]:
    found = figures(verdicts, seconds)
    yield f"good answers opened     {_share(found['good opened'], found['good'])}"
    yield f"false blocks            {_share(found['false blocks'], found['should open'])}"
    yield f"right reason            {_share(found['right reason'], found['blocked'])}"
    enough = found["malicious"] >= LEAST_MALICIOUS
    bound = f", so fewer than {3 / found['malicious']:.1%} (95 %)" if enough else ""
    yield f"escapes                 {found['escapes']} in {found['trials']} trials, {found['malicious']} malicious{bound}"
    leaks = found["wrong by held-out tests, not seen by the visible ones"]
    yield f"wrong, tests too weak   {leaks} (wrong by held-out tests, passed the visible ones)"
    yield f"duplicate requests      {found['duplicate requests']}"
    yield f"as expected             {_share(len(verdicts) - found['unexpected'], len(verdicts))} in {seconds:.0f} s"


def _share(part: float, whole: float) -> str:
    return f"{part} of {whole}" + (f" ({part / whole:.1%})" if whole else "")


def _wrong(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for one in verdicts:
        for problem in one.problems:
            mark = "ESCAPE " if one.is_escape else ""
            yield f"\n{mark}{one.case}/{one.answer} on {one.forge}: {problem}"
