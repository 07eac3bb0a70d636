"""Whether: silences, maintenance windows, and causes that hide their effects."""

from datetime import datetime, timedelta

import pytest
from notice_scene import NOON

from aiops_core.cli import cli
from aiops_core.errors import UserError
from aiops_core.notices import Match
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

HOUR = timedelta(hours=1)


@pytest.fixture
def typed(tmp_path, capsys):
    def type_(*arguments):
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


def kinds(shop, name="mail"):
    return [report.kind for report in shop.got(name)]


def silence(shop, hours=1, **match):
    return shop.store.silences.add(Match.model_validate(match), shop.clock() + hours * HOUR, "deploy", "ann")


def test_what_is_silenced_waits_and_is_told_at_the_end_when_it_is_still_there(scene):
    shop = scene()
    shop.responder.recover()
    silence(shop, service="pay*")
    shop.happen("f1", service="payment")
    shop.happen("f2", service="cart")

    shop.wait(minutes=50)
    assert [report.incident.fingerprint for report in shop.got()] == ["f2"]
    shop.wait(minutes=15)

    assert [report.incident.fingerprint for report in shop.got()] == ["f2", "f1"]


def test_what_is_over_when_the_silence_ends_is_not_told(scene):
    shop = scene(every=5)
    shop.responder.recover()
    silence(shop, type="*")
    incident = shop.happen()
    shop.wait(minutes=30)
    shop.happen(status="resolved")

    shop.wait(hours=1)

    assert shop.got() == []
    assert ("outdated", "silences") in shop.rules(incident)


def test_what_is_silenced_is_counted_and_on_the_trail(scene, typed):
    shop = scene(names=("mail", "chat"))
    number = silence(shop, type="*")
    shop.happen()
    shop.wait(minutes=5)

    (row,) = shop.store.silences.active()
    assert (row.id, row.count) == (number, 2)
    out = typed("why", "1")
    assert "held back until 2026-05-04 13:00 UTC: silence 1 (deploy, by ann): type=*" in out
    assert "setting: aiops silence remove 1" in out


def test_a_silence_that_is_removed_lets_go_at_once(scene):
    shop = scene()
    number = silence(shop, type="*")
    shop.happen()
    shop.wait(minutes=5)
    assert shop.got() == []

    assert shop.store.silences.end(number) == 1
    shop.work()

    assert kinds(shop) == ["incident"]


def test_a_silence_holds_back_what_waits_already_from_the_next_moment_on(scene):
    shop = scene(more="    notices: {wait: 1m}")
    shop.happen()
    shop.wait(seconds=30)
    silence(shop, type="*")

    shop.wait(minutes=30)

    assert shop.got() == []


def test_what_two_silences_hide_waits_for_the_later_one(scene):
    shop = scene()
    silence(shop, hours=1, type="*")
    silence(shop, hours=2, severity="error")
    shop.happen()

    shop.wait(minutes=90)
    assert shop.got() == []
    shop.wait(minutes=40)
    assert kinds(shop) == ["incident"]


def test_reminders_of_a_silenced_problem_do_not_pile_up(scene):
    shop = scene(every=10)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=5)
    silence(shop, hours=12, type="*")
    for _ in range(12):
        shop.happen()
        shop.wait(hours=1)

    shop.wait(minutes=30)

    assert kinds(shop) == ["incident", "fault", "reminder"]  # the silence is reminded of, too


def test_a_failure_of_the_pipeline_itself_is_silenced_by_its_kind_only(scene):
    shop = scene()
    silence(shop, severity="error")
    shop.responder.telling.fault("shop", "source", "the log is gone")
    shop.work()
    assert kinds(shop) == ["fault"]

    silence(shop, kind="fault")
    shop.responder.telling.fault("shop", "another source", "that log is gone")
    shop.work()
    assert kinds(shop) == ["fault"]


WINDOW = """\
    silences:
      - {when: {service: cart, hours: "14:30-15:30", zone: Europe/Berlin}, why: backup}
"""


def test_a_window_comes_again_each_day_and_what_it_hides_is_told_after_it(scene):
    shop = scene(more=WINDOW)
    for day in range(2):
        shop.clock.now = NOON + timedelta(days=day, minutes=35)  # 14:35 in Berlin
        shop.happen(f"f{day}", service="cart")
        shop.wait(minutes=50)
        assert len(shop.got()) == day
        shop.wait(minutes=10)
        assert len(shop.got()) == day + 1

    assert ("silence", "silences[0]") in shop.rules(1)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[{when: {service: a}, why: x}]", "would never end. Write hours or days in 'when'"),
        ('[{when: {hours: "1:00-2:00"}}]', "why"),
        ('[{when: {hours: "1:00-2:00", zone: Nowhere}, why: x}]', "Nowhere"),
    ],
)
def test_a_window_that_cannot_work_is_refused(tmp_path, written, expected):
    text = f"pipelines:\n  shop:\n    sources: [stdin]\n    silences: {written}\n"

    assert expected in run_pipeline(text, {}, tmp_path).error


def test_silences_are_added_listed_and_removed_by_command(tmp_path, typed):
    Store.open(tmp_path / "state").close()

    out = typed("silence", "add", "service=pay*", "severity=warning,info", "attributes.env=prod",
                "--for", "2h", "--why", "new pump", "--by", "ann")  # fmt: skip

    assert out.startswith("silence 1: until 20")
    assert "in the last 24 hours it would have held back 0 messages" in out
    listed = typed("silence", "list")
    assert "0 messages held back  severity=warning,info service=pay* env=prod" in listed
    assert "new pump (ann, " in listed
    assert typed("silence", "remove", "1") == "silence 1: ended, 0 messages waited for it\n"
    assert typed("silence", "list") == "no silences\n"
    assert "ended" in typed("silence", "list", "--all")


def test_a_new_silence_says_what_it_would_have_held_back(scene, tmp_path, typed):
    shop = scene()
    shop.clock.now = datetime.now(NOON.tzinfo)
    shop.happen(service="cart")
    shop.wait(seconds=30)

    preview = typed("silence", "add", "service=cart", "--for", "1h", "--why", "x", "--preview")
    nothing = typed("silence", "list")
    out = typed("silence", "add", "service=cart", "--for", "1h", "--why", "x")

    assert "in the last 24 hours it would have held back 1 message\n" in out
    assert (preview.splitlines()[0], nothing) == (out.splitlines()[1], "no silences\n")
    assert "  incident 1: " in preview.splitlines()[1]


def test_a_silence_for_later_holds_back_in_its_window_only(scene):
    shop = scene()
    shop.store.silences.add(
        Match(service=["cart"]), NOON + timedelta(hours=4), "pump", "ann", starts_at=NOON + timedelta(hours=2)
    )

    shop.responder.recover()
    shop.happen("before", service="cart")
    shop.wait(minutes=150)
    shop.happen("within", service="cart")
    shop.wait(minutes=30)
    within = [report.incident.fingerprint for report in shop.got()]
    shop.wait(minutes=65)

    (silence,) = shop.store.silences.list()
    assert (silence.begins_at, silence.remind_at) == (NOON + timedelta(hours=2), NOON + timedelta(hours=3.6))
    assert (within, silence.count) == (["before"], 1)
    assert [report.incident.fingerprint for report in shop.got()] == ["before", "within"]


def test_a_silence_for_later_is_listed_and_can_be_removed_before_it_begins(tmp_path, typed):
    Store.open(tmp_path / "state").close()

    out = typed(
        "silence", "add", "service=cart", "--from", "2999-01-01T22:00+00:00", "--for", "2h", "--why", "pump"
    )
    listed = typed("silence", "list")

    assert out.startswith("silence 1: from 2999-01-01 22:00:00Z until 2999-01-02 00:00:00Z\n")
    assert "from 2999-01-01 22:00:00Z until 2999-01-02 00:00:00Z" in listed
    assert typed("silence", "remove", "1") == "silence 1: ended, 0 messages waited for it\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["service", "--for", "1h", "--why", "x"],
            "service: no matcher. Write NAME=VALUE, as in service=pay*",
        ),
        (["servce=a", "--for", "1h", "--why", "x"], "Write one of severity, kind, service, owner"),
        (
            ["service=a", "--for", "soon", "--why", "x"],
            "--for soon: no duration. Write a number and m, h or d",
        ),
        (["service=a", "--for", "0m", "--why", "x"], "--for 0m: is no time. Write more"),
        (
            ["service=a", "--for", "1h", "--from", "22:00", "--why", "x"],
            "--from 22:00: no time. Write day and time",
        ),
        (["service=a", "--for", "1h", "--from", "2001-01-01", "--why", "x"], "--from 2001-01-01: is over"),
        (["service=a", "--until-resolved", "--from", "2999-01-01", "--why", "x"], "Write --for with a time"),
    ],
)
def test_a_silence_that_is_mistyped_is_refused(tmp_path, typed, arguments, expected):
    Store.open(tmp_path / "state").close()

    with pytest.raises(UserError) as refused:
        typed("silence", "add", *arguments)

    assert expected in str(refused.value)


def test_ending_a_silence_that_does_not_hold_is_refused(scene):
    with pytest.raises(UserError, match=r"^silence 7: none holds now\. `aiops silence list` shows"):
        scene().store.silences.end(7)


INHIBIT = """\
    inhibit:
      - {source: {type: "Errordatabase"}, target: {type: "Errorquery*"}, equal: [host]}
"""


def test_a_cause_hides_its_effect_while_it_is_open_and_only_where_they_belong_together(scene):
    shop = scene(more=INHIBIT)
    shop.responder.recover()
    shop.happen("database", host="db-1")
    shop.wait(minutes=1)
    hidden = shop.happen("query1", host="db-1")
    shop.happen("query2", host="db-2")
    shop.wait(minutes=10)

    told = [report.incident.fingerprint for report in shop.got()]
    assert told == ["database", "query2"]
    assert ("inhibition", "inhibit[0]") in shop.rules(hidden)
    shop.happen("database", host="db-1", status="resolved")
    shop.wait(minutes=10)

    assert "query1" in [report.incident.fingerprint for report in shop.got() if report.incident]


def test_a_cause_that_was_silent_for_an_hour_hides_nothing_any_more(scene):
    shop = scene(more=INHIBIT, every=10)
    shop.happen("database", host="db-1")
    shop.wait(minutes=50)
    shop.happen("query1", host="db-1")

    shop.wait(minutes=5)
    assert len(shop.got()) == 1
    shop.wait(minutes=10)
    assert len(shop.got()) == 2


def test_an_incident_does_not_hide_itself(scene):
    shop = scene(more="    inhibit: [{source: {severity: error}, target: {severity: error}, equal: host}]")
    shop.happen(host="db-1")

    shop.wait(minutes=1)

    assert kinds(shop) == ["incident"]


def test_what_a_message_waits_for_is_shown_with_the_deliveries(scene, typed):
    shop = scene()
    silence(shop, type="*")
    shop.happen()
    shop.wait(minutes=1)

    assert "waits until 2026-05-04 13:00:00Z: silence 1" in typed("deliveries", "list")
    assert "mail: waiting after 0 attempts. silence 1 until 2026-05-04 13:00:00Z" in typed("why", "1")


def test_people_are_reminded_of_a_silence_that_hides_something_before_it_ends(scene, caplog):
    caplog.set_level("INFO")
    shop = scene(every=30)
    shop.responder.recover()
    silence(shop, hours=10, service="pay*")
    silence(shop, hours=10, service="nothing")
    shop.happen("f1", service="payment")

    shop.wait(hours=7, minutes=59)
    before = kinds(shop)
    shop.wait(hours=1)

    assert before == []
    [report] = shop.got()
    assert report.kind == "fault"
    assert report.text.startswith(
        "silence 1 (service=pay*: deploy, by ann) ends at 2026-05-04 22:00 UTC. It has held back "
    )
    assert "'aiops silence remove 1'" in report.text
    assert {one.levelname for one in caplog.records if "ends at" in one.getMessage()} == {"INFO"}
    shop.wait(hours=2)
    assert len(shop.got()) > 1


def test_a_silence_until_resolved_ends_when_what_it_hides_is_over(scene, typed):
    shop = scene(every=5)
    shop.responder.recover()
    incident = shop.happen("f1", service="payment")
    shop.wait(minutes=1)
    ends_at = shop.clock() + 100 * HOUR
    match = Match.model_validate({"service": "pay*"})
    shop.store.silences.add(match, ends_at, "known", "ann", until_resolved=True)
    shop.happen("f2", service="payment")
    shop.wait(hours=3)
    held = kinds(shop)

    for fingerprint in ("f1", "f2"):
        shop.happen(fingerprint, status="resolved")
    shop.wait(minutes=10)

    assert (incident, held) == (1, ["incident"])
    assert shop.store.silences.active() == []


def test_a_silence_until_resolved_needs_something_open_and_says_when_it_ends_at_the_latest(scene, typed):
    scene()
    with pytest.raises(UserError) as refused:
        typed("silence", "add", "type=Never", "--until-resolved", "--why", "known")
    with pytest.raises(UserError) as endless:
        typed("silence", "add", "type=Never", "--why", "known")

    assert str(refused.value) == "type=Never: no open incident matches. Write --for with a time instead"
    assert str(endless.value) == "--for: how long? A silence always ends: write --for 2h, or --until-resolved"


def test_why_tells_what_held_a_report_of_a_failure_back(scene, typed):
    shop = scene()
    shop.responder.recover()
    silence(shop, hours=10, kind="fault")
    shop.responder.telling.fault("shop", "notifier chat", "chat took nothing")

    shop.wait(minutes=2)

    said = typed("why", "faults")
    assert "shop: chat took nothing\n  1 time, first " in said
    assert "held back until 2026-05-04 22:00 UTC: silence 1 (deploy, by ann): kind=fault\n" in said
    assert "setting: aiops silence remove 1" in said
    assert "mail: waiting after 0 attempts. silence 1 until" in said
