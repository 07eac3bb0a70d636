"""More incidents within a minute than may be: the gravest are analysed, those of one service are one for people."""

import pytest
from notice_scene import NOON

from aiops_core.cli import cli
from aiops_core.notices import Storm
from aiops_core.policy import sort_out
from aiops_core.store import Triaged
from aiops_core.text.report import render_text

ASKED = """\
from pathlib import Path
from aiops_core import Analysis, Analyzer

class Asked(Analyzer):
    def analyze(self, incident, evidence):
        with Path(self.context.directory, "asked").open("a") as asked:
            asked.write(incident.fingerprint + "\\n")
        return Analysis(f"Why {incident.type}", "s", "r", confidence=0.9)
"""
STORM = """\
    analyzers: ["./asked.py:Asked"]
    notices: {{storm: {{incidents: 5, analyse: 2{storm}}}, remind: 30m}}
"""


@pytest.fixture
def stormy(scene, tmp_path):
    def make(storm="", **options):
        (tmp_path / "asked.py").write_text(ASKED)
        shop = scene(more=STORM.format(storm=storm), **options)
        shop.responder.recover()
        return shop

    return make


@pytest.fixture
def typed(tmp_path, capsys):
    def type_(*arguments):
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


def asked(shop):
    path = shop.directory / "asked"
    return path.read_text().split() if path.exists() else []


def trail(shop, incident):
    return [one.text for one in shop.store.incidents.decisions(incident) if one.rule == "storm"]


def test_of_a_storm_the_gravest_are_analysed_and_the_others_told_as_they_are_in_one_message(stormy):
    shop = stormy()
    for number in range(8):
        shop.happen(f"f{number}")
    shop.happen("often", times=30)
    shop.happen("grave", severity="critical")

    shop.wait(minutes=1)
    assert sorted(asked(shop)) == ["grave", "often"]
    assert sorted(report.incident.fingerprint for report in shop.got()) == ["grave", "often"]
    shop.wait(minutes=5)

    (digest,) = [report for report in shop.got() if report.kind == "digest"]
    assert len(shop.got()) == 3
    assert sorted(part.incident.fingerprint for part in digest.parts) == [f"f{n}" for n in range(8)]
    assert "Not analysed, for it was a storm: 8. Ask for one: aiops incidents retry ID" in render_text(digest)
    assert trail(shop, 1) == [
        "no model is asked: more than 5 incidents came up within a minute, and only the 2 gravest are analysed; "
        "told by 2026-05-04 12:05:01 UTC with the others, as one message"
    ]
    assert ("storm", "notices.storm.analyse") in shop.rules(1)


def test_as_many_incidents_as_may_be_are_no_storm(stormy):
    shop = stormy()
    for number in range(5):
        shop.happen(f"f{number}")

    shop.wait(minutes=1)

    assert len(asked(shop)) == len(shop.got()) == 5


def test_what_was_left_out_is_analysed_when_somebody_asks(stormy):
    shop = stormy()
    for number in range(6):
        shop.happen(f"f{number}")
    shop.wait(minutes=1)
    assert sorted(asked(shop)) == ["f0", "f1"]

    shop.store.runs.create(6, "retry")
    shop.wait(minutes=1)

    assert asked(shop)[-1] == "f5"
    assert [report.incident.id for report in shop.got()][-1] == 6


def test_incidents_of_one_service_in_a_storm_are_one_for_people(stormy, typed):
    shop = stormy()
    for number in range(6):
        shop.happen(f"f{number}", service="checkout")
    head = shop.happen("often", times=9, service="checkout")
    other = shop.happen("other", service="billing")
    shop.wait(minutes=7)

    assert sorted(asked(shop)) == ["often", "other"]
    (digest,) = [report for report in shop.got() if report.kind == "digest"]
    assert sorted(report.incident.id for report in shop.got() if report.kind == "incident") == [head, other]
    assert digest.title == "6 messages about one incident"
    text = " ".join(render_text(digest).split())
    assert "Part of incident #7, 6 more of its service: Errorf0: no price (#1);" in text
    assert "(#5); …" in text
    assert "6 incidents of service checkout that came up with it are told as part of it" in trail(shop, head)
    assert trail(shop, 1)[0].startswith("part of incident 7, the gravest of service checkout in this storm")
    assert "  part of incident 7 since a storm; aiops incidents unmerge 1\n" in typed(
        "incidents", "show", "1"
    )
    assert "  with incident 1, 2, 3, 4, 5, 6 as part of it since a storm\n" in typed("incidents", "show", "7")
    assert typed("incidents", "list").count("part of 7") == 6
    assert "notices.storm.together" in typed("why", "1")


def test_what_came_up_later_or_has_no_service_is_told_for_itself(stormy):
    shop = stormy(", together: 10s")
    for number in range(4):
        shop.happen(f"early{number}", service="checkout")
    shop.happen("nameless1")
    shop.happen("nameless2")
    shop.wait(seconds=15)
    shop.happen("late", service="checkout")

    shop.wait(minutes=6)

    parts = shop.store.triage.parts([one.id for one in shop.store.incidents.list()])
    assert parts == {2: 1, 3: 1, 4: 1}


def test_of_what_is_part_of_another_people_are_reminded_when_that_is_over_or_it_is_taken_out(stormy, typed):
    shop = stormy(every=10)
    for number in range(6):
        shop.happen(f"f{number}", service="checkout")
    shop.wait(minutes=10)
    for number in range(6):
        shop.happen(f"f{number}", service="checkout")
    shop.wait(minutes=50)
    assert [report.incident.id for report in shop.got() if report.kind == "reminder"] == [1]

    assert typed("incidents", "unmerge", "2") == "incident 2 is no longer part of 1\n"
    shop.wait(minutes=60)
    assert {report.incident.id for report in shop.got() if report.kind == "reminder"} == {1, 2}
    shop.store.incidents.set_state(1, "resolved")
    shop.wait(minutes=60)

    assert {report.incident.id for report in shop.got() if report.kind == "reminder"} == set(range(1, 7))


def test_the_end_of_what_is_part_of_another_is_told_to_programs_only(stormy):
    shop = stormy(names=("mail", "pager"), single=("pager",))
    for number in range(6):
        shop.happen(f"f{number}", service="checkout")
    shop.wait(minutes=10)

    shop.happen("f3", status="resolved")
    shop.wait(minutes=10)

    assert [report.kind for report in shop.got("pager")].count("resolved") == 1
    assert "resolved" not in [report.kind for report in shop.got("mail")]
    assert shop.store.notices.changed("shop") == []


def test_a_storm_is_sorted_out_once_whoever_is_killed(stormy):
    shop = stormy()
    for number in range(9):
        shop.happen(f"f{number}", service=f"s{number % 3}")
    shop.clock.now = shop.store.queue.next_due(["run"])
    shop.responder.handle(shop.store.queue.lease(["run"], "killed", 60))
    before = shop.store.triage.going_on("shop")
    shop.close()

    again = stormy(clock=shop.clock)
    again.wait(minutes=10)

    assert (
        [one.verdict for one in before]
        == [one.verdict for one in again.store.triage._rows()]
        == ["analysed"] * 2 + ["raw"] + ["part"] * 6
    )
    assert len(asked(again)) == 2
    assert {state for states in again.states().values() for state in states} == {"sent"}


def test_a_storm_that_goes_on_has_so_many_analyses_until_it_is_over_and_each_incident_is_told(stormy):
    shop = stormy(every=10)
    for number in range(28):
        shop.happen(f"n{number:02}")
        shop.wait(seconds=8)

    assert len(asked(shop)) <= 5 + 2
    shop.wait(minutes=10)
    told = [part.incident.id for report in shop.got() for part in report.parts or (report,)]
    assert sorted(told) == list(range(1, 29))
    assert len([report for report in shop.got() if report.kind == "digest"]) == 1


def test_two_workers_at_once_sort_a_storm_out_once(stormy):
    shop = stormy()
    for number in range(6):
        shop.happen(f"f{number}")
    shop.clock.now = shop.store.queue.next_due(["run"])
    shop.responder.handle(shop.store.queue.lease(["run"], "one", 60))

    assert shop.store.triage.undecided("shop", 1, NOON) == []
    shop.store.triage.save([])
    assert len(shop.store.triage.going_on("shop")) == 6


def triaged(number, service="", severity="error", count=1):
    return Triaged(number, number, "shop", service, "raw", None, NOON, NOON, severity, count)


def test_what_is_part_of_the_greatest_adds_to_its_weight():
    storm = Storm(analyse=1)
    found = sort_out(
        [triaged(1, count=5), triaged(2, "cart", count=4), triaged(3, "cart", count=3)], [], storm
    )

    assert {one.incident_id: (one.verdict, one.part_of) for one in found} == {
        1: ("raw", None),
        2: ("analysed", None),
        3: ("part", 2),
    }


def test_newcomers_join_those_who_lead_already_but_for_graver_ones():
    known = [triaged(1, "cart").judged(analysed=True)]

    found = sort_out([triaged(2, "cart", count=99), triaged(3, "cart", "critical")], known, Storm())

    assert {one.incident_id: (one.verdict, one.part_of) for one in found} == {
        3: ("analysed", None),
        2: ("part", 1),
    }


def test_nothing_is_one_where_people_want_it_so():
    found = sort_out([triaged(1, "cart"), triaged(2, "cart")], [], Storm(together="0s", analyse=0))

    assert [one.verdict for one in found] == ["raw", "raw"]
