"""After the merge a fix is watched: verified, back, or not deployed yet."""

import json
from datetime import timedelta

import pytest
from response_scene import answer, fix_branches, pipeline, shop

from aiops_core.context import utc_now
from aiops_core.store import Store
from aiops_core.store.fixes import Fixes
from aiops_core.testing.pipeline import run_pipeline

SENT = """\
import json
from pathlib import Path
from aiops_core import Event, Frame, RaisedException, Source

class Sent(Source):
    def source(self, positions):
        for at, line in enumerate(Path(self.context.directory, "sent").read_text().splitlines()):
            said = json.loads(line)
            if str(at) not in positions:
                yield Event(
                    said["type"], "'count'", language="python", stream=str(at), position={"at": at},
                    exceptions=(RaisedException(said["type"], "'count'", (Frame("/srv/shop.py", 2, "total"),)),),
                    attributes={"release": said["release"]} if said["release"] else {},
                )
"""


class Scene:
    """A shop whose fix was merged into main; v1 has not got it, v2 has."""

    def __init__(self, directory, uses="local_branch"):
        self.directory = directory
        self.uses = uses
        self.repository = shop(directory / "git")
        self.repository.on_remote("tag", "v1", "main")
        self.now = utc_now()
        self.lines = []

    def run(self, *sent, after=timedelta(0), settings=""):
        """Let so much time pass, and respond to events of ``(type, release)``."""
        self.now += after
        self.lines += [json.dumps({"type": kind, "release": release}) for kind, release in sent]
        text = pipeline(self.repository).replace(
            "{uses: file, with: {paths: [./shop.log], start: beginning}}", "{uses: './sent.py:Sent'}"
        )
        text = text.replace("uses: local_branch,", f"uses: {self.uses}, name: local_branch,")
        if settings:
            text = text.replace("sandbox: none", f"sandbox: none, {settings}")
        files = {
            "sent.py": SENT,
            "answer.yaml": answer(),
            "sent": "\n".join(self.lines),
            "remarking.py": REMARKING,
        }
        done = run_pipeline(text, files, self.directory, clock=lambda: self.now)
        assert (done.error, done.faults) == ("", ())
        return done

    def merge(self):
        """Merge the fix, release it as v2, and let the pipeline see the merge."""
        (branch,) = fix_branches(self.repository)
        self.repository.on_remote("update-ref", "refs/heads/main", branch)
        self.repository.on_remote("tag", "v2", branch)
        self.run(after=timedelta(minutes=6))

    @property
    def fix(self):
        with Store.open(self.directory / "state") as store:
            return store.fixes.get(1)

    @property
    def state(self):
        with Store.open(self.directory / "state") as store:
            return store.incidents.get(1).state

    @property
    def runs(self):
        with Store.open(self.directory / "state") as store:
            return [run.reason for run in store.runs.of_incident(1)]

    def due(self):
        """Return how soon the fix is looked at again."""
        with Store.open(self.directory / "state") as store:
            return [job.due_at - self.now for job in store.queue.jobs() if job.kind == "watch"]

    def decided(self, rule):
        with Store.open(self.directory / "state") as store:
            return [one.text for one in store.incidents.decisions(1) if one.rule == rule]


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    scene.run(("KeyError", "v1"), ("KeyError", "v1"))
    scene.merge()
    return scene


def test_r28_a_merged_fix_is_watched_and_its_error_counted_before(scene):
    assert (scene.fix.state, scene.fix.rate, scene.fix.served_from) == ("merged", 2, None)
    assert scene.fix.commit == scene.repository.on_remote("rev-parse", "v2")
    assert scene.state in {"new", "ongoing"}


def test_r28_verified_after_a_quiet_period_on_a_release_with_the_fix(scene):
    scene.run(("TypeError", "v2"), after=timedelta(minutes=6))
    scene.run(after=timedelta(hours=23))
    early = scene.fix.state
    scene.run(after=timedelta(hours=2))

    short = scene.fix.commit[:12]
    assert (early, scene.fix.state, scene.state) == ("merged", "verified", "resolved")
    assert scene.decided("verified") == [f"0 in 24 h (was 2/day): the fix {short} holds"]


def test_r28_a_quiet_period_counts_only_once_the_fix_runs(scene):
    scene.run(("TypeError", "v1"), after=timedelta(days=2))
    scene.run(after=timedelta(days=2))

    assert (scene.fix.state, scene.fix.served_from) == ("merged", None)


def test_r28_an_old_release_that_still_runs_is_no_regression(scene):
    scene.run(("KeyError", "v1"), after=timedelta(minutes=6))
    scene.run(("KeyError", "v1"), after=timedelta(minutes=6))

    (said,) = scene.decided("fixed-not-deployed")
    assert said == (
        "no regression: release v1 is still running, and it has not got the fix "
        f"{scene.fix.commit[:12]}. Deploy a release with it"
    )
    assert (scene.fix.state, scene.runs) == ("merged", ["new"])


def test_r28_an_error_back_on_a_release_with_the_fix_is_a_regression(scene):
    done = scene.run(("KeyError", "v2"), after=timedelta(minutes=6))

    assert (scene.fix.state, scene.state, scene.runs) == ("regressed", "regressed", ["new", "regressed"])
    (said,) = scene.decided("regressed")
    assert said == (
        f"the error is back: 1 event of release v2, which has the fix {scene.fix.commit[:12]} (local_branch)"
    )
    assert next(decision.text for report in done.reports for decision in report.decisions) == said


def test_r28_a_verified_fix_that_fails_later_is_a_regression_and_an_old_release_is_not(scene):
    scene.run(("TypeError", "v2"), after=timedelta(minutes=6))
    scene.run(after=timedelta(hours=25))
    scene.run(("KeyError", "v1"), after=timedelta(hours=1))
    old = (scene.fix.state, scene.state, scene.runs)
    scene.run(("KeyError", "v2"), after=timedelta(hours=1))

    assert old == ("verified", "resolved", ["new"])
    assert (scene.fix.state, scene.state, scene.runs) == ("regressed", "regressed", ["new", "regressed"])


def test_r28_where_nothing_names_a_release_the_quiet_begins_with_the_merge_or_the_last_event(tmp_path):
    scene = Scene(tmp_path)
    scene.run(("KeyError", ""))
    scene.merge()
    scene.run(("KeyError", ""), after=timedelta(hours=12))
    scene.run(after=timedelta(hours=13))
    early = scene.fix.state
    scene.run(after=timedelta(hours=12))

    assert (early, scene.fix.state, scene.runs) == ("merged", "verified", ["new"])


def test_r28_without_releases_only_what_came_since_the_merge_is_a_regression(tmp_path):
    scene = Scene(tmp_path)
    scene.run(("KeyError", ""))
    scene.merge()
    scene.run(after=timedelta(hours=25))
    scene.run(("KeyError", ""), after=timedelta(hours=1))

    (said,) = scene.decided("regressed")
    assert (
        said == f"the error is back: 1 event since the fix {scene.fix.commit[:12]} was merged (local_branch)"
    )
    assert [text for text in scene.decided("state") if "by hand" in text] == []
    assert len(scene.decided("merged")) == 1


def test_r28_the_setting_names_the_release_of_events_that_do_not(tmp_path):
    scene = Scene(tmp_path)
    scene.run(("KeyError", ""), settings="release: v1")
    scene.merge()
    scene.run(("KeyError", ""), after=timedelta(minutes=6), settings="release: v1")
    before = scene.fix.state
    scene.run(("KeyError", ""), after=timedelta(minutes=6), settings="release: v2")

    assert (before, scene.fix.state) == ("merged", "regressed")


REMARKING = """\
import json
from pathlib import Path
from aiops_action_local_branch import LocalBranch

class Remarking(LocalBranch):
    def remark(self, outcome, about, text):
        with self.context.step("remark", about) as effect:
            if effect.result is None and not effect.is_uncertain:
                with Path(self.context.directory, "said").open("a") as said:
                    said.write(text + "\\n")
            effect.result = True
"""


def test_r28_what_is_said_below_the_request_is_said_once_whatever_is_killed(tmp_path, monkeypatch):
    scene = Scene(tmp_path, uses="'./remarking.py:Remarking'")
    scene.run(("KeyError", "v1"))
    scene.merge()
    scene.run(("TypeError", "v2"), after=timedelta(minutes=6))
    noted = Fixes.note

    def killed(*arguments):
        monkeypatch.setattr(Fixes, "note", noted)
        raise RuntimeError("killed after the remark")

    monkeypatch.setattr(Fixes, "note", killed)
    scene.run(after=timedelta(hours=25))
    between = scene.fix.state
    scene.run(after=timedelta(hours=1))

    assert (between, scene.fix.state) == ("merged", "verified")
    assert (tmp_path / "said").read_text() == (
        "0 in 24 h (was 1/day). The error did not come back since this was deployed.\n"
    )


def test_an_error_that_keeps_coming_from_an_old_release_is_looked_at_every_five_minutes(scene):
    scene.run(("TypeError", "v2"), after=timedelta(minutes=6))
    scene.run(after=timedelta(hours=25))
    scene.run(("KeyError", "v1"), after=timedelta(hours=1))
    scene.run(("KeyError", "v1"), after=timedelta(seconds=30))
    coming = scene.due()
    scene.run(after=timedelta(minutes=5))
    scene.run(after=timedelta(minutes=11))

    assert timedelta(minutes=4) < coming[0] <= timedelta(minutes=5)
    assert scene.due() == []
