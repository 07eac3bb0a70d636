"""From an incident to a fix branch and a message, through the public door."""

import json
import sys
from pathlib import Path

import pytest
from response_scene import FIXED, TEST, answer, claude_edit, fix_branches, pipeline, says, shop, trace

from aiops_core.store import Store
from aiops_core.testing.messages_api import GARBAGE, OVERLOADED, Message, MessagesApi, ToolUse, looks_up
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


def test_without_a_mode_an_action_is_planned_and_touches_nothing(tmp_path):
    repository = shop(tmp_path / "git")

    done = run_pipeline(
        pipeline(repository, mode="dry_run"), {"shop.log": trace(), "answer.yaml": answer()}, tmp_path
    )

    assert fix_branches(repository) == []
    assert [plan.action for plan in done.reports[0].plans] == ["local_branch"]
    assert "dry_run" in decisions(tmp_path)


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


def test_what_a_model_looked_up_is_kept_as_evidence_and_counted_over_all_rounds(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", KEY)
    repository = shop(tmp_path / "git")
    look = looks_up(ToolUse("read_file", {"path": "test_shop.py"}))
    with MessagesApi([look, says(claude_edit(search="nowhere")), says(claude_edit())]) as api:
        text = pipeline(repository, analyzers=claude(api)).replace("3650d", "3650d, max_lookups: 1")
        done = run_pipeline(text, {"shop.log": trace()}, tmp_path)

    with Store.open(tmp_path / "state") as store:
        found = store.runs.evidence(1)
    assert (done.error, len(api.calls), len(fix_branches(repository))) == ("", 3, 1)
    assert [item.title for item in found if item.id == "X1"] == ["test_shop.py, lines 1-8 of 8"]
    assert "class Totals" in json.dumps(api.calls[1]["messages"][2])
    assert ["tools" in body for body in api.calls] == [True, True, False]


@pytest.mark.parametrize("reply", [GARBAGE, OVERLOADED])
def test_r25_when_no_analyzer_can_answer_people_get_the_raw_error(tmp_path, reply, monkeypatch):
    monkeypatch.setattr("aiops_analyzer_claude.ClaudeAnalyzer.delays", (0.01,))

    with MessagesApi(usual=reply) as api:
        done = run_pipeline(
            pipeline(analyzers=claude(api)), {"shop.log": trace()}, tmp_path, environment={"KEY": KEY}
        )

    (report,) = done.reports
    assert (report.analysis.confidence, report.change) == (0.0, None)
    assert "KeyError: 'count'" in report.incident.event.block
    assert "unanswered" in decisions(tmp_path)


def test_old_events_are_counted_and_not_answered(tmp_path):
    text = pipeline().replace("max_age: 3650d", "max_age: 1h")

    done = run_pipeline(text, {"shop.log": trace(3), "answer.yaml": answer()}, tmp_path)

    assert ([incident.count for incident in done.incidents], done.reports) == ([3], ())


MOVING = """\
import subprocess
from aiops_core import Analysis, Analyzer, Edit

class Moving(Analyzer):
    def analyze(self, incident, evidence):
        subprocess.run(["sh", "./upstream.sh"], check=True)
        search = 'return order["price"] * order["count"]' if evidence[-1].kind == "refusal" else "nowhere"
        edit = Edit(kind="replace", path="shop.py", search=search, replace="return 6")
        return Analysis("t", "s", "r", confidence=0.9, edits=(edit,))
"""
UPSTREAM = """\
cd {work}
sed -i 's/order\\["count"\\]/order["number"]/' shop.py
git -c user.name=a -c user.email=a@example.org commit --quiet --allow-empty -am 'somebody else was here'
git push --quiet origin HEAD:main
cd {state}/mirrors/*.git  # as another run does
git fetch --quiet --update-head-ok {remote} '+refs/heads/*:refs/heads/*'
"""


def test_edits_are_made_to_the_commit_the_evidence_is_of_and_not_pushed_where_it_changed_since(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    repository = shop(tmp_path / "git")
    seen = repository.git("rev-parse", "HEAD")
    upstream = UPSTREAM.format(work=repository.path, remote=repository.remote, state=tmp_path / "state")
    files = {"moving.py": MOVING, "upstream.sh": upstream}

    text = pipeline(repository, analyzers="      - ./moving.py:Moving")
    done = run_pipeline(text, {"shop.log": trace(), **files}, tmp_path)

    (report,) = done.reports
    assert repository.on_remote("rev-parse", "main") != seen
    assert (report.change.base_commit, report.change.after.passed) == (seen, True)
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.data["rule"]) == ("refused", "outdated")
    assert fix_branches(repository) == []


def test_r27_a_fix_the_branch_has_got_since_is_not_made_again(tmp_path):
    repository = shop(tmp_path / "git")
    running = repository.git("rev-parse", "HEAD")
    fixed = repository.commit({"shop.py": f"def total(order):\n    {FIXED}\n"}, "read a missing count as 1")
    repository.commit({"README.md": "more\n"})

    text = pipeline(repository).replace("test: python3", f"release: {running[:12]}, test: python3")
    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)

    (report,) = done.reports
    (decision,) = report.decisions
    assert (done.error, report.change, fix_branches(repository)) == ("", None, [])
    assert decision.rule == "fixed-not-deployed"
    assert decision.text == (
        f"fixed in {fixed[:12]} of the branch, not deployed: the error came from release {running[:12]} "
        f"({running[:12]}). Deploy a release with that commit."
    )


def test_people_too_are_told_which_files_a_path_of_the_trace_may_be(tmp_path):
    repository = shop(tmp_path / "git")
    repository.git("rm", "-q", "shop.py")
    repository.commit({"one/shop.py": "def total(order): ...\n", "two/shop.py": "def total(order): ...\n"})

    text = pipeline(repository).replace('paths: {/srv/: ""}, ', "")
    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)

    (report,) = done.reports
    (told,) = [one for one in report.decisions if one.rule == "ambiguous-path"]
    assert told.text == "/srv/shop.py fits several files, none is shown: one/shop.py; two/shop.py"
    assert told.setting == "repository.paths"


def test_evidence_that_did_not_fit_is_on_record_in_the_order_it_was_cut(tmp_path):
    repository = shop(tmp_path / "git")
    repository.commit({"test_shop.py": TEST + f"# {'more ' * 20}\n" * 200})

    text = pipeline(repository).replace("3650d", "3650d, evidence_tokens: 1000")
    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)

    (report,) = done.reports
    cut = next(decision for decision in report.decisions if decision.rule == "evidence-cut")
    assert (done.error, cut.setting) == ("", "policy.evidence_tokens")
    assert cut.text == "evidence was cut, the last first: shortened: tests: test_shop.py"


def test_what_fixed_a_similar_incident_is_evidence_for_the_next_one(tmp_path):
    repository = shop(tmp_path / "git")
    run_pipeline(pipeline(repository), {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    with Store.open(tmp_path / "state") as store:
        store.incidents.set_state(1, "resolved")

    other = trace().replace("in total", "in amount").replace("03:00", "04:00")
    with (tmp_path / "shop.log").open("a") as log:
        log.write(other)
    done = run_pipeline(pipeline(repository), {"answer.yaml": answer()}, tmp_path)

    with Store.open(tmp_path / "state") as store:
        (similar,) = [item for item in store.runs.evidence(2) if item.kind == "incident"]
    assert (done.error, similar.title) == ("", "similar incident 1")
    assert "done then: pushed branch fix/" in similar.text
    assert "what fixed it:\ndiff --git a/shop.py b/shop.py" in similar.text
