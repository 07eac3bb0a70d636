"""Code that makes tests pass without making the program right: patterns a fix may not add."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from aiops_core.errors import Refused
from aiops_core.repair.inline_tests import inline_tests
from aiops_core.repair.layout import is_test
from aiops_core.repair.swallowing import swallowed
from aiops_core.text.lazy import lazy_pattern


class _Trick(NamedTuple):
    pattern: re.Pattern[str]
    what: str
    rule: str
    remedy: str


def _trick(rule: str, what: str, remedy: str, *patterns: str) -> _Trick:
    return _Trick(lazy_pattern("|".join(patterns), re.MULTILINE), what, rule, remedy)


_TRICKS = (
    _trick(
        "tests-weakened",
        "skips a test",
        "Let every test run",
        r"@(?:\w+\.)*(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b|\bmark\.(?:skip|skipif|xfail)\b",
        r"\bfrom\s+unittest\s+import\b[^\n]*\b(?:skip|skipIf|skipUnless|expectedFailure)\b",
        r"\bskipTest\(|\bpytest\.(?:skip|xfail|exit|importorskip)\(|\bSkipTest\b|\bpytestmark\s*=",
        r"\b(?:it|test|describe)\.(?:skip|only|todo)\b|\bx(?:it|describe|test)\(",
        r"\bt\.Skip(?:Now|f)?\(|@(?:Disabled|Ignore)\b|#\[ignore",
        r"^\s*(?:collect_ignore(?:_glob)?|__test__|__unittest_skip__|pytest_plugins)\s*=|\bdef load_tests\(",
    ),
    _trick(
        "tests-weakened",
        "ends the process as if all were well",
        "Raise an error or return instead",
        r"\bos\._exit\(|\b(?:sys\.exit|exit|quit)\(\s*0?\s*\)|\bSystemExit\(\s*0?\s*\)",
        r"\bprocess\.(?:exit|reallyExit)\(\s*0?\s*\)|\bos\.Exit\(0\)|\bSystem\.exit\(0\)|\.halt\(\s*0\s*\)",
        r"\bos\.(?:abort|kill|killpg)\(|\bprocess\.exitCode\s*=\s*0\b",
    ),
    _trick(
        "tests-weakened",
        "reaches into the test runner",
        "Fix the problem in the program's own code",
        r"\b(?:unittest|_?pytest|pluggy)(?:\.\w+)+\s*=(?!=)|\bsetattr\(\s*(?:unittest|_?pytest)\b",
        r"\bsys\.modules\[\s*['\"](?:unittest|_?pytest)|\bsys\.(?:settrace|setprofile|argv\s*=)|\batexit\.register\(",
        r"(?:__import__|import_module)\(\s*['\"](?:unittest|_?pytest)|\bbuiltins\.\w+\s*=(?!=)|\bdef pytest_[a-z]",
        r"\bassert\.\w+\s*=(?!=)|\b(?:PYTEST_CURRENT_TEST|JEST_WORKER_ID|VITEST_WORKER_ID|NODE_TEST_CONTEXT)\b",
        r"['\"](?:unittest|_?pytest)['\"]\s+(?:not\s+)?in\s+sys\.modules|\bsys\.(?:excepthook|unraisablehook)\s*=(?!=)",
    ),
    _trick(
        "error-swallowed",
        "hides every error",
        "Handle the cause, or catch the one exception that is expected and say why",
        r"\bexcept(?:\s+\(?(?:Base)?Exception\)?(?:\s+as\s+\w+)?)?\s*:\s*(?:#[^\n]*)?\s*(?:pass|\.\.\.|continue)\s*(?:#|$)",
        r"\bsuppress\([^()]*\b(?:Base)?Exception\b|\bcatch\s*(?:\([^)]*\))?\s*\{(?:\s|//[^\n]*|/\*.*?\*/)*\}",
        r"\.catch\(\s*(?:\(\s*\w*\s*\)|\w+)\s*=>\s*(?:\{\s*\}|undefined)\s*\)|\bdefer func\(\)\s*\{\s*(?:_ = )?recover\(\)\s*\}",
        r"\bprocess\.on\(\s*['\"](?:uncaughtException|unhandledRejection)['\"]\s*,\s*(?:\([^)]*\)|\w+)\s*=>\s*\{\s*\}",
        r"\bcatch\s*\(\s*(?:final\s+)?(?:Exception|Throwable|RuntimeException)\s+\w+\s*\)\s*\{\s*(?:return\b[^;{}]*|continue|break);\s*\}",
    ),
    _trick(
        "invisible-characters",
        "adds characters that nobody sees or that reorder the text",
        "Write them as escapes",
        r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f]",
    ),
    _trick(
        "checks-silenced",
        "silences a checker",
        "Write code the checker accepts",
        r"#\s*noqa\b|#\s*pragma:\s*no cover|\beslint-disable|//\s*nolint\b|@SuppressWarnings\b|#\s*nosec\b",
    ),
)
_TEST_TRICKS = (
    _trick(
        "tests-weakened",
        "skips a test",
        "Let every test run",
        r"\b(?:it|test|describe|suite|context)(?:\.\w+)*\.(?:skip|skipIf|runIf|only|todo|fails|failing)\b",
        r"(?<![.\w])f(?:it|describe)\s*\(\s*['\"`]",
        r"\bx(?:context|specify)\(|\b(?:this|ctx|t|context)\.(?:skip|todo)\(|(?<![.\w])pending\(",
        r"[{,]\s*(?:skip|todo|only)\s*:\s*(?:true\b|!0|[1-9]|['\"`])",
        r"\b(?:it|test|describe|suite)\s*\[\s*['\"`](?:skip|only|todo)",
        r"@(?:Disabled|Enabled)(?:On|If|For)|@Test\([^)]*\benabled\s*=\s*false\b",
        r"\bassum(?:e|ing)(?:True|False|That|NotNull|NoException)\(|^//(?:go:build|\s*\+build)\s",
    ),
)
"""What is ordinary in a program and suspicious in a test."""
_PROGRAM_TRICKS = (
    _trick(
        "checks-silenced",
        "silences a checker",
        "Write code the checker accepts",
        r"#\s*type:\s*ignore|#\s*pylint:\s*disable|#\s*mypy:\s*ignore|#\s*pyright:\s*(?:ignore|basic)",
        r"@ts-(?:ignore|nocheck|expect-error)\b|\bNOSONAR\b|\b(?:istanbul|c8|v8) ignore\b|\bbiome-ignore\b",
    ),
)
"""What is ordinary in a test, which hands over what no type allows, and suspicious in a program."""
_SWALLOWS = next(trick for trick in _TRICKS if trick.rule == "error-swallowed")
_RUNNER_IMPORT = lazy_pattern(r"^\s*(?:import|from)\s+(?:unittest|_?pytest|nose2?)\b", re.MULTILINE)


def check_weakening(path: str, before: str, after: str) -> None:
    """Refuse a file that holds more of such a pattern after a fix than before it.

    It sees plain attempts; the comparison of test runs is what holds.
    """
    if lost := Counter(inline_tests(before)) - Counter(inline_tests(after)):
        raise Refused(
            f"{path}: the fix changes or removes the test {_title(next(iter(lost)))!r} of that file, and tests "
            "decide whether a fix is right. Fix the problem in the program's own code instead.",
            rule="tests-weakened",
        )
    for trick in (*_TRICKS, *(_TEST_TRICKS if is_test(path) else _PROGRAM_TRICKS)):
        if len(trick.pattern.findall(after)) > len(trick.pattern.findall(before)):
            raise Refused(f"{path}: the fix {trick.what}. {trick.remedy}.", rule=trick.rule)
    if path.endswith(".py") and swallowed(after) > swallowed(before):
        raise Refused(f"{path}: the fix {_SWALLOWS.what}. {_SWALLOWS.remedy}.", rule=_SWALLOWS.rule)
    if not is_test(path) and len(_RUNNER_IMPORT.findall(after)) > len(_RUNNER_IMPORT.findall(before)):
        raise Refused(
            f"{path}: the fix imports the test runner into the program. Put tests into test files.",
            rule="tests-weakened",
        )


def _title(test: str) -> str:
    """Return the line that names a test, or its first."""
    lines = test.split("\n")
    return next((line for line in lines if not line.startswith(("#[", "@"))), lines[0])[:100]
