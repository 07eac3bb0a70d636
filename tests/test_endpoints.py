"""What one worker learns of a model's address holds for all: limits, outages, refused keys."""

from contextlib import suppress

import pytest
from click.testing import CliRunner
from response_scene import claude, pipeline, says, trace
from spending_scene import names

from aiops_core.cli import cli
from aiops_core.endpoints import TRIES, Closed, Endpoints
from aiops_core.errors import Retry, UserError
from aiops_core.store import Store
from aiops_core.testing.messages_api import OVERLOADED, UNAUTHORIZED, MessagesApi, rate_limited
from aiops_core.testing.pipeline import run_pipeline

KEY = "sk-ant-dummy-00000000000000000000"
SENT = """\
from pathlib import Path
from aiops_core import Event, Source

class Sent(Source):
    def source(self, positions):
        for name in Path(self.context.directory, "sent").read_text().split():
            if name not in positions:
                yield Event(name, f"it failed at {name}", stream=name, position={"at": 1})
"""
PIPELINE = """\
workers: 4
pipelines:
  shop:
    sources: [{{uses: './sent.py:Sent'}}]
    detectors: [python]
    analyzers:
{analyzers}
    notices: {{storm: {{messages: 100000, incidents: 100000}}}}
"""


class Watch:
    """Time that goes on by hand, and an address whose news are kept."""

    def __init__(self):
        self.now = 0.0
        self.news = []
        self.endpoints = Endpoints(lambda: self.now, self.news.append)

    def of(self, key="key"):
        return self.endpoints.of("https://gateway.example", key)


def test_after_five_failures_in_a_row_nothing_is_asked_until_one_call_has_tried():
    watch = Watch()
    for _ in range(TRIES):
        assert watch.of().closed() is None
        watch.of().failed("HTTP 500")

    assert watch.of().closed() == Closed("HTTP 500", 30.0)
    watch.now = 30.0
    assert watch.of().closed() is None
    assert watch.of().closed() == Closed("HTTP 500", 60.0)  # one tries, the others wait
    watch.of().failed("HTTP 500")
    assert watch.of().closed() == Closed("HTTP 500", 60.0)
    watch.now = 90.0
    assert watch.of().closed() is None
    watch.of().succeeded()

    assert [watch.of().closed() for _ in range(3)] == [None] * 3
    assert [one.state for one in watch.news] == ["down", "down", "up"]


def test_an_outage_is_looked_at_every_ten_minutes_at_the_least():
    watch = Watch()
    for _ in range(30):
        watch.of().failed("HTTP 500")

    assert watch.of().closed().seconds == 600.0


def test_an_answer_in_between_starts_the_count_anew():
    watch = Watch()
    for _ in range(3 * TRIES):
        watch.of().failed("HTTP 500")
        watch.of().failed("HTTP 500")
        watch.of().succeeded()

    assert watch.of().closed() is None and watch.news == []


def test_the_pause_a_server_asks_for_holds_for_everybody():
    watch = Watch()
    watch.of().failed("HTTP 429", 20.0)
    watch.now = 5.0

    assert watch.of().closed() == Closed("HTTP 429", 15.0)
    assert watch.of("another key").closed() is None
    with pytest.raises(Retry, match="claude cannot be reached: HTTP 429") as caught:
        watch.of().check("claude")
    assert caught.value.after == 15.0


def test_a_refused_key_is_not_used_again():
    watch = Watch()
    watch.of().refused("the key was refused")
    watch.now = 1e9

    assert watch.of().closed() == Closed("the key was refused", None)
    with pytest.raises(UserError, match="claude: the key was refused"):
        watch.of().check("claude")


# -- in a pipeline --------------------------------------------------------------------------------


def run(directory, api, count, monkeypatch, key=KEY, delays=(0.001,)):
    monkeypatch.setattr("aiops_analyzer_claude.ClaudeAnalyzer.delays", delays)
    text = PIPELINE.format(analyzers=claude(api))
    files = {"sent.py": SENT, "sent": names(count)}
    return run_pipeline(text, files, directory, environment={"KEY": key})


def test_a_refused_key_is_tried_once_told_once_and_tried_again_after_a_restart(tmp_path, monkeypatch):
    with MessagesApi(usual=says(), key=KEY) as api:
        first = run(tmp_path, api, 12, monkeypatch, key="sk-ant-mistyped-000000000000")
        at_first = len(api.requests)
        second = run(tmp_path, api, 13, monkeypatch)

    faults = [report for report in first.fault_reports if "claude" in report.title]
    assert at_first <= 3  # those that were on their way together
    assert (len(first.reports), len(faults)) == (12, 1)
    assert [report.analysis.analyzer for report in second.reports] == ["claude"]


def test_an_outage_costs_five_calls_and_every_incident_is_told(tmp_path, monkeypatch):
    with MessagesApi(usual=OVERLOADED) as api:
        done = run(tmp_path, api, 20, monkeypatch)

    assert TRIES <= len(api.requests) <= TRIES + 3
    assert len({report.incident.id for report in done.reports}) == 20


def test_a_rate_limit_stops_all_workers_and_not_only_the_one_that_met_it(tmp_path, monkeypatch):
    with MessagesApi(usual=rate_limited(40)) as api:
        done = run(tmp_path, api, 20, monkeypatch)
        with Store.open(tmp_path / "state") as store:
            (row,) = store.endpoints.all()

    assert len(api.requests) <= 3
    assert len({report.incident.id for report in done.reports}) == 20
    assert (row.name, row.state) == (api.url, "limited")


def test_doctor_shows_what_became_of_an_address_and_what_was_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", KEY)
    with MessagesApi(usual=UNAUTHORIZED) as api:
        text = pipeline(analyzers=claude(api)).replace("3650d", "3650d, budget: {per_day: 5 USD}")
        run_pipeline(text, {"shop.log": trace()}, tmp_path, environment={"KEY": KEY})
    with suppress(SystemExit):
        said = CliRunner().invoke(cli, ["doctor", str(tmp_path / "pipeline.yaml")]).output

    assert f"· model: {api.url} is refused: api_key: the key was refused, HTTP 401" in said
    assert "Correct it, then run 'aiops reload'" in said
    assert "✓ shop.budget: 0 USD, 0 tokens, 1 call within 24 hours of 5 USD" in said
