"""From a full answer down to the raw error: every step is said, and what can follow later does."""

from collections import Counter
from datetime import timedelta

import pytest
from click.testing import CliRunner
from spending_scene import Scene, asked

from aiops_core.cli import cli
from aiops_core.records import Outcome

ALIKE = """\
from pathlib import Path
from aiops_core import Event, Source

class Sent(Source):
    def source(self, positions):
        words = ("premium gold customers", "premium silver customers")
        count = len(Path(self.context.directory, "sent").read_text().split())
        for number in range(count):
            if str(number) not in positions:
                message = f"the ledger of {words[number % 2]} cannot be balanced since the sum is odd"
                yield Event("LedgerError", message, stream=str(number), position={"at": 1})
"""
AGAIN = ALIKE.replace("words[number % 2]", "words[0]")


def command(directory, *arguments):
    done = CliRunner().invoke(cli, [*arguments, "--state", str(directory / "state")])
    assert done.exit_code == 0, done.output
    return done.output


# -- each step down ---------------------------------------------------------------------------------


def test_where_the_budget_has_too_little_left_a_cheaper_model_answers_and_that_is_said(tmp_path):
    ladder = asked("most: 0.3, real: 0.3", "full") + "\n" + asked("most: 0.05, real: 0.05", "cheaper")
    scene = Scene(tmp_path, "budget: {per_day: 1 USD}", analyzers=ladder)

    done = scene.run(9)

    assert Counter(one.partition("/")[0] for one in scene.calls) == {"full": 3, "cheaper": 2}
    assert Counter(one["by"] for one in scene.heard) == {"full": 3, "cheaper": 2, "none": 4}
    (decision,) = [one for one in done.reports[3].decisions if one.rule == "ladder"]
    assert decision.setting == "analyzers"
    assert decision.text.startswith(
        "cheaper answers in place of those before it: full: the budget of 24 hours"
    )


def test_without_a_model_the_answer_for_a_near_identical_incident_is_shown_as_what_it_is(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 1 call}")
    scene.files["sent.py"] = ALIKE

    done = scene.run(2)

    assert len(done.incidents) == 2 and len(scene.calls) == 1
    answered, borrowed = sorted(done.reports, key=lambda report: report.analysis.confidence, reverse=True)
    assert borrowed.analysis.title == answered.analysis.title
    assert borrowed.analysis.confidence < 0.5 and not borrowed.analysis.provable
    assert borrowed.analysis.summary.startswith("Not analysed. The error is ")
    assert f"incident {answered.incident.id}" in borrowed.analysis.summary
    assert "the budget of 24 hours (1 call) is used up" in borrowed.analysis.summary
    settings = [one.setting for one in borrowed.decisions[:3]]
    assert settings == ["policy.budget.per_day", "policy.budget", "analyzers"]


# -- what was found before ----------------------------------------------------------------------------


def returning(scene, between=lambda: None):
    """Have an incident answered, resolved, and returning."""
    scene.files["sent.py"] = AGAIN
    scene.run(1)
    command(scene.directory, "incidents", "resolve", "1")
    between()
    return scene.run(2, after=timedelta(minutes=31))


def test_an_incident_that_returns_with_the_same_evidence_has_its_analysis_without_a_call(tmp_path):
    scene = Scene(tmp_path)

    def opened():
        with scene.store() as store:
            store.runs.save_outcome(1, "pull", Outcome("done", "opened request 7", action="pull"))

    done = returning(scene, opened)

    assert len(scene.calls) == 1
    # That it is resolved may be told before it is seen to be back, and need not be afterwards.
    (report,) = [one for one in done.reports if one.kind == "incident"]
    assert (report.incident.state, report.analysis.title) == ("regressed", "Why LedgerError")
    assert report.analysis.usage is None
    assert scene.decided(1, "reused") == [
        "the analysis of run 1 is used again, since the evidence is the same. What came of it: opened request 7"
    ]


@pytest.mark.parametrize("policy", ["reuse_within: 0", "reuse_within: 30m"])
def test_an_analysis_that_is_too_old_is_made_anew(tmp_path, policy):
    scene = Scene(tmp_path, policy)

    returning(scene)

    assert len(scene.calls) == 2


def test_an_analysis_whose_fix_was_merged_and_did_not_help_is_made_anew_and_knows_of_it(tmp_path):
    scene = Scene(tmp_path)

    def merged():
        with scene.store() as store:
            outcome = Outcome("done", "merged request 7", data={"state": "merged"}, action="pull")
            store.runs.save_outcome(1, "pull", outcome)

    returning(scene, merged)

    assert len(scene.calls) == 2
    with scene.store() as store:
        (before,) = [one for one in store.runs.evidence(2) if one.title == "this incident, before"]
    assert "found then (90% sure): r" in before.text


def test_a_person_who_asks_again_gets_a_new_analysis(tmp_path):
    scene = Scene(tmp_path)
    scene.run(1)

    command(tmp_path, "incidents", "retry", "1")
    scene.run(1)

    assert len(scene.calls) == 2


# -- turns ------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_more_incidents_are_analysed_at_once_than_may_be_and_all_are(tmp_path):
    scene = Scene(tmp_path, workers=8, settings="seconds: 0.02")

    scene.run(24)

    together = [int(one) for one in (tmp_path / "together").read_text().split()]
    assert (max(together), len(scene.calls)) == (3, 24)
    assert Counter(one["by"] for one in scene.heard) == {"asked": 24}


def test_one_at_a_time_where_the_setting_says_so(tmp_path):
    scene = Scene(tmp_path, workers=4, settings="seconds: 0.02", top="analyses: 1")

    scene.run(6)

    assert set((tmp_path / "together").read_text().split()) == {"1"}
    assert len(scene.calls) == 6


# -- a model that is down -----------------------------------------------------------------------------


def test_r25_people_get_the_error_in_time_and_the_analysis_when_the_model_is_back(tmp_path):
    scene = Scene(tmp_path, "tell_within: 5m")
    (tmp_path / "down").touch()
    scene.watch(1)
    at_first = len(scene.heard)
    scene.watch(1, after=timedelta(minutes=6))
    early = list(scene.heard)
    scene.watch(1, after=timedelta(minutes=2))
    (tmp_path / "down").unlink()
    scene.watch(1, after=timedelta(minutes=2))

    assert (at_first, len(early), len(scene.heard)) == (0, 1, 2)
    first, second = scene.heard
    assert (first["by"], second["by"], first["incident"]) == ("none", "asked", second["incident"])
    assert first["key"] == f"{second['key']}/early"
    assert "the analysis follows when it can be made: asked: the model is down" in first["summary"]
    assert len(scene.decided(1, "postponed")) == 1
    with scene.store() as store:
        assert store.runs.get(1).state == "done"


def test_r25_a_model_that_is_back_in_time_makes_one_message(tmp_path):
    scene = Scene(tmp_path, "tell_within: 5m")
    (tmp_path / "down").touch()
    scene.watch(1)
    (tmp_path / "down").unlink()

    scene.watch(1, after=timedelta(minutes=2))

    assert [one["by"] for one in scene.heard] == ["asked"]


def test_r25_a_single_run_tells_at_once_and_the_next_one_brings_the_analysis(tmp_path):
    scene = Scene(tmp_path)
    (tmp_path / "down").touch()
    scene.run(1)
    (tmp_path / "down").unlink()

    scene.run(1, after=timedelta(minutes=2))

    assert [one["by"] for one in scene.heard] == ["none", "asked"]


def test_r25_what_cannot_be_analysed_within_the_age_of_events_is_given_up_without_another_message(tmp_path):
    scene = Scene(tmp_path)
    (tmp_path / "down").touch()
    scene.run(1)

    scene.run(1, after=timedelta(hours=25))

    assert [one["by"] for one in scene.heard] == ["none"]
    with scene.store() as store:
        assert store.runs.get(1).state == "done"
        assert [job for job in store.queue.jobs() if job.kind == "run"] == []


def test_why_says_what_a_run_waits_for(tmp_path):
    scene = Scene(tmp_path)
    (tmp_path / "down").touch()
    scene.watch(1)

    said = command(tmp_path, "why", "1")

    assert "run 1: analyze queued" in said
    assert "setting: policy.tell_within" in said
