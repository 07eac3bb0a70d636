import sys

import pytest

from aiops_core import Event, Frame, RaisedException
from aiops_core.settings import GroupingRule
from aiops_core.text.fingerprint import Part, fingerprint
from aiops_core.text.grouping import Grouping


def line(message, detector="levels"):
    return Event(type="LogError", message=message, detector=detector)


def trace(type_, file="/app/vendor/pool.py"):
    raised = RaisedException(type_, "x", (Frame(file=file, function="get"),))
    return Event(type=type_, message="x", language="python", detector="python", exceptions=(raised,))


@pytest.fixture(params=["re2", "re"])
def engine(request, monkeypatch):
    if request.param == "re":
        monkeypatch.setitem(sys.modules, "re2", None)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        (GroupingRule(message="disk .* full", key="disks"), line("disk a full"), line("disk b is very full")),
        (GroupingRule(type="Timeout$", key="slow"), trace("ReadTimeout"), trace("WriteTimeout")),
        (GroupingRule(path="/vendor/", key="vendor"), trace("KeyError"), trace("ValueError")),
        (GroupingRule(detector="levels", key="log"), line("a"), line("b")),
        (GroupingRule(mask=["tenant [a-z]+"]), line("tenant acme is out"), line("tenant bolt is out")),
        (GroupingRule(message="é", key="letters"), line("é\ud800"), line("é b")),
    ],
)
def test_what_a_rule_holds_for_is_one_problem(rule, one, other):
    grouping = Grouping([rule])

    assert fingerprint(one) != fingerprint(other)
    assert grouping.fingerprint(one) == grouping.fingerprint(other)


@pytest.mark.parametrize(
    "rule",
    [
        GroupingRule(message="disk", type="Other", key="disks"),
        GroupingRule(detector="regex", key="disks"),
        GroupingRule(path="/vendor/", key="disks"),
        GroupingRule(message="cpu", mask=["[a-z]+"]),
    ],
)
def test_an_event_no_rule_holds_for_stays_as_it_is(rule):
    assert Grouping([rule]).fingerprint(line("disk a full")) == fingerprint(line("disk a full"))


def test_the_first_rule_with_a_key_decides():
    one, other = GroupingRule(message="a", key="first"), GroupingRule(message="b", key="second")
    grouping = Grouping([GroupingRule(mask=["a"]), one, other])

    assert grouping.parts(line("a b")) == [Part("rule", "grouping[1]", "first")]
    assert grouping.fingerprint(line("b")) == Grouping([other]).fingerprint(line("b"))


def test_a_fingerprint_of_the_detector_gives_way_to_a_key_only():
    own = Event(type="x", message="m 1", detector="d", fingerprint="mine")

    assert Grouping().fingerprint(own) == "mine"
    assert Grouping([GroupingRule(mask=["m"])]).fingerprint(own) == "mine"
    assert Grouping([GroupingRule(type="x", key="k")]).fingerprint(own) != "mine"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"message": "a("}, "'a(' is no regular expression"),
        (
            {"mask": ["(?<=a)b"]},
            "'(?<=a)b' is no regular expression (look-around and back-references are not",
        ),
        ({"message": "a"}, "a rule has either a 'key' or a 'mask'. Write one of them"),
        (
            {"message": "a", "key": "k", "mask": ["b"]},
            "a rule has either a 'key' or a 'mask'. Write one of them",
        ),
        ({"key": "k"}, "would make one incident of all events. Add detector, type, message or path"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(written, message):
    with pytest.raises(ValueError, match="1 validation error") as caught:
        GroupingRule(**written)

    assert message in str(caught.value)
