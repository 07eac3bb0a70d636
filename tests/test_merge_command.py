"""aiops incidents merge, unmerge and show, as people type them."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.records import Event, Frame, RaisedException
from aiops_core.store import Store


@pytest.fixture
def incidents(tmp_path):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    with Store.open(tmp_path / "state", clock=lambda: now) as store:
        for key, functions in (("a", ("main", "total")), ("b", ("main", "total", "tax"))):
            raised = RaisedException("E", "x\x07", tuple(Frame("a.py", 1, name) for name in functions))
            found = Event("E", "x\x07", "error", exceptions=(raised,), fingerprint=key, key=key, read_at=now)
            store.record("shop", [(found, True)], [], {})

    def run(*arguments):
        return CliRunner().invoke(cli, ["incidents", *arguments, "--state", str(tmp_path / "state")])

    return run


def test_show_lists_similar_incidents(incidents):
    assert "\n  similar to incident 2 (80%): E: x�\n" in incidents("show", "1").output


def test_each_incident_is_one_line_that_is_cut_on_a_terminal_alone(incidents, tmp_path, monkeypatch):
    with Store.open(tmp_path / "state") as store:
        store.record("shop", [(Event("E", "word " * 30, "error", fingerprint="c", key="c"), True)], [], {})

    whole = incidents("list").output.splitlines()
    monkeypatch.setattr("aiops_core.cli.columns.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "90")
    cut = incidents("list").output.splitlines()

    assert (len(whole), len(cut)) == (4, 4)
    assert any(line.endswith("word word") for line in whole)
    assert max(map(len, cut)) == 90
    assert any(line.endswith("word w…") for line in cut)


def test_a_merge_is_shown_until_it_is_undone(incidents):
    assert incidents("merge", "1", "2").output == "incident 2 is merged into 1\n"
    assert "\n  merged into incident 1\n" in incidents("show", "2").output
    assert "\n  with incident 2 merged into it\n" in incidents("show", "1").output
    assert "similar to" not in incidents("show", "1").output
    assert "merged into 1" in incidents("list").output

    assert incidents("unmerge", "2").output == "incident 2 is no longer part of 1\n"
    assert "merged" not in incidents("list").output
