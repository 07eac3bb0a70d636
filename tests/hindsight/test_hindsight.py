"""What a period was like: patterns among errors, and figures about the work on them."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.hindsight import figures, insights, look_back
from aiops_core.hindsight.insights import kind_of
from aiops_core.hindsight.page import render_figures
from aiops_core.records import Analysis, Event, Incident, Outcome, Receipt, Report, Usage
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Log:
    """Events of named errors, so many seconds before now, put into a store in order of time."""

    def __init__(self, store):
        self.store = store
        self.events = []

    def add(self, name, *seconds_ago):
        for ago in seconds_ago:
            key = f"{name} {len(self.events)}"
            at = NOW - timedelta(seconds=ago)
            self.events.append(Event(type=name, message="m", fingerprint=name, key=key, occurred_at=at))

    def look(self, length=DAY):
        events = sorted(self.events, key=lambda event: event.occurred_at)
        for at in range(0, len(events), 50):
            self.store.record("shop", [(event, True) for event in events[at : at + 50]], [], {})
        return look_back(self.store, NOW - length, NOW)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state", clock=lambda: NOW) as store:
        yield store


@pytest.fixture
def log(store):
    return Log(store)


def titles(found):
    return [one.incident.type for one in found]


def test_frequent_is_more_than_ten_and_new_is_what_began_in_the_period(log):
    log.add("Often", *range(600, 611))
    log.add("Ten", *range(600, 610))
    log.add("Old", 2 * 86400, 600)

    found = insights(log.look())

    assert titles(found.frequent) == ["Often"]
    assert sorted(titles(found.new)) == ["Often", "Ten"]


def test_escalating_is_what_comes_three_times_as_fast_at_the_end(log):
    hours = 3600
    log.add("Rising", *range(5 * hours, 23 * hours, hours), *range(0, 3 * hours, 600))
    log.add("Steady", *range(0, 23 * hours, 600))
    log.add("Sudden", *range(0, hours, 60))  # new, which says enough

    found = insights(log.look())

    assert [one.incident.type for one in found.escalating] == ["Rising"]
    assert found.escalating[0].before == pytest.approx(18 / 20)
    assert found.escalating[0].since == pytest.approx(18 / 4)


def test_cascading_is_what_follows_another_error_within_seconds_but_not_by_chance(log):
    times = [n * 5000 for n in range(1, 9)]
    log.add("PoolExhausted", *times)
    log.add("CheckoutFailed", *(time - 3 for time in times))
    log.add("Always", *range(1000, 41000, 9))
    log.add("Elsewhere", *(time + 700 for time in times))

    found = insights(log.look())

    assert [(one.cause.type, one.effect.type) for one in found.cascading] == [
        ("PoolExhausted", "CheckoutFailed")
    ]
    assert (found.cascading[0].hits, found.cascading[0].of, found.cascading[0].seconds) == (8, 8, 3.0)


def test_correlated_is_what_shares_its_minutes_and_is_no_cascade(log):
    times = [n * 6000 for n in range(1, 9)]
    log.add("A", *(time + 20 * (n % 2) + 5 for n, time in enumerate(times)))
    log.add("B", *(time + 20 * ((n + 1) % 2) + 5 for n, time in enumerate(times)))
    log.add("Noise", *range(0, 80000, 55))

    found = insights(log.look())

    assert [{one.one.type, one.other.type} for one in found.correlated] == [{"A", "B"}]
    assert found.correlated[0].share > 0.5


def test_a_new_error_says_which_release_it_came_up_with(tmp_path):
    with Store.open(tmp_path / "state", clock=lambda: NOW) as store:
        for name, version, ago in (("Old", "1", 3600), ("Fresh", "2", 600)):
            at = NOW - timedelta(seconds=ago)
            known = Event(
                type=name, fingerprint=name, key=name, occurred_at=at, attributes={"version": version}
            )
            store.record("shop", [(known, True)], [], {})

    def said(*arguments):
        return CliRunner().invoke(cli, [*arguments, "--state", str(tmp_path / "state")]).output

    assert "       1  #2 Fresh  (with version 2)\n" in said("insights", "--since", "36500d")
    assert "new with version 2 since 2026-11-21 11:50:00Z; errors before were of version 1" in said(
        "incidents", "show", "2"
    )


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("TimeoutError: upstream timed out", "performance"),
        ("java.lang.OutOfMemoryError: Java heap space", "performance"),
        ("PermissionError: permission denied", "security"),
        ("PaymentDeclined: card declined", "business"),
        ("支付失败", "business"),
        ("KeyError: 'price'", "error"),
        ("IndexError: list index out of range", "error"),
    ],
)
def test_the_class_of_an_error_is_told_by_its_words(title, kind):
    one = Incident(1, "shop", "f", title, "", "", "", "error", "new", 1, NOW, NOW)

    assert kind_of(one) == kind


def test_figures_count_and_time_what_was_done(store, log):
    log.add("A", 7200, 7100, 60)
    log.add("B", 3600)
    period = log.look()
    run = store.runs.latest(1).id
    analysis = Analysis("t", "s", "r", analyzer="claude", usage=Usage("m", 1000, 200, cost=0.25))
    store.runs.save_analysis(run, analysis)
    store.runs.save_outcome(run, "local_branch", Outcome("done", "pushed"))
    store.runs.finish(run, "done")
    report = Report(key="k", kind="incident", pipeline="shop", title="t")
    store.deliveries.sent([store.deliveries.plan(run, 1, "console", report, "k")], Receipt())
    store.incidents.set_state(2, "resolved")

    found = figures(store, period)

    assert (found.events, found.incidents, found.new) == (4, 2, 2)
    assert (found.to_detect, found.to_tell, found.to_resolve) == (5400.0, 7200.0, 3600.0)
    assert (found.runs, found.outcomes, found.deliveries) == (
        {"done": 1, "waiting": 1},
        {"done": 1},
        {"sent": 1},
    )
    spent = found.spent["claude"]
    assert (spent.answers, spent.input_tokens, spent.output_tokens, spent.cost) == (1, 1000, 200, 0.25)
    assert sum(found.by_hour.values()) == 4


def test_the_page_of_figures_is_well_formed_and_shows_text_as_text(store, log):
    log.add("<script>alert(1)</script>", *range(0, 7200, 60))

    page = render_figures(figures(store, log.look()))

    tree = ElementTree.fromstring(
        page.removeprefix("<!DOCTYPE html>\n")
        .replace('<meta charset="utf-8">', "")
        .replace('initial-scale=1">', 'initial-scale=1"/>')
        .replace("'unsafe-inline'\">", "'unsafe-inline'\"/>")
    )
    assert len(tree.findall(".//rect")) in {2, 3}
    assert tree.find(".//script") is None
    assert "&lt;script&gt;" in page


def test_both_commands_print_text_and_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store.open(tmp_path / "state") as store:
        now = datetime.now(UTC)
        events = [
            Event(
                type="KeyError",
                message="x",
                fingerprint="f",
                key=str(n),
                occurred_at=now - timedelta(minutes=n),
            )
            for n in range(12)
        ]
        store.record("shop", [(event, True) for event in events], [], {})

    def typed(*words):
        result = CliRunner().invoke(cli, [*words, "--state", "state"])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "frequent\n        12  #1 KeyError: x\n" in typed("insights")
    assert json.loads(typed("insights", "--json"))["new"] == [
        {"id": 1, "pipeline": "shop", "title": "KeyError: x", "count": 12, "new_with": ""}
    ]
    assert typed("insights", "--pipeline", "other") == "no errors in this period\n"
    assert "12 events, 1 incident, 1 of them new\n" in typed("stats")
    assert json.loads(typed("stats", "--json"))["events"] == 12
    assert typed("stats", "--html", "report.html") == "report.html\n"
    assert "KeyError" in (tmp_path / "report.html").read_text()
    nowhere = CliRunner().invoke(cli, ["stats", "--html", "no/report.html", "--state", "state"]).exception
    assert str(nowhere) == "no/report.html: cannot be written: No such file or directory. Name another file"
    wrong = CliRunner().invoke(cli, ["stats", "--since", "yesterday", "--state", "state"])
    assert wrong.exit_code == 2
    assert "is no duration: write a number" in wrong.output


READ = """\
pipelines:
  shop:
    sources:
      - {uses: file, name: app, with: {paths: [./app.log], start: beginning}}
      - {uses: file, name: other, with: {paths: [./other.log], start: beginning}}
    detectors: [python, levels]
    policy: {max_age: 3650d}
"""
APP = """\
2026-11-21 03:00:00,000 INFO shop: begins
2026-11-21 03:00:01,000 ERROR shop: failed
Traceback (most recent call last):
  File "/srv/shop.py", line 2, in total
    do()
KeyError: 'count'
2026-11-21 03:00:02,000 ERROR shop: the bank is away
ERROR nobody knows when
"""


def test_what_each_source_read_and_how_well_is_shown(tmp_path):
    run_pipeline(READ, {"app.log": APP, "other.log": ""}, tmp_path)

    said = CliRunner().invoke(cli, ["insights", "--state", str(tmp_path / "state")]).output
    data = CliRunner().invoke(cli, ["insights", "--json", "--state", str(tmp_path / "state")]).output

    assert "shop.app  0.258 KB, 3 events; 33% no time of their own, 67% no stack trace, 0% unread" in said
    assert json.loads(data)["sources"] == [
        {"pipeline": "shop", "source": "app", "bytes": len(APP), "events": 3}
        | {"seen": 3, "undated": 1, "bare": 2, "unread": 0},
        {"pipeline": "shop", "source": "other"}
        | dict.fromkeys(("bytes", "events", "seen", "undated", "bare", "unread"), 0),
    ]
