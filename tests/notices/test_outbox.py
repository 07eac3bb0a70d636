"""Messages wait in the store and go out in order: merged when late or many, to each target on its own."""

import threading
from datetime import timedelta
from itertools import pairwise

from aiops_core.errors import NotYet, Retry, UserError
from aiops_core.records import RecipientResult
from aiops_core.text.report import render_text, report_data

MAIL = ["deliver"]


def test_messages_go_out_one_by_one_while_their_target_takes_them(scene):
    shop = scene()
    for key in "abc":
        shop.tell(key)

    shop.work(MAIL)

    assert shop.titles() == ["a", "b", "c"]


def test_the_most_urgent_goes_first(scene):
    shop = scene()
    for key, severity in (("a", "info"), ("b", "error"), ("c", "critical")):
        shop.tell(key, severity)

    shop.work(MAIL)

    assert shop.titles() == ["c", "b", "a"]


def test_what_waited_for_a_target_that_was_away_goes_out_merged_and_in_order(scene):
    shop = scene()
    shop.trouble(Retry("away"))
    shop.tell("a", "info")
    shop.work(MAIL)
    for key, severity in (("b", "info"), ("c", "critical"), ("d", "error")):
        shop.tell(key, severity)
    shop.wait(MAIL, minutes=2)
    shop.trouble(None)

    shop.wait(MAIL, minutes=5)

    first, digest = shop.got()
    assert (first.key, digest.kind, digest.severity) == ("a", "digest", "critical")
    assert [part.key for part in digest.parts] == ["b", "c", "d"]


def test_a_message_is_tried_under_one_key_and_what_came_meanwhile_is_another(scene):
    shop = scene()
    for key in "ab":
        shop.tell(key)
    shop.clock.now += timedelta(minutes=1)  # late: both are one message
    shop.trouble(Retry("away"))
    shop.work(MAIL)
    shop.tell("c")
    shop.wait(MAIL, minutes=3)
    shop.trouble(None)
    shop.wait(MAIL, minutes=3)

    assert {report.key for report in shop.tried()[:-1]} == {"digest/shop/mail/1"}
    assert [[part.key for part in report.parts] for report in shop.got()] == [["a", "b"], []]


def test_a_target_that_is_away_is_asked_once_a_time_however_much_there_is_to_tell(scene):
    shop = scene()
    shop.trouble(Retry("away"))
    for number in range(50):
        shop.tell(f"{number}")

    shop.wait(MAIL, minutes=2, seconds=30)

    assert len(shop.tried()) == 3


def test_a_target_that_is_away_keeps_nobody_else_waiting(scene):
    shop = scene(names=("mail", "chat"))
    shop.trouble(Retry("away", after=3600))
    shop.tell("a")
    shop.work(MAIL)
    shop.tell("b")

    shop.work(MAIL)

    assert shop.titles("chat") == ["a", "b"]
    assert shop.states() == {"mail": ["failed", "waiting"], "chat": ["sent", "sent"]}


def test_tries_are_as_far_apart_as_the_notifier_says_and_then_ever_farther_up_to_a_quarter_of_an_hour(scene):
    shop = scene()
    shop.trouble(Retry("away"))
    shop.tell("a")
    times = []
    for _ in range(9):
        before = len(shop.tried())
        while len(shop.tried()) == before:
            shop.clock.now += timedelta(seconds=1)
            shop.work(MAIL)
        times.append(shop.clock.now)

    apart = [round((later - sooner).total_seconds() / 60) for sooner, later in pairwise(times)]
    assert apart == [1, 1, 1, 2, 4, 8, 15, 15]


def test_after_a_day_it_is_given_up_and_another_target_is_told(scene):
    shop = scene(names=("mail", "chat"))
    shop.trouble(Retry("away"))
    shop.tell("a")

    shop.wait(MAIL, hours=23, minutes=50)
    assert shop.states()["mail"] == ["failed"]
    assert shop.got("chat")[-1].title == "aiops itself: notifier mail fails"
    assert shop.got("chat")[-1].text == (
        "mail took nothing in 3 attempts: away. It is tried on; 'aiops deliveries list' shows what waits"
    )
    shop.wait(MAIL, minutes=30)

    assert shop.states() == {"mail": ["dead"], "chat": ["sent", "sent", "sent"]}
    told = shop.got("chat")[-1]
    assert (told.kind, told.title) == ("fault", "aiops itself: notifier mail")
    assert told.text == (
        "delivery 1 to mail was given up: away. Send it again with 'aiops deliveries retry 1'"
    )


def test_what_waited_behind_a_message_that_is_given_up_has_its_own_day_and_not_another_one(scene):
    shop = scene()
    shop.trouble(Retry("away"))
    for key in "abcd":
        shop.tell(key)
        shop.wait(MAIL, hours=3)

    shop.wait(MAIL, hours=23)

    dead = shop.store.deliveries.list("dead")
    ages = [(row.updated_at - row.created_at).total_seconds() / 3600 for row in dead]
    assert len(ages) == 4
    assert 24 <= min(ages) <= max(ages) < 25


def test_what_a_target_could_not_be_told_while_nothing_ran_is_not_given_up_at_the_first_try(scene):
    shop = scene()
    shop.tell("a")
    shop.clock.now += timedelta(days=3)
    shop.trouble(Retry("away"))
    shop.work(MAIL)
    assert shop.states()["mail"] == ["failed"]

    shop.trouble(None)
    shop.wait(MAIL, minutes=2)

    assert shop.titles() == ["a"]


def test_the_fallback_is_told_of_what_waits_behind_a_message_in_trouble(scene):
    shop = scene(names=("mail", "chat"), more=ROUTE)
    shop.trouble(Retry("away"))
    shop.tell("a")
    shop.wait(MAIL, minutes=10)

    shop.tell("b")
    shop.wait(MAIL, minutes=16)

    assert shop.titles("chat") == ["a", "b"]
    assert shop.states()["mail"] == ["failed", "waiting"]


def test_a_message_that_is_refused_for_good_holds_up_no_other(scene):
    shop = scene(names=("mail", "chat"))
    shop.trouble(UserError("no such channel"))
    shop.tell("a")
    shop.work(MAIL)
    shop.trouble(None)
    shop.tell("b")

    shop.work(MAIL)

    assert shop.states()["mail"] == ["dead", "sent"]


ROUTE = "    routes: [{to: mail, fallback: chat}]"


def test_the_fallback_is_told_once_the_tries_are_used_up_and_the_target_itself_when_it_is_back(scene):
    shop = scene(names=("mail", "chat"), more=ROUTE)
    shop.trouble(Retry("away"))
    shop.tell("a")
    shop.wait(MAIL, minutes=1, seconds=30)
    assert shop.titles("chat") == []

    shop.wait(MAIL, minutes=5)
    shop.trouble(None)
    shop.wait(MAIL, minutes=15)

    assert (shop.titles("chat"), shop.titles("mail")) == (["a"], ["a"])


def test_the_fallback_is_told_at_once_of_what_is_refused(scene):
    shop = scene(names=("mail", "chat"), more=ROUTE)
    shop.trouble(UserError("no such channel"))
    shop.tell("a")

    shop.work(MAIL)

    assert [report.kind for report in shop.got("chat")] == ["incident", "fault"]


def test_a_recipient_that_was_served_is_named_to_the_next_try_and_the_others_go_on(scene):
    shop = scene()
    served = RecipientResult("ann@example.org", True, "250 ok")
    shop.trouble(Retry("bob is not served yet", after=300, served=[served]))
    shop.tell("a")
    shop.work(MAIL)
    shop.trouble(None)
    shop.tell("b")

    shop.work(MAIL)
    shop.wait(MAIL, minutes=6)

    assert shop.titles() == ["b", "a"]
    assert shop.logs["mail"].served == [{}, {}, {"ann@example.org": served}]


def test_who_was_served_is_known_after_a_restart(scene):
    shop = scene()
    served = RecipientResult("ann@example.org", True)
    shop.trouble(Retry("later", served=[served]))
    shop.tell("a")
    shop.work(MAIL)
    shop.close()

    again = scene(clock=shop.clock)
    again.wait(MAIL, minutes=2)

    assert again.logs["mail"].served == [{"ann@example.org": served}]


def test_a_message_whose_turn_has_not_come_loses_no_try(scene):
    shop = scene()
    shop.trouble(NotYet("20 a minute", after=3))
    shop.tell("a")
    shop.work(MAIL)
    shop.trouble(None)

    shop.wait(MAIL, seconds=4)

    assert shop.titles() == ["a"]
    assert shop.store.deliveries.get(1).attempts == 1


STORM = "    notices: {storm: {messages: 3, within: 5m}}"


def test_above_a_rate_there_is_one_digest_instead_of_messages(scene):
    shop = scene(more=STORM)
    for number in range(40):
        shop.tell(f"{number:02}")
        shop.wait(MAIL, seconds=1)

    shop.wait(MAIL, minutes=10)

    assert [report.kind for report in shop.got()] == ["incident"] * 3 + ["digest"]
    assert len(shop.got()[-1].parts) == 37


def test_a_long_storm_stays_within_the_rate(scene):
    shop = scene(more=STORM)
    times = []
    for number in range(120):
        shop.tell(f"{number:03}")
        before = len(shop.got())
        shop.wait(MAIL, seconds=10)
        times += [shop.clock.now] * (len(shop.got()) - before)
    shop.wait(MAIL, minutes=10)

    told = [part.key for report in shop.got() for part in (report.parts or [report])]
    assert told == sorted(told)
    assert len(told) == 120
    assert all(sum(at <= one < at + timedelta(minutes=4, seconds=50) for one in times) <= 3 for at in times)


def test_a_notifier_for_programs_gets_every_report_by_itself(scene):
    shop = scene(more=STORM, names=("mail", "pager"), single=("pager",))
    for number in range(9):
        shop.tell(str(number))

    shop.work(MAIL)

    assert (len(shop.got("mail")), len(shop.got("pager"))) == (3, 9)


def test_what_a_storm_holds_back_is_on_the_trail_of_its_incident(scene):
    shop = scene(more="    notices: {storm: {messages: 1, within: 5m}}")
    incidents = [shop.happen(name) for name in ("f1", "f2")]
    shop.wait(seconds=30)

    assert len(shop.got()) == 1
    assert ("storm", "notices.storm") in shop.rules(incidents[0]) + shop.rules(incidents[1])
    shop.wait(minutes=5)
    assert len(shop.got()) == 2


def test_a_digest_says_what_its_messages_say_and_of_very_many_the_gravest(scene):
    shop = scene()
    for number in range(30):
        shop.tell(f"n{number}", "critical" if number == 17 else "error")
    shop.clock.now += timedelta(minutes=1)
    shop.work(MAIL)

    (digest,) = shop.got()
    text = render_text(digest)
    assert digest.title == "30 messages in one"
    assert "12:00 critical: n17" in text
    assert text.count("12:00 ") == 19
    assert "… and 11 more: aiops incidents list" in text
    assert [part["key"] for part in report_data(digest, limit=1000)["parts"]] == [f"n{n}" for n in range(30)]


def test_a_notifier_that_never_answers_is_left_and_not_asked_again_before_it_has(scene, monkeypatch):
    shop = scene()
    monkeypatch.setattr("aiops_core.respond.outbox._limit", lambda step: 0.05)
    shop.logs["mail"].hangs = hangs = threading.Event()
    shop.tell("a")

    shop.wait(MAIL, minutes=3)
    assert (len(shop.tried()), shop.states()) == (1, {"mail": ["failed"]})
    assert "an earlier message has no answer yet" in shop.store.deliveries.get(1).error
    hangs.set()
    shop.responder.telling.outbox._asked["shop", "mail"].join(5)
    shop.wait(MAIL, minutes=5)

    assert (len(shop.tried()), shop.states()) == (2, {"mail": ["sent"]})
