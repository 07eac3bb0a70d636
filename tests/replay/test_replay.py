"""What a replay says of recorded logs, and that it has no effect on anything."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.errors import UserError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shop"
TRACE = """\
2026-11-21 03:{minute:02}:00,000 ERROR shop: order failed
Traceback (most recent call last):
  File "/srv/shop.py", line 2, in total
    return order["price"]
KeyError: 'price'
"""
PIPELINE = """\
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log]}}}}]
    detectors: [python]
    timezone: UTC
    analyzers: [{analyzer}]
    notifiers: [{{uses: file, with: {{path: ./told.jsonl}}}}]
"""
CLAUDE = '{uses: claude, with: {api_key: "${env:ANTHROPIC_API_KEY}", base_url: "http://127.0.0.1:9"}}'


def replay(*arguments):
    result = CliRunner().invoke(cli, ["replay", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def example(directory):
    """Copy the example; return the arguments that replay it."""
    for name in ("pipeline.yaml", "shop.log", "answers.yaml"):
        (directory / name).write_text((EXAMPLE / name).read_text())
    return [
        "-c",
        directory / "pipeline.yaml",
        directory / "shop.log",
        "--cassette",
        directory / "answers.yaml",
    ]


def test_the_example_does_what_is_expected_of_it():
    code, said = replay(
        "-c", EXAMPLE / "pipeline.yaml", EXAMPLE / "shop.log", "--cassette", EXAMPLE / "answers.yaml",
        "--expect", EXAMPLE / "replay.yaml",
    )  # fmt: skip

    assert (code, said.endswith("replay.yaml: as expected\n")) == (0, True)


def test_one_changed_threshold_shows_up_as_a_readable_difference(tmp_path):
    arguments = example(tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    (tmp_path / "pipeline.yaml").write_text(text.replace("min_confidence: 0.8", "min_confidence: 0.95"))

    code, said = replay(*arguments, "--expect", EXAMPLE / "replay.yaml")

    changed = [line for line in said.splitlines() if line[:1] in "+-"]
    assert code == 1
    assert changed == [
        "--- expected",
        "+++ found",
        "-    - events: 2",
        "+    - decided:",
        "+        - confidence (policy.min_confidence)",
        "+      events: 2",
        "-        - actions:",
        "-            local_branch:",
        "-              does: acts",
        "-              plan: Push branch fix/key-error-64803b28489a",
        "-          analysis:",
        "+        - analysis:",
        "-    actions: 1",
        "+    actions: 0",
    ]


def test_the_same_logs_give_the_same_text_wherever_they_are_and_whenever(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        replay(*example(tmp_path / name), "--save", tmp_path / name / "saved.yaml")

    one, other = ((tmp_path / name / "saved.yaml").read_text() for name in ("one", "other"))
    assert one == other == (EXAMPLE / "replay.yaml").read_text()
    assert str(tmp_path) not in one


def test_nothing_is_asked_told_or_left_behind(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.format(analyzer=CLAUDE))
    (tmp_path / "shop.log").write_text(TRACE.format(minute=0))

    code, said = replay("-c", tmp_path / "pipeline.yaml", tmp_path / "shop.log")

    found = yaml.safe_load(said)["shop"]
    assert (code, sorted(path.name for path in tmp_path.iterdir())) == (0, ["pipeline.yaml", "shop.log"])
    assert found["incidents"][0]["runs"][0]["analysis"]["answer"] == "not asked"
    assert float(found["totals"]["estimated cost"].removesuffix(" USD")) > 0.01
    assert [one["to"] for one in found["incidents"][0]["sent"]] == ["file"]
    assert "faults" not in found


def test_budgets_hold_in_a_replay(tmp_path):
    text = PIPELINE.format(analyzer=CLAUDE) + "    policy: {budget: {per_day: 1 call}}\n"
    (tmp_path / "pipeline.yaml").write_text(text)
    (tmp_path / "shop.log").write_text(TRACE.format(minute=0) + TRACE.format(minute=1).replace("Key", "Type"))

    _, said = replay("-c", tmp_path / "pipeline.yaml", tmp_path / "shop.log")

    found = yaml.safe_load(said)["shop"]
    assert found["totals"]["answers of models"] == 1
    assert found["incidents"][1]["decided"][0] == "budget (policy.budget.per_day)"


def test_the_clock_follows_the_logs(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.format(analyzer="knowledge"))
    (tmp_path / "shop.log").write_text(TRACE.format(minute=0) + TRACE.format(minute=45))

    _, said = replay("-c", tmp_path / "pipeline.yaml", tmp_path / "shop.log")

    incident = yaml.safe_load(said)["shop"]["incidents"][0]
    assert (incident["first"], incident["last"], incident["events"]) == ("0s", "45m", 2)


def test_an_analyzer_that_needs_no_network_answers(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.format(analyzer="knowledge"))
    (tmp_path / "shop.log").write_text(TRACE.format(minute=1).replace("KeyError: 'price'", "MemoryError"))

    _, said = replay("-c", tmp_path / "pipeline.yaml", tmp_path / "shop.log")

    analysis = yaml.safe_load(said)["shop"]["incidents"][0]["runs"][0]["analysis"]
    assert analysis["by"] == "knowledge"
    assert "estimated cost" not in analysis


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.log"], "nowhere.log: no such file or directory. Name a log file, or a directory of them"),
        (["shop.log", "--pipeline", "x"], "no pipeline 'x'. It has shop"),
        (["shop.log", "--expect", "no.yaml"], "no.yaml: No such file or directory. Write it with --save"),
        (
            ["shop.log", "--save", "no/saved.yaml"],
            "no/saved.yaml: cannot be written: No such file or directory",
        ),
    ],
)
def test_mistakes_are_told(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("pipeline.yaml").write_text(PIPELINE.format(analyzer="knowledge"))
    Path("shop.log").write_text("")

    with pytest.raises(UserError, match=words):
        replay(*arguments)
