"""Times that stand in a log without a zone, and events that are too old to be answered."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from aiops_core.catalogue import Catalogue
from aiops_core.cli import cli
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.testing import run_pipeline
from aiops_core.text.blocks import Cutter
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Streak
from aiops_core.text.timestamps import LOCAL, zone_named

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRACE = 'Traceback (most recent call last):\n  File "/app/cart.py", line 7, in total\n    f()\nValueError: order {n}\n'
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python, levels]
    timezone: Asia/Shanghai
"""


def detect(text, zone, names=("python", "levels")):
    """Return the events of a log whose times are of ``zone``."""
    catalogue = Catalogue()
    steps = [(name, catalogue.load("detectors", name, None)()) for name in names]
    detection = Detection(steps, zone=zone)
    cutter = Cutter(detection.grammar, 0)
    batch = LogBatch("shop", text.encode(), ((0, {}),), path="shop.log")
    events, repeats = [], 0
    for claims in (cutter.feed(batch.data)[0], cutter.flush()):
        for claim in claims:
            found = detection.events(claim, batch=batch)
            repeats += len(found) if isinstance(claim, Repeat | Streak) else 0
            events += found
    return events, repeats


@pytest.mark.parametrize("level", ["SEVERE", "WARNING"])
@pytest.mark.parametrize(
    "trace", ["java.io.IOException: refused\n\tat shop.Client.call(Client.java:44)\n", ""]
)
def test_the_time_of_a_record_in_two_lines_is_that_of_the_first(level, trace):
    text = f"Nov 21, 2026 6:00:00 PM shop.Client call\n{level}: call failed\n{trace}Nov 21, 2026 6:00:01 PM shop.Client call\nINFO: ok\n"

    events, _ = detect(text, SHANGHAI, ("java", "levels"))

    expected = [datetime(2026, 11, 21, 10, tzinfo=UTC)] if trace or level == "SEVERE" else []
    assert [event.occurred_at for event in events] == expected


def test_the_time_of_another_record_is_not_taken():
    events, _ = detect("2026-11-21 18:00:00 shop is up\nERROR: call failed\n", SHANGHAI)

    assert [event.occurred_at for event in events] == [None]


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "zone", "moment"),
    [
        ("2026-11-21 18:00:00 ERROR x", SHANGHAI, "2026-11-21T10:00:00+00:00"),
        ("2026-11-21T18:00:00Z ERROR x", SHANGHAI, "2026-11-21T18:00:00+00:00"),
        ("2026-11-21T18:00:00+02:00 ERROR x", SHANGHAI, "2026-11-21T16:00:00+00:00"),
        ("2026-07-01 12:00:00 ERROR x", BERLIN, "2026-07-01T10:00:00+00:00"),
        ("2026-01-01 12:00:00 ERROR x", BERLIN, "2026-01-01T11:00:00+00:00"),
        ("Nov 21 18:00:00 web1 shop[7]: ERROR x", SHANGHAI, "2026-11-21T10:00:00+00:00"),
        ('{"time": "2026-11-21 18:00:00", "level": "error"}', SHANGHAI, "2026-11-21T10:00:00+00:00"),
        ("1795255200 ERROR x", SHANGHAI, "2026-11-21T10:00:00+00:00"),
        ("2026-11-21 18:00:00 CST ERROR x", SHANGHAI, "2026-11-21T10:00:00+00:00"),
        ("2026-11-21 04:00:00 CST ERROR x", ZoneInfo("America/Chicago"), "2026-11-21T10:00:00+00:00"),
        ("2026-11-21 18:00:00 JST ERROR x", SHANGHAI, "2026-11-21T09:00:00+00:00"),
        ("2026-11-21 18:00:00 +08 ERROR x", BERLIN, "2026-11-21T10:00:00+00:00"),
        ("2026-11-21 18:00:00.123 -0330 ERROR x", BERLIN, "2026-11-21T21:30:00.123000+00:00"),
        ("0001-01-01 00:00:00 ERROR x", SHANGHAI, "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_zone_asked_for(line, zone, moment):
    assert parse_envelope(line, now=NOW, zone=zone).occurred_at.isoformat() == moment
    assert parse_envelope(line, zone=zone).length == parse_envelope(line).length


def test_it_is_known_whether_the_line_itself_names_the_zone():
    assert parse_envelope("2026-11-21T18:00:00Z ERROR x", now=NOW).has_zone
    assert not parse_envelope("2026-11-21 18:00:00 ERROR x", now=NOW).has_zone


@pytest.mark.parametrize(
    ("now", "text", "year"),
    [
        (datetime(2026, 12, 31, 16, 30, tzinfo=UTC), "Jan  1 00:29:00", 2027),
        (datetime(2027, 1, 1, 0, 30, tzinfo=UTC), "Dec 31 23:59:00", 2026),
        (datetime(2026, 3, 1, tzinfo=UTC), "Mar  3 00:00:00", 2025),
        (datetime(2028, 3, 1, tzinfo=UTC), "Feb 29 10:00:00", 2028),
    ],
)
def test_a_time_without_a_year_is_the_latest_that_is_not_more_than_a_day_ahead(now, text, year):
    assert parse_envelope(f"{text} web1 shop[7]: x", now=now).occurred_at.year == year


@pytest.mark.parametrize(
    ("name", "moment"),
    [("Asia/Shanghai", "02:00"), ("CST-8", "02:00"), ("UTC", "10:00"), ("No/Where", "10:00")],
)
def test_the_local_zone_is_that_of_the_machine_its_tz_first(monkeypatch, name, moment):
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        seen = parse_envelope("2026-11-21 10:00:00 ERROR x", now=NOW, zone=LOCAL).occurred_at
    finally:
        monkeypatch.undo()
        time.tzset()

    assert seen.isoformat() == f"2026-11-21T{moment}:00+00:00"


def test_zones_are_named():
    assert zone_named("local") is LOCAL
    assert zone_named("UTC") is UTC
    assert zone_named("Asia/Shanghai") == SHANGHAI


# -- events -------------------------------------------------------------------------------------


def test_what_repeats_has_its_own_time_in_the_zone():
    lines = "".join(
        f"2026-11-21 18:{n:02}:00 ERROR shop: cannot sell {n}\n{TRACE.format(n=n)}" for n in range(40)
    )

    events, repeats = detect(lines, SHANGHAI)

    assert repeats > 20
    assert [event.occurred_at.isoformat() for event in events] == [
        f"2026-11-21T10:{n:02}:00+00:00" for n in range(40)
    ]


@pytest.mark.parametrize("name", ["levels", "regex"])
def test_an_event_of_one_line_has_the_time_of_its_line(name):
    (event,), _ = detect("2026-11-21 18:00:00 ERROR WORKER TIMEOUT (pid:7)\n", SHANGHAI, [name])

    assert event.occurred_at.isoformat() == "2026-11-21T10:00:00+00:00"


def test_a_carriers_time_with_a_zone_comes_before_a_time_without_one():
    def docker(text):
        return f'{{"log":"{text}\\n","stream":"stdout","time":"2026-11-21T02:00:00.5Z"}}\n'

    (bare,), _ = detect(docker("2026-11-21 02:00:00 ERROR shop: no price"), SHANGHAI)
    (zoned,), _ = detect(docker("2026-11-21T01:59:59Z ERROR shop: no price"), SHANGHAI)

    assert bare.occurred_at.isoformat() == "2026-11-21T02:00:00.500000+00:00"
    assert zoned.occurred_at.isoformat() == "2026-11-21T01:59:59+00:00"


# -- too old ------------------------------------------------------------------------------------


def log_of(hours):
    """Return a log in Shanghai's time, written that many hours ago."""
    return f"{NOW.astimezone(SHANGHAI) - timedelta(hours=hours):%Y-%m-%d %H:%M:%S} ERROR shop: no price\n"


def run(directory, hours, text=PIPELINE):
    return run_pipeline(text, {"shop.log": log_of(hours)}, directory, clock=lambda: NOW)


def test_max_age_and_seen_go_by_the_zone_of_the_log(tmp_path):
    (tmp_path / "young").mkdir()
    (tmp_path / "old").mkdir()

    young = run(tmp_path / "young", 23)
    old = run(tmp_path / "old", 25)

    assert [incident.last_seen for incident in young.incidents] == [NOW - timedelta(hours=23)]
    assert (len(young.reports), len(old.reports)) == (1, 0)


def test_an_incident_that_is_too_old_to_be_answered_says_so(tmp_path):
    run(tmp_path, 25)

    shown = CliRunner().invoke(cli, ["incidents", "show", "1", "--state", str(tmp_path / "state")]).output

    assert (
        "max-age: not answered: its events were older than 1d when they were read. A newer one is answered, "
        "or this one with 'aiops incidents retry' [policy.max_age]"
    ) in shown


def test_an_old_incident_is_explained_once_and_answered_when_a_new_event_comes(tmp_path):
    run(tmp_path, 25)
    with (tmp_path / "shop.log").open("a") as log:
        log.write(log_of(24.5) + log_of(1))

    result = run_pipeline(PIPELINE, {}, tmp_path, clock=lambda: NOW)
    shown = CliRunner().invoke(cli, ["incidents", "show", "1", "--state", str(tmp_path / "state")]).output

    assert len(result.reports) == 1
    assert shown.count("max-age: ") == 1
