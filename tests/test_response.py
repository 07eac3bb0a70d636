"""From an incident to a fix branch and a message, through the public door."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from response_scene import FIXED, RECORDED, answer, fix_branches, pipeline, shop, trace

from aiops_core.store import Store
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.messages_api import GARBAGE, OVERLOADED, Message, MessagesApi
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
KEY = "sk-ant-dummy-00000000000000000000"


def steps(directory: Path) -> dict[str, str]:
    with Store.open(directory / "state") as store:
        return {step.name: step.state for step in store.runs.steps(1)}


def decisions(directory: Path) -> set[str]:
    with Store.open(directory / "state") as store:
        return {decision.rule for decision in store.incidents.decisions(1)}


def claude(api: MessagesApi) -> str:
    return (
        f"      - {{uses: claude, with: {{api_key: '${{env:KEY}}', base_url: '{api.url}', stream: false}}}}"
    )


def test_repeats_are_one_incident_with_one_tested_fix_branch(tmp_path):
    repository = shop(tmp_path / "git")

    done = run_pipeline(pipeline(repository), {"shop.log": trace(5), "answer.yaml": answer()}, tmp_path)

    (report,) = done.reports
    (branch,) = fix_branches(repository)
    assert (done.error, [incident.count for incident in done.incidents]) == ("", [5])
    assert FIXED in repository.on_remote("show", f"{branch}:shop.py")
    assert (report.change.before.tests, report.change.after.passed) == (1, True)
    assert report.outcomes[0].data["branch"] == branch
    assert steps(tmp_path) == {
        "evidence": "done",
        "analyze": "done",
        "repair": "done",
        "plan local_branch": "done",
        "act local_branch": "done",
        "notify": "done",
    }


@pytest.mark.parametrize("mode", ["dry_run", "ask"])
def test_without_auto_an_action_is_planned_and_touches_nothing(tmp_path, mode):
    repository = shop(tmp_path / "git")

    done = run_pipeline(
        pipeline(repository, mode=mode), {"shop.log": trace(), "answer.yaml": answer()}, tmp_path
    )

    assert fix_branches(repository) == []
    assert [plan.action for plan in done.reports[0].plans] == ["local_branch"]
    assert mode in decisions(tmp_path)


def test_an_unsure_analysis_is_told_but_not_applied(tmp_path):
    repository = shop(tmp_path / "git")

    done = run_pipeline(
        pipeline(repository), {"shop.log": trace(), "answer.yaml": answer(confidence=0.3)}, tmp_path
    )

    assert (fix_branches(repository), done.reports[0].change) == ([], None)
    assert "confidence" in decisions(tmp_path)


def test_a_fix_that_breaks_a_test_is_refused_and_people_are_told(tmp_path):
    repository = shop(tmp_path / "git")
    wrong = answer(replace='return order["price"]')

    done = run_pipeline(pipeline(repository), {"shop.log": trace(), "answer.yaml": wrong}, tmp_path)

    assert (fix_branches(repository), done.reports[0].change) == ([], None)
    assert steps(tmp_path)["repair"] == "refused"
    assert "tests" in decisions(tmp_path)


def test_a_refused_edit_goes_back_to_the_model_which_may_mend_it(tmp_path):
    repository = shop(tmp_path / "git")
    body = {
        "title": "Orders without a count fail",
        "summary": "s",
        "root_cause": "r",
        "repair_steps": [],
        "code_samples": [],
        "prevention": [],
        "cited": [],
        "confidence": 0.9,
        "provable": True,
    }
    edit = {"kind": "replace", "path": "shop.py", "search": "no such text", "replace": FIXED, "to": ""}
    first = Message(json.dumps({**body, "edits": [edit]}))
    second = Message(
        json.dumps({**body, "edits": [{**edit, "search": 'return order["price"] * order["count"]'}]})
    )

    with MessagesApi([first, second]) as api:
        done = run_pipeline(
            pipeline(repository, analyzers=claude(api)),
            {"shop.log": trace()},
            tmp_path,
            environment={"KEY": KEY},
        )
        prompts = [json.dumps(call) for call in api.calls]

    assert done.error == ""
    assert (len(prompts), len(fix_branches(repository))) == (2, 1)
    assert "the proposed edits were refused" in prompts[1]


@pytest.mark.parametrize("reply", [GARBAGE, OVERLOADED])
def test_when_no_analyzer_can_answer_people_get_the_raw_error(tmp_path, reply, monkeypatch):
    monkeypatch.setattr("aiops_analyzer_claude.ClaudeAnalyzer.delays", (0.01,))
    repository = shop(tmp_path / "git")

    with MessagesApi(usual=reply) as api:
        done = run_pipeline(
            pipeline(repository, analyzers=claude(api)),
            {"shop.log": trace()},
            tmp_path,
            environment={"KEY": KEY},
            timeout=60,
        )

    (report,) = done.reports
    assert (report.analysis.confidence, fix_branches(repository)) == (0.0, [])
    assert "KeyError: 'count'" in report.incident.event.block
    assert "unanswered" in decisions(tmp_path)


def test_a_secret_in_the_log_or_the_file_reaches_no_prompt_database_or_message(tmp_path):
    repository = shop(tmp_path / "git")
    secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"
    log = trace().replace("failed\n", f"failed, token={secret} key={KEY}\n")

    with MessagesApi(usual=GARBAGE) as api, HttpPeer() as peer:
        notifiers = f"      - console\n      - {{uses: webhook, with: {{url: '{peer.url}/hook'}}}}"
        done = run_pipeline(
            pipeline(repository, analyzers=claude(api) + "\n" + RECORDED, notifiers=notifiers),
            {"shop.log": log, "answer.yaml": answer()},
            tmp_path,
            environment={"KEY": KEY},
        )
        sent = json.dumps(list(api.calls)) + "".join(str(request.body) for request in peer.requests)

    texts = [sent, done.log, *(str(report) for report in done.reports)]
    assert [text for text in texts if secret in text or KEY in text] == []


def test_a_receiver_that_refuses_never_holds_up_another(tmp_path):
    repository = shop(tmp_path / "git")

    with HttpPeer(usual=Reply(status=500)) as broken, HttpPeer() as good:
        notifiers = (
            f"      - {{uses: webhook, name: broken, with: {{url: '{broken.url}/a'}}}}\n"
            f"      - {{uses: webhook, name: good, with: {{url: '{good.url}/b'}}}}"
        )
        done = run_pipeline(
            pipeline(repository, notifiers=notifiers),
            {"shop.log": trace(), "answer.yaml": answer()},
            tmp_path,
        )

    states = {row.target: row.state for row in done.deliveries if row.target in {"broken", "good"}}
    assert states == {"broken": "failed", "good": "sent"}


def test_old_events_are_counted_and_not_answered(tmp_path):
    repository = shop(tmp_path / "git")
    text = pipeline(repository).replace("max_age: 3650d", "max_age: 1h")

    done = run_pipeline(text, {"shop.log": trace(3), "answer.yaml": answer()}, tmp_path)

    assert ([incident.count for incident in done.incidents], done.reports) == ([3], ())
    assert fix_branches(repository) == []


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.full)])
def test_a_response_killed_again_and_again_ends_with_one_branch_and_one_message_key(tmp_path, kills):
    repository = shop(tmp_path / "git")
    (tmp_path / "shop.log").write_text(trace(3))
    (tmp_path / "answer.yaml").write_text(answer())
    randomly = random.Random(3)

    with HttpPeer() as peer:
        notifiers = f"      - {{uses: webhook, with: {{url: '{peer.url}/hook'}}}}"
        (tmp_path / "pipeline.yaml").write_text(pipeline(repository, notifiers=notifiers))
        for _ in range(kills):
            kill_after(tmp_path, randomly.uniform(0.5, 2.4))
        free_jobs(tmp_path)
        subprocess.run([AIOPS, "run", "--once", "pipeline.yaml"], cwd=tmp_path, check=True, timeout=60)
        keys = {request.headers["idempotency-key"] for request in peer.requests}

    assert len(fix_branches(repository)) == 1
    assert repository.on_remote("rev-list", "--count", f"main..{fix_branches(repository)[0]}") == "1"
    assert len(keys) == 1
    with Store.open(tmp_path / "state") as store:
        assert [incident.count for incident in store.incidents.list()] == [3]
        assert [row.state for row in store.deliveries.list()] == ["sent"]


def kill_after(directory: Path, seconds: float) -> None:
    run = subprocess.Popen(
        [AIOPS, "run", "--once", "pipeline.yaml"],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    time.sleep(seconds)
    if run.poll() is None:
        run.send_signal(signal.SIGKILL)
    run.wait()


def free_jobs(directory: Path) -> None:
    """Give dead letters of this many kills another try, as an operator would."""
    database = sqlite3.connect(directory / "state" / "aiops.db", timeout=10)
    with database:
        database.execute("update jobs set state = 'ready', attempts = 0")
    database.close()
