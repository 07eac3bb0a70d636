import sys
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from aiops_core.analysis import IncidentMatch
from aiops_core.records import Event, Frame, Incident, RaisedException

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = Event(
    "OrderFailed",
    "order 7",
    headline="ERROR could not check out",
    block="Traceback …\nKeyError: 'price'",
    exceptions=(
        RaisedException("shop.errors.OrderFailed", "order 7", (Frame("/app/shop/app.py", 3, "checkout"),)),
        RaisedException(
            "KeyError", "'price'", (Frame("C:\\app\\shop\\cart.py", 9, "Cart.total"),), "cause", 0
        ),
    ),
)
INCIDENT = Incident(
    1, "p", "abcdef123456", "t", "OrderFailed", "order 7", "python", "error", "new", 3, NOW, NOW, (EVENT,)
)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"type": "OrderFailed"}, True),
        ({"type": "shop.errors.OrderFailed"}, True),
        ({"type": "errors.OrderFailed"}, True),
        ({"type": "KeyError"}, True),
        ({"type": "Failed"}, False),
        ({"message": r"order \d+"}, True),
        ({"message": "^KeyError: 'price'$"}, False),
        ({"message": "(?m)^KeyError: 'price'$"}, True),
        ({"message": "check out"}, True),
        ({"message": "Traceback"}, False),
        ({"text": "Traceback"}, True),
        ({"text": "order 7"}, False),
        ({"function": "total"}, True),
        ({"function": "Cart.total"}, True),
        ({"function": "tot"}, False),
        ({"file": "shop/cart.py"}, True),
        ({"file": "/shop/app.py"}, True),
        ({"file": "op/app.py"}, False),
        ({"fingerprint": "abcdef"}, True),
        ({"fingerprint": "bcdef1"}, False),
        ({"type": "KeyError", "function": "total", "file": "cart.py", "message": "price"}, True),
        ({"type": "KeyError", "function": "missing"}, False),
    ],
)
@pytest.mark.parametrize("engine", ["re2", "re"])
def test_every_given_key_must_fit(match, fits, engine, monkeypatch):
    if engine == "re":
        monkeypatch.setitem(sys.modules, "re2", None)

    assert IncidentMatch.model_validate(match).fits(INCIDENT) is fits


def test_an_incident_without_events_is_matched_by_what_it_has():
    from aiops_core import replace

    bare = replace(INCIDENT, events=())

    assert IncidentMatch(type="OrderFailed").fits(bare)
    assert not IncidentMatch(function="total").fits(bare)


@pytest.mark.parametrize(
    ("match", "says"),
    [
        (
            {},
            "it would fit every incident: give at least one of type, message, text, function, file, fingerprint",
        ),
        ({"message": "("}, "'(' is no regular expression"),
        ({"message": "(?=x)"}, "(look-around and back-references are not known here)"),
        ({"fingerprint": "abc"}, "String should match pattern"),
        ({"typo": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_match_that_cannot_work_is_refused(match, says):
    pytest.importorskip("re2", reason="google-re2 has no wheel here")
    with pytest.raises(ValidationError) as caught:
        IncidentMatch.model_validate(match)

    assert says in caught.value.errors()[0]["msg"]


def test_a_hostile_pattern_costs_linear_time():
    pytest.importorskip("re2", reason="google-re2 has no wheel here")
    from aiops_core import replace

    long = replace(INCIDENT, message="a" * 100_000 + "b", events=())

    assert not IncidentMatch(message="(a+)+$").fits(long)
