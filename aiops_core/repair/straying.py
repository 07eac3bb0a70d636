"""What a fix changes that its incident does not lead to: a person looks at that first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiops_core.records import Analysis, Change, Evidence, Question
from aiops_core.repair.layout import is_test

_NAMED = 5


def straying(
    change: Change, analysis: Analysis, evidence: Sequence[Evidence]
) -> tuple[tuple[Question, str], ...]:
    """Ask about files that neither the trace nor the repair steps name, and that are no tests."""
    traced = {item.path for item in evidence if item.path and not item.id.startswith("X")}
    steps = set(re.split(r"[^\w./+@-]+", " ".join(analysis.repair_steps)))
    named = steps | {step.rstrip(".") for step in steps}
    paths = (file.path for file in change.files)
    found = [path for path in paths if path not in traced and path not in named and not is_test(path)]
    if not found:
        return ()
    names = ", ".join(found[:_NAMED]) + (" …" if len(found) > _NAMED else "")
    return (("outside-trace", f"it changes files that the trace does not lead to: {names}"),)
