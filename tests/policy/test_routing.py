"""Whom: the first route whose conditions hold decides, and says so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from response_scene import PIPELINE, RECORDED, REPAIR, answer, shop, trace

from aiops_core.cli import cli
from aiops_core.notices import Route, When
from aiops_core.policy import Matter, Target, holds_now, matter_of, remarks_on, routed
from aiops_core.records import Analysis, Event, Evidence, Frame, Incident, RaisedException, Report
from aiops_core.testing.pipeline import run_pipeline

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # a Monday
NAMES = ("mail", "chat", "phone", "boss")


def routes(*written):
    return [Route.model_validate(one) for one in written]


def whom(written, matter, now=NOON):
    return [target.name for target in routed(routes(*written), NAMES, matter, now, UTC).targets]


def matter(severity="error", **fields):
    return Matter("incident", severity, **fields)


def test_without_routes_every_notifier_is_told():
    found = routed([], NAMES, matter(), NOON, UTC)

    assert (found.targets, found.decision) == (tuple(map(Target, NAMES)), None)


def test_the_first_route_that_takes_a_message_decides():
    written = [{"when": {"severity": "critical"}, "to": ["phone", "mail"]}, {"to": "mail"}]

    assert whom(written, matter("critical")) == ["phone", "mail"]
    assert whom(written, matter("info")) == ["mail"]


def test_a_route_that_passes_on_lets_later_ones_take_the_message_too_and_nobody_is_told_twice():
    written = [
        {"when": {"severity": "critical"}, "to": "phone", "fallback": "boss", "pass_on": True},
        {"to": ["mail", "phone"]},
    ]

    found = routed(routes(*written), NAMES, matter("critical"), NOON, UTC)

    assert found.targets == (Target("phone", "boss"), Target("mail"))


def test_a_message_no_route_takes_is_a_decision():
    found = routed(routes({"when": {"severity": "critical"}, "to": "phone"}), NAMES, matter(), NOON, UTC)

    assert found.targets == ()
    assert (found.decision.rule, found.decision.setting) == ("route", "routes")
    assert (
        found.decision.text == "told to nobody: no route takes a message of kind incident and severity error"
    )


def test_routes_that_are_never_asked_and_notifiers_that_no_one_names_are_remarked_on():
    written = [
        {"when": {"severity": "critical"}, "to": "phone", "fallback": "boss"},
        {"when": {"severity": "critical"}, "to": "mail"},
        {"to": "mail"},
        {"when": {"service": "pay"}, "to": "mail"},
    ]

    assert list(remarks_on(routes(*written), NAMES)) == [
        "routes[1] is never asked: routes[0] (severity=critical) takes all it would",
        "routes[3] is never asked: routes[2] (everything) takes all it would",
        "chat is told of nothing but failures that no route takes: no route names it",
    ]


def test_routes_that_pass_on_and_a_pipeline_without_routes_are_not_remarked_on():
    written = [{"to": ["mail", "chat"], "pass_on": True}, {"to": "phone", "escalate": "boss"}]

    assert list(remarks_on(routes(*written), NAMES)) == []
    assert list(remarks_on([], NAMES)) == []


def test_the_decision_says_which_route_it_was_and_why():
    written = {"when": {"severity": ["critical", "error"], "attributes": {"env": "prod"}}, "to": "chat"}

    found = routed(routes(written), NAMES, matter(attributes={"env": "prod"}), NOON, UTC)

    assert found.decision.text == "told to chat: routes[0] (severity=critical,error env=prod)"


@pytest.mark.parametrize(
    ("condition", "fits", "not_"),
    [
        ({"severity": "fatal"}, {"severity": "critical"}, {"severity": "error"}),
        ({"confidence": 0.7}, {"confidence": 0.7}, {"confidence": 0.69}),
        ({"service": "pay*"}, {"services": ("payment",)}, {"services": ()}),
        ({"owner": ["ann", "bob"]}, {"owners": ("zoe", "bob")}, {"owners": ("zoe",)}),
        ({"path": "src/billing/*"}, {"paths": ("src/billing/a/b.py",)}, {"paths": ("src/shop.py",)}),
        ({"type": "*Timeout*"}, {"type": "ReadTimeoutError"}, {"type": "KeyError"}),
        ({"attributes": {"host": "web-?"}}, {"attributes": {"host": "web-1"}}, {"attributes": {}}),
        ({"title": "a [b]*"}, {"title": "a b"}, {"title": "ab"}),
    ],
)
def test_every_condition_lets_through_what_fits_and_nothing_else(condition, fits, not_):
    when = When.model_validate(condition)

    assert holds_now(when, matter(**fits), NOON, UTC)
    assert not holds_now(when, matter(**not_), NOON, UTC)


def test_all_conditions_of_a_route_must_hold():
    when = When.model_validate({"severity": "error", "service": "shop"})

    assert holds_now(when, matter(services=("shop",)), NOON, UTC)
    assert not holds_now(when, matter("critical", services=("shop",)), NOON, UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("06:59", True), ("07:00", False)],
)
def test_hours_over_midnight_begin_and_end_to_the_minute(at, expected):
    hour, minute = map(int, at.split(":"))
    when = When(hours="22:00-07:00", zone="Asia/Shanghai")
    local = datetime(2026, 5, 4, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))

    assert holds_now(when, matter(), local.astimezone(UTC), UTC) is expected


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    when = When(hours="22:00-07:00", days=["sun"])
    sunday = datetime(2026, 5, 3, 23, 0, tzinfo=UTC)

    assert [holds_now(when, matter(), sunday + timedelta(hours=n), UTC) for n in (-23, 0, 7, 24)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("day", "from_utc", "to_utc"),
    [
        ("2026-03-29", "06:00", "07:00"),  # clocks went forward at 02:00
        ("2026-03-28", "07:00", "08:00"),
        ("2026-10-25", "07:00", "08:00"),  # and back at 03:00
        ("2026-10-24", "06:00", "07:00"),
    ],
)
def test_hours_are_those_of_the_zones_clocks_summer_and_winter(day, from_utc, to_utc):
    when = When(hours="08:00-09:00", zone="Europe/Berlin")
    start, end = (datetime.fromisoformat(f"{day}T{at}:00+00:00") for at in (from_utc, to_utc))
    minute = timedelta(minutes=1)

    found = [holds_now(when, matter(), at, UTC) for at in (start - minute, start, end - minute, end)]

    assert found == [False, True, True, False]


def test_an_hour_the_clocks_skip_never_comes_and_one_they_repeat_comes_twice():
    when = When(hours="02:00-03:00", zone="Europe/Berlin")

    def minutes(day):
        start = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        moments = (start + timedelta(minutes=n) for n in range(180))
        return sum(holds_now(when, matter(), at, UTC) for at in moments)

    assert (minutes("2026-03-29"), minutes("2026-10-25"), minutes("2026-10-26")) == (0, 120, 60)


def test_a_message_is_about_what_its_incident_its_evidence_and_its_owners_say():
    frame = Frame("/srv/shop.py", 3, "total")
    event = Event(
        "KeyError",
        exceptions=(RaisedException("KeyError", frames=(frame,)),),
        path="/var/log/shop.log",
        attributes={"service": "shop", "team": "cart"},
    )
    incident = Incident(
        1, "p", "v1:a", "no price", "KeyError", "", "python", "error", "new", 1, NOON, NOON, (event,)
    )
    evidence = (Evidence("source", "s", "t", path="src/shop.py"), Evidence("log", "s", "t"))
    report = Report(
        "k",
        "incident",
        "p",
        "t",
        severity="critical",
        incident=incident,
        analysis=Analysis("t", "s", "r", confidence=0.4),
        evidence=evidence,
        owners=("ann",),
    )

    found = matter_of(report)

    assert (found.severity, found.confidence, found.services) == ("critical", 0.4, ("shop",))
    assert found.owners == ("cart", "ann")
    assert found.paths == ("/srv/shop.py", "/var/log/shop.log", "src/shop.py")


NOTIFIERS = """\
      - {uses: file, name: night, with: {path: ./night.jsonl}}
      - {uses: file, name: day, with: {path: ./day.jsonl}}
"""


def pipeline(routes_text):
    return PIPELINE.format(analyzers=RECORDED, notifiers=NOTIFIERS, repair="") + routes_text


def test_a_pipeline_tells_whom_its_routes_name_and_why_says_so(tmp_path, capsys):
    text = pipeline("    routes:\n      - {when: {severity: critical}, to: night}\n      - {to: [day]}\n")

    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    cli.main(["why", "1", "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)

    assert [(row.target, row.state) for row in done.deliveries] == [("day", "sent")]
    assert "told to day: routes[1] (everything)" in capsys.readouterr().out


def test_a_pipeline_whose_routes_take_nothing_tells_nobody_and_why_says_so(tmp_path, capsys):
    text = pipeline("    routes: [{when: {severity: critical}, to: night}]\n")

    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    cli.main(["why", "1", "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)

    assert done.deliveries == ()
    out = capsys.readouterr().out
    assert "told to nobody: no route takes a message of kind incident and severity error" in out
    assert "setting: routes" in out


BROKEN = """\
from aiops_core import Analyzer

class Broken(Analyzer):
    def analyze(self, incident, evidence):
        raise OSError("no model")
"""


def test_a_failure_of_the_pipeline_itself_that_no_route_takes_is_told_to_everybody(tmp_path):
    text = pipeline("    routes: [{when: {severity: critical}, to: night}]\n")
    text = text.replace(RECORDED, "      - ./broken.py:Broken")

    done = run_pipeline(text, {"shop.log": trace(), "broken.py": BROKEN}, tmp_path)

    assert {row.target for row in done.deliveries if row.report.kind == "fault"} == {"night", "day"}
    assert {row.target for row in done.deliveries if row.report.kind == "incident"} == set()


def test_who_codeowners_names_for_the_code_an_error_came_from_can_be_told(tmp_path):
    repository = shop(tmp_path / "git")
    repository.commit({"CODEOWNERS": "*.py @ann\n"})
    text = pipeline("    routes: [{when: {owner: ann}, to: day}, {to: night}]\n")
    text += REPAIR.format(remote=repository.remote, mode="dry_run")

    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)

    (delivery,) = (row for row in done.deliveries if row.report.kind == "incident")
    assert (delivery.target, delivery.report.owners) == ("day", ("ann",))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[{to: dya}]", "routes[0].to: no notifier is called 'dya'. Did you mean 'day'?"),
        (
            "[{to: day, fallback: x}]",
            "routes[0].fallback: no notifier is called 'x'. Name one of the notifiers above.",
        ),
        (
            "[{to: day, escalate: [boss]}]",
            "routes[0].escalate: no notifier is called 'boss'. Name one of the",
        ),
        ("[{to: []}]", "routes[0].to: is empty. Write at least one"),
        ("[{to: day, when: {servce: x}}]", "servce"),
        ("[{to: day, when: {hours: 25-26}}]", "are no hours: write from and until, as in 22:00-07:00"),
        ("[{to: day, when: {zone: Mars/Base}}]", "Mars/Base"),
        ("[{to: day, when: {severity: awful}}]", "severity"),
    ],
)
def test_a_route_that_cannot_work_is_refused_with_its_place(tmp_path, written, expected):
    done = run_pipeline(pipeline(f"    routes: {written}\n"), {"shop.log": ""}, tmp_path)

    assert expected in done.error
