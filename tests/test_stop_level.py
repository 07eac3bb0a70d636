"""How far a fix goes by itself, through the public door."""

import pytest
from response_scene import answer, fix_branches, pipeline, shop, trace

from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline


def run(tmp_path, log=None, **policy):
    repository = shop(tmp_path / "git")
    settings = ", ".join(f"{name}: {value}" for name, value in {"max_age": "3650d", **policy}.items())
    text = pipeline(repository).replace("policy: {max_age: 3650d}", f"policy: {{{settings}}}")
    done = run_pipeline(text, {"shop.log": log or trace(), "answer.yaml": answer()}, tmp_path)
    return repository, done


def rules(done):
    return [decision.rule for report in done.reports for decision in report.decisions]


@pytest.mark.parametrize(
    ("level", "is_fixed", "branches", "expected"),
    [
        ("analyse", False, 0, ["stop-level"]),
        ("patch", True, 0, ["stop-level"]),
        ("branch", True, 1, []),
        ("draft", True, 1, []),
        ("ready", True, 1, []),
    ],
)
def test_r26_a_fix_stops_at_the_level_of_its_pipeline(tmp_path, level, is_fixed, branches, expected):
    repository, done = run(tmp_path, stop_at=level)

    (report,) = done.reports
    assert (done.error, report.change is not None) == ("", is_fixed)
    assert (len(fix_branches(repository)), rules(done)) == (branches, expected)
    assert report.analysis.confidence == 0.9


def test_r26_too_few_events_are_analysed_and_the_one_that_makes_them_enough_is_answered(tmp_path):
    log = tmp_path / "shop.log"
    repository, first = run(tmp_path, trace(2), min_events=3)
    before = (rules(first), fix_branches(repository))
    with log.open("a") as file:
        file.write(trace(1))

    text = pipeline(repository).replace("max_age: 3650d", "max_age: 3650d, min_events: 3")
    second = run_pipeline(text, {"answer.yaml": answer()}, tmp_path)

    assert before == (["too-few-events"], [])
    assert (second.error, len(fix_branches(repository))) == ("", 1)
    with Store.open(tmp_path / "state") as store:
        assert store.runs.get(2).reason == "3 events"
