"""One error through all its stages, for tests: block, event, incident, analysis, report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from aiops_core.records import (
    Analysis,
    Block,
    Change,
    Event,
    Evidence,
    Frame,
    Incident,
    Outcome,
    RaisedException,
    Report,
    TestRun,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
"""When all of it happened."""
_TRACE = """\
Traceback (most recent call last):
  File "shop/cart.py", line 7, in total
ValueError: no price"""
_REVIEW = "https://git.example.org/shop/pulls/17"


def block(text: str = _TRACE, **fields: Any) -> Block:  # Any: fields of a block
    """Return the block a detector would be given for these lines."""
    lines = tuple(text.removesuffix("\n").split("\n"))
    return replace(Block(lines, raw="\n".join(lines) + "\n", trigger=lines[0]), **fields)


def event(**fields: Any) -> Event:  # Any: fields of an event
    """Return an error of Python with one frame, with these fields set."""
    kind, message = fields.pop("type", "ValueError"), fields.pop("message", "no price")
    frames = (Frame("shop/cart.py", 7, "total", "shop.cart"),)
    made = Event(
        type=kind,
        message=message,
        severity="error",
        language="python",
        exceptions=(RaisedException(kind, message, frames),),
        occurred_at=NOON,
        read_at=NOON,
        attributes={"service": "checkout"},
        detector="python",
        path="/var/log/shop.log",
        block=_TRACE.replace("ValueError: no price", f"{kind}: {message}"),
        fingerprint="v1:abc",
        key="e1",
    )
    return replace(made, **fields)


def incident(**fields: Any) -> Incident:  # Any: fields of an incident
    """Return an incident of three events, with these fields set."""
    made = Incident(
        id=12,
        pipeline="shop",
        fingerprint="v1:abc",
        title="no price",
        type="ValueError",
        message="no price",
        language="python",
        severity="critical",
        state="new",
        count=3,
        first_seen=NOON,
        last_seen=NOON,
        events=(event(),),
    )
    return replace(made, **fields)


def evidence() -> list[Evidence]:
    """Return what an analyzer is given of it."""
    return [
        Evidence("log", "the log", _TRACE, id="E1"),
        Evidence(
            "source", "shop/cart.py", "def total(cart):\n    return cart.price", "E2", "shop/cart.py", 7
        ),
    ]


def analysis(**fields: Any) -> Analysis:  # Any: fields of an analysis
    """Return what an analyzer says of it, with these fields set."""
    made = Analysis(
        title="An item without a price stops the checkout",
        summary="The total cannot be computed.",
        root_cause="Nobody checks for a missing price.",
        repair_steps=("Skip such items.", "Tell the catalogue."),
        cited=("E1",),
        confidence=0.8,
        analyzer="claude",
    )
    return replace(made, **fields)


def report(**fields: Any) -> Report:  # Any: fields of a report
    """Return what people are told of it, with these fields set."""
    tests = TestRun("pytest -q", 0, 2.5, tests=12, sandbox="bubblewrap")
    made = Report(
        key="shop/v1:abc/run-1",
        kind="incident",
        pipeline="shop",
        title=analysis().title,
        severity="critical",
        incident=incident(),
        analysis=analysis(),
        change=Change("abc123", "main", (), "+x", None, tests),
        outcomes=(Outcome("done", "Opened #17.", _REVIEW, action="github_pull_request"),),
        created_at=NOON,
    )
    return replace(made, **fields)


def fault() -> Report:
    """Return what people are told of a failure of the pipeline itself."""
    return Report(
        key="fault/shop/source file/2026-05-04",
        kind="fault",
        pipeline="shop",
        title="aiops itself: source file failed",
        text="shop.log cannot be read.",
        created_at=NOON,
    )
