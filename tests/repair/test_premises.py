import os

import pytest
from response_scene import answer, fix_branches, pipeline, shop, trace

from aiops_core.errors import Refused
from aiops_core.repair import Premises
from aiops_core.testing.pipeline import run_pipeline
from aiops_core.text.phrases import size_text

MB = 1 << 20


def fill(path, size=2 * MB):
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(size))


@pytest.fixture
def scene(tmp_path):
    """Return a repository, and a function that lets a pipeline with a limit of 1 MB answer one error."""
    repository = shop(tmp_path / "git")

    def run():
        files = {"shop.log": trace(), "answer.yaml": answer()}
        return run_pipeline(f"disk: 1MB\n{pipeline(repository)}", files, tmp_path / "run", timeout=60)

    return repository, run


def test_what_killed_runs_left_is_removed_at_the_next_start(scene, tmp_path):
    _, run = scene
    fill(tmp_path / "run/state/work/run-77/run/work/left")

    result = run()

    assert result.error == ""
    assert list((tmp_path / "run/state/work").iterdir()) == []


def test_a_mirror_no_pipeline_names_makes_room(scene, tmp_path):
    repository, run = scene
    fill(tmp_path / "run/state/mirrors/old-0123456789.git/objects/pack/a.pack")

    run()

    assert len(fix_branches(repository)) == 1
    assert [path.name[:5] for path in (tmp_path / "run/state/mirrors").glob("*.git")] == ["shop-"]


def test_r25_without_room_no_fix_is_tried_and_people_are_told_what_to_change(scene, tmp_path):
    repository, run = scene
    fill(tmp_path / "run/state/scratch/shop/kept/file")

    (report,) = run().reports

    assert fix_branches(repository) == []
    (decision,) = [decision for decision in report.decisions if decision.rule == "disk"]
    assert decision.setting == "disk"
    assert decision.text.startswith(
        f"{tmp_path / 'run/state'}: repositories and their working copies take 2."
    ) and decision.text.endswith(
        " and may take 1 MB. Raise 'disk', or let fewer 'workers' repair at the same time."
    )


AGENT = """
from pathlib import Path
from aiops_core import Analyzer

class Agent(Analyzer):
    def analyze(self, incident, evidence):
        self.context.check_out(self.context.scratch / "work")
"""


def test_without_room_an_agent_gets_no_checkout(tmp_path):
    text = pipeline(shop(tmp_path / "git"), analyzers="      - ./agent.py:Agent")
    fill(tmp_path / "run/state/scratch/shop/kept/file")

    result = run_pipeline(f"disk: 1MB\n{text}", {"shop.log": trace(), "agent.py": AGENT}, tmp_path / "run")

    (decision,) = [one for one in result.reports[0].decisions if one.rule == "disk"]
    assert "repositories and their working copies take 2" in decision.text
    assert list((tmp_path / "run/state/scratch").rglob("work")) == []


def test_what_somebody_works_on_stays(tmp_path):
    premises = Premises(tmp_path, MB)
    fill(premises.work(1) / "file")
    fill(premises.work(2) / "file")

    with pytest.raises(Refused):
        premises.make_room([1], ())

    assert premises.work(1).exists() and not premises.work(2).exists()


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "0.5 KB"), (MB, "1 MB"), (1010 * MB, "1010 MB"), (3 << 29, "1.5 GB"), (20 << 30, "20 GB")],
)
def test_a_size_is_written_as_people_do(size, text):
    assert size_text(size) == text
