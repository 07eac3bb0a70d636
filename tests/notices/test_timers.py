"""When people are told: at first, again, of what became of it; and who is told next."""

from datetime import timedelta

import pytest
from notice_scene import NOON

from aiops_core.cli import cli
from aiops_core.text.report import render_text


@pytest.fixture
def typed(tmp_path, capsys):
    def type_(*arguments):
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


def kinds(shop, name="mail"):
    return [report.kind for report in shop.got(name)]


def minutes(shop, name="mail"):
    """Return after how many minutes each message was queued."""
    return [round((report.created_at - NOON).total_seconds() / 60) for report in shop.got(name)]


def keep_happening(shop, *, minutes, every=5, **event):
    for _ in range(0, minutes, every):
        shop.happen(**event)
        shop.wait(minutes=every)


def test_a_problem_is_told_once_however_often_it_occurs_within_the_hour(scene):
    shop = scene()

    keep_happening(shop, minutes=55)

    assert kinds(shop) == ["incident"]


def test_what_goes_on_is_reminded_of_ever_more_rarely_up_to_a_limit(scene):
    shop = scene(every=5, more="    notices: {remind: 15m, remind_at_most: 2h}")
    shop.responder.recover()

    keep_happening(shop, minutes=8 * 60 + 20, every=7)

    assert kinds(shop) == ["incident", *["reminder"] * 6]
    assert [round(at / 5) * 5 for at in minutes(shop)] == [0, 15, 45, 105, 225, 345, 465]


def test_nobody_is_reminded_of_what_does_not_go_on(scene):
    shop = scene(every=20)
    shop.responder.recover()
    shop.happen()

    shop.wait(hours=5)

    assert kinds(shop) == ["incident"]


def test_a_reminder_says_how_often_it_came_since_and_how_to_take_it_on(scene):
    shop = scene()
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=30)
    shop.happen(times=4)
    shop.wait(minutes=40)

    report = shop.got()[-1]
    assert report.title.startswith("Reminder: ")
    assert report.text == (
        "It goes on: 4 more since the last message, 5 in all. Take it on: aiops incidents ack 1"
    )
    assert "No analyzer could answer" not in render_text(report)


def test_reminders_speak_chinese_where_the_pipeline_does(scene):
    shop = scene(more="    language: zh")
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=30)
    shop.happen(times=4)
    shop.wait(minutes=40)

    assert shop.got()[-1].title.startswith("提醒：")
    assert "自上一条消息以来又出现 4 次，共 5 次" in shop.got()[-1].text


def test_whoever_takes_an_incident_on_ends_the_reminders_until_he_gives_it_back(scene, typed):
    shop = scene(every=10)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=10)

    assert typed("incidents", "ack", "1", "--by", "ann") == "incident 1: acknowledged by ann\n"
    keep_happening(shop, minutes=180)
    assert kinds(shop) == ["incident"]
    assert "acknowledged by ann, 2026-" in typed("incidents", "show", "1")
    assert "acknowledged by ann: nobody is reminded, nobody else is told" in typed("why", "1")
    shop.store.notices.unacknowledge(1)
    shop.wait(minutes=11)

    assert kinds(shop) == ["incident", "reminder"]
    assert typed("incidents", "unack", "1") == "incident 1: not acknowledged any more\n"
    assert "acknowledged by ann, " not in typed("incidents", "show", "1").split("decisions")[0]


def test_a_problem_that_ends_is_told_to_those_who_were_told_of_it(scene):
    shop = scene(
        names=("mail", "chat", "log"),
        more='    routes: [{when: {hours: "11:00-13:00", zone: UTC}, to: [mail, chat]}, {to: log}]',
    )
    shop.responder.recover()
    shop.happen()
    shop.wait(hours=1, minutes=5)
    shop.happen(status="resolved")
    shop.wait(minutes=2)

    assert kinds(shop, "mail") == kinds(shop, "chat") == ["incident", "resolved"]
    assert kinds(shop, "log") == []
    last = shop.got("mail")[-1]
    assert last.incident.state == "resolved"
    assert last.title.startswith("Resolved: ")
    assert last.text.startswith("It is over after one event, at 2026-05-04 12:00:00 UTC.")


def test_what_nothing_was_heard_of_for_long_is_resolved_and_back_again_regressed(scene):
    shop = scene(every=10, more="    notices: {resolve_after: 3h}")
    shop.responder.recover()
    shop.happen()
    shop.wait(hours=2, minutes=55)
    assert shop.store.incidents.get(1).state == "new"
    shop.wait(minutes=31)
    assert shop.store.incidents.get(1).state == "resolved"

    shop.happen()
    shop.wait(minutes=2)

    assert kinds(shop) == ["incident", "resolved", "incident"]
    assert shop.store.incidents.get(1).state == "regressed"


def test_a_problem_that_comes_and_goes_is_told_rarely_and_in_the_end_as_it_is(scene):
    shop = scene(every=3)
    shop.responder.recover()
    for _ in range(30):
        shop.happen()
        shop.wait(minutes=1)
        shop.happen(status="resolved")
        shop.wait(minutes=1)

    shop.wait(minutes=30)

    assert kinds(shop)[0] == "incident"
    assert 3 <= len(kinds(shop)) <= 8
    assert {rule for rule, _ in shop.rules()} >= {"dedup", "outdated"}
    shop.wait(hours=3)
    last = shop.got()[-1]
    assert (last.parts or (last,))[-1].incident.state == shop.store.incidents.get(1).state == "resolved"


@pytest.mark.parametrize(("severity", "cool"), [("critical", 1), ("error", 5), ("warning", 15), ("info", 60)])
def test_news_of_an_incident_wait_until_its_severity_has_cooled_down(scene, severity, cool):
    shop = scene()
    shop.responder.recover()
    shop.happen(severity=severity)
    shop.wait(seconds=10)
    shop.happen(severity=severity, status="resolved")

    shop.wait(minutes=cool - 0.5)
    assert kinds(shop) == ["incident"]
    shop.wait(minutes=2)

    assert kinds(shop) == ["incident", "resolved"]
    assert cool == 1 or ("cool-down", "notices.cool_down") in shop.rules()


def test_one_cool_down_may_hold_for_all(scene):
    shop = scene(more="    notices: {cool_down: 30s}")
    shop.responder.recover()
    shop.happen(severity="info")
    shop.wait(seconds=10)
    shop.happen(severity="info", status="resolved")

    shop.wait(minutes=2)

    assert kinds(shop) == ["incident", "resolved"]


def test_what_becomes_graver_waits_for_nothing(scene):
    shop = scene(more="    notices: {cool_down: 1h}")
    shop.responder.recover()
    shop.happen(severity="info")
    shop.wait(minutes=3)
    shop.store.incidents.set_state(1, "resolved")
    shop.wait(minutes=3)
    shop.happen(severity="critical")

    shop.wait(minutes=1)

    assert [report.severity for report in shop.got()] == ["info", "critical"]


def test_what_people_ask_for_waits_for_nothing(scene):
    shop = scene()
    shop.happen()
    shop.wait(seconds=10)
    shop.store.runs.create(1, "retry")

    shop.wait(seconds=10)

    assert kinds(shop) == ["incident", "incident"]


def test_the_first_message_waits_and_is_not_sent_when_all_is_over_by_then(scene):
    shop = scene(more="    notices: {wait: 10m}")
    shop.responder.recover()
    shop.happen("stays")
    shop.happen("passes")
    shop.wait(minutes=9)
    shop.happen("passes", status="resolved")
    assert kinds(shop) == []

    shop.wait(minutes=30)

    assert [report.incident.fingerprint for report in shop.got()] == ["stays"]
    (passed,) = [one.id for one in shop.store.incidents.list() if one.fingerprint == "passes"]
    assert {("wait", "notices.wait"), ("outdated", "notices.wait")} <= set(shop.rules(passed))


def test_an_error_that_becomes_more_frequent_is_told_once_and_calms_down(scene):
    shop = scene()
    shop.responder.recover()
    keep_happening(shop, minutes=50, every=10)
    assert shop.store.incidents.get(1).state == "ongoing"
    for _ in range(10):
        shop.happen(times=10)
        shop.wait(minutes=1)

    assert shop.store.incidents.get(1).state == "escalating"
    assert kinds(shop) == ["incident", "escalating"]
    assert shop.got()[-1].text.startswith("It becomes more frequent: ")
    shop.wait(minutes=30)
    assert shop.store.incidents.get(1).state == "ongoing"
    assert ("state", "notices.escalating") in [
        (one.rule, one.setting) for one in shop.store.incidents.decisions(1)
    ]


def test_a_steady_error_and_a_new_one_do_not_escalate(scene):
    shop = scene()
    shop.responder.recover()
    for _ in range(90):
        shop.happen("steady", times=10)
        shop.wait(minutes=1)
    shop.happen("fresh", times=500)
    shop.wait(minutes=2)

    assert {one.fingerprint: one.state for one in shop.store.incidents.list()} == {
        "steady": "ongoing",
        "fresh": "new",
    }


def test_a_problem_that_comes_and_goes_keeps_no_other_waiting(scene):
    shop = scene()
    for _ in range(20):
        shop.happen("noisy", severity="critical")
        shop.happen("noisy", severity="critical", status="resolved")
    shop.happen("noisy", severity="critical")
    shop.happen("rare", severity="info")

    shop.wait(seconds=1)
    assert [report.incident.fingerprint for report in shop.got()] == ["noisy", "rare"]
    for _ in range(5):
        shop.happen("noisy", severity="critical", status="resolved")
        shop.happen("noisy", severity="critical")
        shop.wait(["run"], seconds=2)
    shop.happen("noisy", severity="critical", status="resolved")
    shop.happen("noisy", severity="critical")
    shop.happen("other", severity="info")
    shop.clock.now += timedelta(seconds=2)
    taken = [shop.store.queue.lease(["run"], "scene", 60) for _ in range(2)]

    runs = [shop.store.incidents.get(shop.store.runs.get(job.payload["run"]).incident_id) for job in taken]
    assert [incident.fingerprint for incident in runs] == ["other", "noisy"]


CHAIN = "    routes: [{to: mail, escalate: [chat, phone], escalate_after: 15m}]"
ALL = ("mail", "chat", "phone")


def test_while_nobody_acknowledges_the_next_is_told_and_then_the_one_after(scene):
    shop = scene(names=ALL, more=CHAIN)
    shop.responder.recover()
    shop.happen()

    shop.wait(minutes=14)
    assert [len(shop.got(name)) for name in ALL] == [1, 0, 0]
    shop.wait(minutes=2)
    assert [len(shop.got(name)) for name in ALL] == [1, 1, 0]
    shop.wait(minutes=15)
    assert [len(shop.got(name)) for name in ALL] == [1, 1, 1]
    shop.wait(hours=1)
    assert [len(shop.got(name)) for name in ALL] == [1, 1, 1]
    told = shop.got("chat")[0]
    assert told.kind == "incident"
    assert told.text == "Nobody acknowledged this within 15m. Take it on: aiops incidents ack 1"
    assert ("escalate", "routes.escalate") in shop.rules()


def test_an_acknowledgement_ends_the_chain(scene, typed):
    shop = scene(names=ALL, more=CHAIN)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=16)
    assert "phone is told 2026-05-04 12:30" in typed("incidents", "show", "1")

    typed("incidents", "ack", "1")
    shop.wait(hours=1)

    assert [len(shop.got(name)) for name in ALL] == [1, 1, 0]


def test_all_who_were_told_hear_that_it_is_over(scene):
    shop = scene(names=ALL, more=CHAIN)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=16)
    shop.happen(status="resolved")

    shop.wait(minutes=10)

    assert [kinds(shop, name)[-1:] for name in ALL] == [["resolved"], ["resolved"], []]


def test_nobody_is_told_next_before_the_first_could_have_known(scene):
    shop = scene(names=ALL, more=f"{CHAIN}\n    notices: {{wait: 1h}}")
    shop.responder.recover()
    shop.happen()

    shop.wait(minutes=59)

    assert [len(shop.got(name)) for name in ALL] == [0, 0, 0]
    shop.wait(minutes=10)
    assert [len(shop.got(name)) for name in ALL] == [1, 0, 0]
    shop.wait(minutes=10)
    assert [len(shop.got(name)) for name in ALL] == [1, 1, 0]


def test_timers_go_on_after_a_restart_and_fire_once(scene):
    shop = scene(names=ALL, more=CHAIN)
    shop.responder.recover()
    shop.happen()
    shop.wait(minutes=14)
    shop.happen()
    shop.close()

    again = scene(names=ALL, more=CHAIN, clock=shop.clock)
    again.responder.recover()
    again.wait(minutes=50)

    assert [kinds(again, name) for name in ALL] == [[], ["incident"], ["incident"]]
