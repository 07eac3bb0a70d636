"""The good answer while something else goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repair_matrix.answers.writing import OPENED, Made, explained, fixed, said, tested
from repair_matrix.services import Found


def infrastructure(found: Found) -> Iterator[Made]:
    """Yield the good answer while something else goes wrong."""
    text = explained(found) + fixed(found) + tested(found)

    def with_(trouble: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
        return said(text, trouble=trouble, **more)

    right = {**OPENED, "files": sorted([found.bug.path, found.new_test])}
    failed = {"expect": "blocked:publish-failed"}
    yield (
        "I1push-refused",
        with_({"git": 403}),
        {"expect": "blocked:failed-repair", "says": "refuses this token"},
    )
    yield (
        "I2push-missing",
        with_({"git": 404}),
        {"expect": "blocked:failed-repair", "says": "no such repository"},
    )
    yield "I3push-declined", with_({"push": ["GH006: Protected branch update failed"]}), failed
    yield (
        "I3push-workflow",
        with_(
            {
                "push": [
                    "refusing to allow a GitHub App to create or update workflow without `workflows` permission"
                ]
            }
        ),
        failed,
    )
    yield "I4outage", with_({"call": "creating", "kind": "outage"}), right
    yield "I4outage-after", with_({"call": "creating", "kind": "outage", "after": True}), right
    yield "I5forbidden", with_({"call": "creating", "kind": "forbidden"}), failed
    yield "I5expired", with_({"call": "creating", "kind": "expired"}), failed
    yield "I6again", with_({"repeat": 2}), right
    points = (
        "step_begun:2",
        "step_done:1",
        "step_done:3",
        "step_ended:3",
        "before_effect:1",
        "after_effect:1",
        "after_effect:2",
    )
    for point in points:
        yield f"I8kill-{point.replace(':', '-')}", with_({"kill": point}), right
    yield "I9overloaded", {"turns": [{"error": 529}, {"text": text}]}, right
    yield "I9error", {"turns": [{"error": 500}, {"text": text}]}, right
    yield "I9unauthorised", {"turns": [{"error": 401}]}, {"expect": "blocked:unanswered"}
