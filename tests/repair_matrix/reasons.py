"""Reasons as others call them: a guess at which rules of ours somebody else's word means."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_OURS: Mapping[str, Collection[str]] = {
    "path-unsafe": (
        "traversal",
        "path-traversal",
        "unsafe-path",
        "outside-repository",
        "absolute-path",
        "escape",
    ),
    "path": (
        "unknown-path",
        "path-not-found",
        "ambiguous-path",
        "unresolved-path",
        "absolute-path",
        "outside-repository",
    ),
    "protected-path": (
        "protected",
        "ci",
        "ci-config",
        "workflow",
        "deny-path",
        "denied-path",
        "forbidden-path",
    ),
    "lock-file": ("lockfile", "lock"),
    "search": (
        "ambiguous",
        "ambiguous-search",
        "no-match",
        "search-not-found",
        "search-mismatch",
        "not-unique",
    ),
    "unanswered": (
        *(
            "malformed",
            "truncated",
            "cut-off",
            "refusal",
            "refused",
            "invalid-answer",
            "invalid-json",
            "no-answer",
        ),
        *("unparseable", "empty", "empty-answer", "max-tokens", "timeout"),
    ),
    "tests": (
        *("tests-failed", "tests-fail", "test-failure", "failing-tests", "regression", "newly-failing"),
        *("verification", "verification-failed", "timeout"),
    ),
    "tests-weakened": (
        *(
            "test-weakening",
            "weakened-tests",
            "test-deleted",
            "tests-deleted",
            "test-modified",
            "tests-modified",
        ),
        *("test-skipped", "tests-skipped", "test-tampering", "runner-config", "test-config"),
    ),
    "error-swallowed": ("swallowed", "swallowed-exception", "exception-swallowed", "swallows-exception"),
    "invisible-characters": ("bidi", "zero-width", "hidden-characters", "invisible", "unicode", "homoglyph"),
    "secret": ("secrets", "secret-added", "secret-leak", "credential", "credentials"),
    "new-dependency": ("dependency", "dependencies", "new-dependencies", "typosquat", "manifest"),
    "new-capability": (
        "network",
        "code-execution",
        "dynamic-code",
        "exfiltration",
        "environment",
        "obfuscation",
    ),
    "not-text": ("binary",),
    "no-op": ("noop", "no-change", "no-changes", "empty-diff"),
    "no-edits": ("no-edit", "abstain", "abstained"),
    "confidence": ("low-confidence",),
    "infrastructure": ("infra", "infrastructure-cause"),
    "max-files": ("too-many-files", "too-large", "diff-budget", "diff-too-large", "budget"),
    "max-lines": ("too-many-lines", "too-large", "diff-budget", "diff-too-large", "budget"),
    "size": ("too-large", "too-many-files", "diff-too-large"),
    "ask": ("approval", "approval-required", "needs-approval"),
}


def usual_reason(text: str) -> str:
    """Return a reason in the spelling of ours: lower case, with hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.strip().lower()).strip("-")


def means(expected: str, ours: str) -> bool:
    """Return whether a reason that is expected is one of ours, by its name or another's."""
    return expected == ours or expected in _OURS.get(ours, ())
