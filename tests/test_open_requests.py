"""Open requests and new ones an hour are limited; what is over waits its turn, and nothing is lost."""

import threading
from datetime import timedelta

import pytest

from aiops_core.cli import cli
from aiops_core.context import utc_now
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

PIPELINE = """\
pipelines:
  shop:
    sources: [{{uses: './sent.py:Sent'}}]
    detectors: [python]
    actions: [{{uses: './opening.py:Opening', name: opening, mode: {mode}}}]
    policy: {{{policy}}}
"""
SENT = """\
from pathlib import Path
from aiops_core import Event, Source

class Sent(Source):
    def source(self, positions):
        for name in Path(self.context.directory, "sent").read_text().split():
            if name not in positions:
                yield Event(name, "failed", stream=name, position={"at": 1}, attributes={"release": "v2"})
"""
OPENING = """\
from pathlib import Path
from aiops_core import Action, Outcome, Plan

class Opening(Action):
    reaches = "draft"

    def plan(self, incident, analysis, change):
        return Plan("open", incident.type, {"number": incident.id})

    def act(self, plan):
        with self.context.step("open", str(plan.data["number"])) as effect:
            with Path(self.context.directory, "opened").open("a") as opened:
                opened.write(f"{plan.data['number']}\\n")
            effect.result = True
        return Outcome("done", "opened", data={**plan.data, "state": "open"}, final=False)

    def follow(self, outcome):
        if Path(self.context.directory, f"closed-{outcome.data['number']}").exists():
            return Outcome("refused", "closed", data={**outcome.data, "state": "closed"})
"""


class Scene:
    def __init__(self, directory, policy, mode="auto"):
        self.directory = directory
        self.text = PIPELINE.format(policy=policy, mode=mode)
        self.now = utc_now()
        self.reports = []
        self.fault_reports = []

    def run(self, count=0, after=timedelta(0)):
        """Let so much time pass and have so many different errors seen so far."""
        self.now += after
        files = {"sent.py": SENT, "opening.py": OPENING}
        if count:
            files["sent"] = " ".join(f"Error{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(count))
        done = run_pipeline(self.text, files, self.directory, clock=lambda: self.now)
        assert done.error == ""
        self.reports += done.reports
        self.fault_reports += done.fault_reports
        return done

    @property
    def opened(self):
        path = self.directory / "opened"
        return len(path.read_text().split()) if path.exists() else 0

    def states(self):
        with Store.open(self.directory / "state") as store:
            rows = [store.runs.latest(one.id) for one in store.incidents.list(limit=1000)]
            return sorted(row.state for row in rows)


def test_r29_no_more_requests_are_open_than_may_be_and_the_next_one_waits_for_a_place(tmp_path):
    scene = Scene(tmp_path, "open_requests: 2, requests_per_hour: 100")
    scene.run(4)
    at_first = (scene.opened, scene.states())
    scene.run(after=timedelta(hours=3))
    later = scene.opened
    first = (tmp_path / "opened").read_text().split()[0]
    (tmp_path / f"closed-{first}").touch()
    scene.run(after=timedelta(minutes=6))
    scene.run()

    assert at_first == (2, ["done", "done", "waiting", "waiting"])
    assert (later, scene.opened) == (2, 3)
    assert scene.states() == ["done", "done", "done", "waiting"]


def test_r29_no_more_requests_are_opened_within_an_hour_than_may_be(tmp_path):
    scene = Scene(tmp_path, "open_requests: 100, requests_per_hour: 2")
    counts = []
    scene.run(5)
    for _ in range(3):
        counts.append(scene.opened)
        scene.run(after=timedelta(minutes=61))

    assert (counts, scene.opened) == ([2, 4, 5], 5)
    assert scene.states() == ["done"] * 5


def test_r29_who_waits_is_told_why_and_told_again_when_the_request_is_open(tmp_path):
    scene = Scene(tmp_path, "requests_per_hour: 1")
    scene.run(2)
    scene.run(after=timedelta(minutes=61))

    waits = [one for report in scene.reports for one in report.decisions if one.rule == "hourly-requests"]
    assert {(one.text, one.setting) for one in waits} == {
        (
            "opening: waits its turn, 1 requests were opened within the hour and more may not be",
            "policy.requests_per_hour",
        )
    }
    assert len(scene.reports) == 3
    assert [outcome.summary for outcome in scene.reports[-1].outcomes] == ["opened"]


@pytest.mark.parametrize("errors", [20, pytest.param(500, marks=pytest.mark.full)])
def test_r29_a_storm_opens_two_requests_and_one_message_names_the_release(tmp_path, errors):
    scene = Scene(tmp_path, "")

    scene.run(errors)

    assert (scene.opened, len(scene.states())) == (2, errors)
    assert scene.states().count("waiting") == errors - 2
    (told,) = scene.fault_reports
    assert told.title == "aiops itself: more fixes than may be open"
    assert told.text.startswith("fixes wait: 2 requests were opened within the hour and more may not be")
    assert told.text.endswith("came from release v2: consider to roll it back")


def test_r29_what_people_approved_waits_its_turn_too(tmp_path):
    scene = Scene(tmp_path, "requests_per_hour: 1", mode="ask")
    scene.run(2)
    with Store.open(tmp_path / "state") as store:
        hashes = [one.stored.plan.hash for one in store.runs.unanswered()]
    for plan in hashes:
        cli.main(
            ["approvals", "approve", plan, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False
        )
    scene.run(after=timedelta(minutes=1))
    at_first = scene.opened
    scene.run(after=timedelta(minutes=61))

    assert (at_first, scene.opened) == (1, 2)


def test_r29_a_place_is_taken_once_by_workers_that_want_it_together(tmp_path):
    Scene(tmp_path, "", mode="dry_run").run(8)
    together, got = threading.Barrier(8), []

    def take(store, run_id):
        together.wait(10)
        got.append(store.requests.reserve(run_id, "opening", most=3, hourly=100))

    with Store.open(tmp_path / "state") as one, Store.open(tmp_path / "state") as other:
        stores = [one, other] * 4
        workers = [
            threading.Thread(target=take, args=place) for place in zip(stores, range(1, 9), strict=True)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)

    assert len(got) == 8
    assert sum(place is None for place in got) == 3


def test_r29_a_request_that_came_to_nothing_leaves_its_place(tmp_path):
    scene = Scene(tmp_path, "open_requests: 1, requests_per_hour: 1", mode="dry_run")
    scene.run(2)
    with Store.open(tmp_path / "state") as store:
        first = store.requests.reserve(1, "opening", most=1, hourly=1)
        second = store.requests.reserve(2, "opening", most=1, hourly=1)
        store.requests.drop(1, "opening")
        third = store.requests.reserve(2, "opening", most=1, hourly=1)

    assert (first, second[0], third) == (None, "open", None)
