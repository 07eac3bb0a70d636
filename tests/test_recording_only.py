"""A pipeline that reads and detects, and has nobody to answer to."""

from pathlib import Path

from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.store import Store

TRACE = """\
Traceback (most recent call last):
  File "/srv/shop.py", line 2, in total
    return order["price"]
KeyError: 'price'
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python]
"""
SURE = """\
from aiops_core import Analysis, Analyzer

class Sure(Analyzer):
    def analyze(self, incident, evidence):
        return Analysis("t", "s", "r")
"""


def log(directory: Path, pipeline: str) -> None:
    """Write one more trace and run over it."""
    (directory / "pipeline.yaml").write_text(pipeline)
    with (directory / "shop.log").open("a") as log:
        log.write(TRACE)
    result = CliRunner().invoke(cli, ["run", "--once", str(directory / "pipeline.yaml")])
    assert result.exit_code == 0, result.output


def test_it_starts_no_runs_and_says_once_why(tmp_path):
    log(tmp_path, PIPELINE)
    log(tmp_path, PIPELINE)

    with Store.open(tmp_path / "state") as store:
        (incident,) = store.incidents.list()
        rules = [decision.rule for decision in store.incidents.decisions(1)]
        assert (incident.state, incident.count, store.runs.latest(1)) == ("ongoing", 2, None)
    assert rules.count("recorded") == 1
    shown = CliRunner().invoke(cli, ["incidents", "show", "1", "--state", str(tmp_path / "state")]).output
    assert "names nobody who analyses it or is told" in shown


def test_once_somebody_is_there_the_next_event_is_answered(tmp_path):
    log(tmp_path, PIPELINE)
    (tmp_path / "sure.py").write_text(SURE)

    log(tmp_path, f"{PIPELINE}    analyzers: [./sure.py:Sure]\n")

    with Store.open(tmp_path / "state") as store:
        assert store.runs.latest(1).state == "done"
