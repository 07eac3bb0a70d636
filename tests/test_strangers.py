"""What nobody checked the sender of goes no further than a person lets it."""

import pytest
from response_scene import answer, fix_branches, pipeline, shop, trace

from aiops_core.cli import cli
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

OPEN_PORT = """\
from pathlib import Path
from aiops_core import LogBatch, Source

class OpenPort(Source):
    checks_senders = False

    def source(self, positions):
        data = Path(self.context.directory, "sent").read_bytes()
        if data and not positions:
            yield LogBatch("port", data, ((0, {"at": 0}), (len(data), {"at": len(data)})))
"""
AGENT = """\
from pathlib import Path
from aiops_core import Analyzer

class Agent(Analyzer):
    is_agent = True

    def analyze(self, incident, evidence):
        with Path(self.context.directory, "asked").open("a") as asked:
            asked.write("x")
"""


@pytest.fixture
def repository(tmp_path):
    return shop(tmp_path / "git")


def respond(repository, directory, *, source="{uses: './port.py:OpenPort'}", policy=""):
    text = pipeline(repository).replace("{uses: file, with: {paths: [./shop.log], start: beginning}}", source)
    text = text.replace("max_age: 3650d", f"max_age: 3650d{policy}")
    text = text.replace(
        "    analyzers:\n", "    analyzers:\n      - {uses: './agent.py:Agent', name: agent}\n"
    )
    files = {"port.py": OPEN_PORT, "agent.py": AGENT, "answer.yaml": answer(), "sent": trace()}
    done = run_pipeline(text, {**files, "shop.log": trace()}, directory)
    assert (done.error, done.faults) == ("", ())
    return done


def asked(directory) -> int:
    return len((directory / "asked").read_text()) if (directory / "asked").exists() else 0


def test_s4_a_fix_for_events_of_unknown_senders_waits_for_a_person(tmp_path, repository):
    (report,) = respond(repository, tmp_path).reports
    before = fix_branches(repository)
    with Store.open(tmp_path / "state") as store:
        (one,) = store.runs.unanswered()
    short = one.stored.plan.hash[:12]
    command = ["approvals", "approve", short, "--state", str(tmp_path / "state")]
    cli.main(command, "aiops", standalone_mode=False)
    respond(repository, tmp_path)

    assert (before, one.stored.why) == ([], "nobody checked who sent the events")
    assert report.incident.event.unauthenticated
    assert f"waits for an approval of plan {short}, since nobody checked who" in report.decisions[-1].text
    assert len(fix_branches(repository)) == 1


def test_s4_an_agent_is_not_asked_about_events_of_unknown_senders_unless_a_person_asks(tmp_path, repository):
    (report,) = respond(repository, tmp_path).reports
    unasked = asked(tmp_path)
    cli.main(["incidents", "retry", "1", "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
    respond(repository, tmp_path)

    (said,) = [decision for decision in report.decisions if decision.rule == "unauthenticated"]
    assert said.text == (
        "agent: not asked, an agent acts on events only whose senders are known. "
        "Look at them, then 'aiops incidents retry 1' lets it answer"
    )
    assert (unasked, asked(tmp_path)) == (0, 1)
    assert report.analysis.analyzer == "recorded"


@pytest.mark.parametrize(
    ("source", "policy"),
    [
        ("{uses: file, with: {paths: [./shop.log], start: beginning}}", ""),
        ("{uses: './port.py:OpenPort'}", ", ask_for: [outside-trace]"),
    ],
)
def test_s4_known_senders_or_a_setting_need_nobody(tmp_path, repository, source, policy):
    respond(repository, tmp_path, source=source, policy=policy)

    assert (len(fix_branches(repository)), asked(tmp_path)) == (1, 1)
