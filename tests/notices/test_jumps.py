"""The clock of the machine jumps: no message comes early, late, twice or never."""

from datetime import UTC, datetime, timedelta

import pytest
from notice_scene import NOON, Clock

from aiops_core.budget import Amount, AtMost
from aiops_core.errors import Retry
from aiops_core.notices import Match
from aiops_core.records import Report
from aiops_core.store import Cap, Shortage, Store, Uptime, until_time

JUMPS = pytest.mark.parametrize(
    "jump", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)], ids=str
)
ALL = ("mail", "chat")
DOWN = """\
from aiops_core import Analyzer, Retry

class Down(Analyzer):
    def analyze(self, incident, evidence):
        raise Retry("the model is down", after=600)
"""
MORE = "    routes: [{to: mail, escalate: chat, escalate_after: 15m}]\n    notices: {remind: 40m}"


@pytest.fixture
def shop(scene):
    made = scene(every=5, names=ALL, more=MORE)
    made.responder.recover()
    return made


def play(shop, jump=timedelta(0), at=7):
    """Let an incident go on for two hours; return who took what and when, by minutes that passed."""
    seen = []
    for minute in range(0, 80):
        if minute == at:
            shop.clock.jump(seconds=jump.total_seconds())
        if minute % 10 == 0:
            shop.happen()
        before = {name: len(shop.got(name)) for name in ALL}
        shop.wait(minutes=1)
        seen += [(name, report.kind, minute + 1) for name in ALL for report in shop.got(name)[before[name] :]]
    return seen


def test_without_a_jump_people_are_told_reminded_and_the_next_is_told(shop):
    assert play(shop) == [("mail", "incident", 1), ("chat", "incident", 16), ("mail", "reminder", 56)]


@JUMPS
def test_a_jump_makes_no_message_come_early_late_twice_or_never(shop, jump):
    expected = [("mail", "incident", 1), ("chat", "incident", 16), ("mail", "reminder", 56)]

    found = play(shop, jump, at=50)

    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert all(abs(one[2] - other[2]) <= 1 for one, other in zip(found, expected, strict=True))


@JUMPS
def test_a_jump_while_nobody_runs_is_noticed_at_the_next_start(scene, jump):
    shop = scene(names=ALL, more=MORE)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=5)
    shop.close()
    shop.clock.jump(seconds=jump.total_seconds())

    again = scene(names=ALL, more=MORE, clock=shop.clock)
    again.responder.recover()
    again.wait(minutes=9)
    assert again.got("chat") == []
    again.wait(minutes=3)

    assert [len(again.got(name)) for name in ALL] == [0, 1]


@JUMPS
def test_a_target_that_is_away_is_tried_as_often_as_without_a_jump(scene, jump):
    shop = scene()
    shop.trouble(Retry("away"))
    shop.tell("a")
    shop.wait(minutes=20)
    tries = len(shop.tried())
    shop.clock.jump(seconds=jump.total_seconds())
    shop.wait(seconds=30)
    assert len(shop.tried()) == tries
    shop.trouble(None)

    shop.wait(minutes=16)

    assert shop.titles() == ["a"]
    assert shop.states() == {"mail": ["sent"]}


@JUMPS
def test_a_silence_and_a_storm_last_as_long_as_without_a_jump(scene, jump):
    shop = scene(more="    notices: {storm: {messages: 1, within: 20m}}")
    shop.store.silences.add(Match(fingerprint=["f1"]), shop.clock() + timedelta(minutes=30), "x", "ann")
    shop.happen("f1")
    shop.happen("f2")
    shop.happen("f3")
    shop.wait(minutes=5)
    shop.clock.jump(seconds=jump.total_seconds())

    shop.wait(minutes=10)
    assert len(shop.got()) == 1
    shop.wait(minutes=40)

    told = [part.incident.fingerprint for one in shop.got() for part in (one.parts or (one,))]
    assert sorted(told) == ["f1", "f2", "f3"]


@JUMPS
def test_the_first_message_waits_and_news_cool_down_as_long_as_without_a_jump(scene, jump):
    shop = scene(more="    notices: {wait: 10m, cool_down: 20m}")
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=1)
    shop.clock.jump(seconds=jump.total_seconds())
    shop.wait(minutes=8)
    assert shop.got() == []
    shop.wait(minutes=3)
    assert [report.kind for report in shop.got()] == ["incident"]

    shop.clock.jump(seconds=jump.total_seconds())
    shop.happen(status="resolved")
    shop.wait(minutes=15)
    assert len(shop.got()) == 1
    shop.wait(minutes=8)

    assert [report.kind for report in shop.got()] == ["incident", "resolved"]


@JUMPS
def test_a_budget_of_a_day_lasts_a_day_of_time_that_passes(scene, jump):
    shop = scene()
    shop.happen()
    shop.wait(minutes=1)
    cap = Cap("pipeline", Amount(calls=1), "policy.budget.per_day")
    assert isinstance(shop.store.spending.reserve(1, "asked", AtMost("m", 1, 0.1), [cap]), int)
    shop.clock.jump(seconds=jump.total_seconds())
    shop.store.jumps.settle()

    shop.clock.now += timedelta(hours=23)
    assert isinstance(shop.store.spending.reserve(1, "asked", AtMost("m", 1, 0.1), [cap]), Shortage)
    shop.clock.now += timedelta(hours=1, minutes=1)

    assert isinstance(shop.store.spending.reserve(1, "asked", AtMost("m", 1, 0.1), [cap]), int)


@JUMPS
def test_people_wait_for_an_analysis_as_long_as_without_a_jump(scene, tmp_path, jump):
    (tmp_path / "down.py").write_text(DOWN)
    shop = scene(more='    analyzers: ["./down.py:Down"]\n    policy: {tell_within: 10m}')
    shop.happen()
    shop.wait(minutes=3)
    shop.clock.jump(seconds=jump.total_seconds())

    shop.wait(minutes=6)
    assert {report.kind for report in shop.got()} == {"fault"}
    shop.wait(minutes=3)

    assert [report.kind for report in shop.got()] == ["fault", "incident"]


@JUMPS
def test_what_is_ignored_for_a_time_is_so_as_long_as_without_a_jump(scene, jump):
    shop = scene()
    shop.happen()
    shop.wait(minutes=1)
    shop.store.incidents.set_state(1, "ignored", until=until_time(shop.clock() + timedelta(hours=2)))
    shop.clock.jump(seconds=jump.total_seconds())
    shop.store.jumps.settle()

    shop.clock.now += timedelta(minutes=110)
    shop.happen()
    assert shop.store.incidents.get(1).state == "ignored"
    shop.clock.now += timedelta(minutes=20)
    shop.happen()

    assert shop.store.incidents.get(1).state == "regressed"


@JUMPS
def test_a_storm_of_incidents_is_over_as_late_as_without_a_jump(scene, jump):
    shop = scene(more="    notices: {storm: {incidents: 2, analyse: 0, within: 20m}}")
    for name in ("f1", "f2", "f3"):
        shop.happen(name)
    shop.wait(minutes=5)
    shop.clock.jump(seconds=jump.total_seconds())

    shop.wait(minutes=14)
    assert shop.got() == []
    shop.wait(minutes=3)

    assert [report.kind for report in shop.got()] == ["digest"]


@JUMPS
def test_a_job_somebody_works_on_stays_his(scene, jump):
    shop = scene()
    shop.tell("a")
    job = shop.store.queue.lease(["deliver"], "me", 60)
    shop.clock.jump(seconds=jump.total_seconds())

    assert shop.store.queue.lease(["deliver"], "you", 60) is None

    shop.store.queue.finish(job)


@JUMPS
def test_a_jump_makes_no_error_look_more_frequent(scene, jump):
    shop = scene()
    shop.responder.recover()
    for minute in range(0, 75, 3):
        if minute == 66:
            shop.clock.jump(seconds=jump.total_seconds())
        shop.happen(times=15)
        shop.wait(minutes=3)

    assert {report.kind for report in shop.got()} <= {"incident", "reminder"}
    assert shop.store.incidents.get(1).state == "ongoing"


@pytest.mark.parametrize(
    ("began", "minutes"),
    [
        pytest.param(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), 45, id="an hour is left out"),
        pytest.param(datetime(2026, 10, 24, 23, 45, tzinfo=UTC), 165, id="an hour comes twice"),
    ],
)
def test_summer_and_winter_time_make_no_message_come_early_late_twice_or_never(scene, began, minutes):
    night = 'silences: [{when: {hours: "01:30-03:30", zone: Europe/Berlin}, why: backup}]'
    shop = scene(more=f"    {night}\n    notices: {{remind: 4h}}", every=10, clock=Clock(began))
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=minutes - 1)
    assert shop.got() == []
    shop.wait(minutes=2)
    assert [report.kind for report in shop.got()] == ["incident"]
    shop.happen()
    shop.wait(hours=4, minutes=5)

    assert [report.kind for report in shop.got()] == ["incident", "reminder"]


def test_a_clock_that_is_set_right_by_seconds_did_not_jump(scene):
    shop = scene()
    shop.store.jumps.settle()
    shop.clock.jump(seconds=20)

    assert shop.store.jumps.settle() == timedelta(0)


def test_after_the_machine_was_started_anew_nobody_knows_of_a_jump(tmp_path):
    times = iter([Uptime("one", 10.0), Uptime("two", 5.0), Uptime("two", 5.0)])
    with Store.open(tmp_path / "state", clock=lambda: NOON, uptime=lambda: next(times)) as store:
        assert [store.jumps.settle() for _ in range(3)] == [timedelta(0)] * 3


def test_times_that_are_not_set_stay_so_and_others_keep_their_form(scene):
    shop = scene()
    report = Report("a", "fault", "shop", "t")
    shop.store.deliveries.plan(None, None, "mail", report, "a", due_at=NOON + timedelta(microseconds=5_000))
    shop.store.jumps.settle()
    shop.clock.jump(days=1)

    shop.store.jumps.settle()

    row = shop.store.deliveries.get(1)
    assert (row.wanted_at, row.due_at) == (None, NOON + timedelta(days=1, microseconds=5_000))
