"""aiops fingerprint explain, as people type it."""

import re
from itertools import chain

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.settings import GroupingRule
from aiops_core.text.blocks import Cutter

LOG = """\
2026-01-01 10:00:00 ERROR user 42 is gone
2026-01-01 10:00:01 ERROR user 43 is gone
Traceback (most recent call last):
  File "/srv/releases/20261121/shop/cart.py", line 7, in total
    return price * count
ValueError: no price
2026-01-01 10:00:02 ERROR user 44 is gone
"""
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python, levels]
    grouping:
      - {message: "user .* gone", key: lost users}
"""
TRACE = 'Traceback (most recent call last):\n  File "/a/b.py", line 1, in f\n    g()\nOSError: code {code}\n'


@pytest.fixture
def explain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, log=LOG, stdin=None):
        (tmp_path / "shop.log").write_text(log)
        done = CliRunner().invoke(cli, ["fingerprint", "explain", *arguments], input=stdin)
        shown = done.output.replace(f"{tmp_path}/", "")
        return re.sub(r"v\d+:[0-9a-f]{32}", "vN:hash", shown), done

    return run


def test_explain_shows_what_counts_and_what_was_masked(explain):
    shown, done = explain("shop.log", "-d", "python", "-d", "levels")

    assert shown == (
        "shop.log bytes 0-42  LogError: user 42 is gone\n"
        "  vN:hash\n"
        "  detector   levels\n"
        "  type       LogError\n"
        "  message    user 42 is gone  →  user <*> is gone\n"
        "\n"
        "shop.log bytes 42-228  ValueError: no price · total\n"
        "  vN:hash\n"
        "  detector   python\n"
        "  type       ValueError\n"
        "  own frame  /srv/releases/20261121/shop/cart.py:total  →  cart:total\n"
        "\n"
        "shop.log bytes 228-270  LogError: user 44 is gone\n"
        "  vN:hash again\n"
        "\n"
        "3 events, 2 fingerprints\n"
    )
    assert done.exit_code == 0


def test_explain_reads_standard_input(explain):
    shown, _ = explain("-", "-d", "levels", stdin="ERROR a 1\n")

    assert "message    a 1  →  a <*>" in shown


def test_explain_uses_the_rules_of_a_pipeline_file(explain, tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)

    shown, _ = explain("shop.log", "-d", "levels", "-f", "pipeline.yaml")

    assert "  rule       grouping[0]  →  lost users\n" in shown


def test_explain_asks_which_pipeline_is_meant(explain, tmp_path):
    (tmp_path / "p.yaml").write_text(PIPELINE + PIPELINE.partition("\n")[2].replace("shop:", "other:", 1))

    _, unnamed = explain("shop.log", "-f", "p.yaml")
    _, unknown = explain("shop.log", "-f", "p.yaml", "--pipeline", "x")
    _, named = explain("shop.log", "-f", "p.yaml", "--pipeline", "other")

    assert str(unnamed.exception) == "p.yaml: several pipelines. Name one: --pipeline shop | other"
    assert str(unknown.exception) == "p.yaml: no pipeline 'x'. It has shop, other"
    assert named.exit_code == 0


def test_explain_shows_no_control_characters(explain):
    shown, _ = explain("-", "-d", "levels", stdin="ERROR a\x07b is 5\n")

    assert "a�b is <*>" in shown


def test_a_bad_rule_is_named_with_its_line(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("user .* gone", "user("))
    (tmp_path / "shop.log").touch()

    done = CliRunner().invoke(cli, ["check", str(tmp_path / "pipeline.yaml")])

    assert "pipeline.yaml:6:10: grouping[0].message: 'user(' is no regular expression" in str(done.exception)


def test_a_rule_about_numbers_in_a_message_holds_for_blocks_that_repeat():
    from aiops_detector_python import PythonErrors

    rule = GroupingRule(message="code 404", key="missing")
    detection = Detection([("python", PythonErrors())], grouping=[rule])
    data = "".join(TRACE.format(code=code) for code in (*range(500, 530), 404, 531)).encode()
    batch = LogBatch("s", data, ((0, {}), (len(data), {})), ended=True)
    cutter = Cutter(detection.grammar, 0)

    claims = chain(cutter.feed(data)[0], cutter.flush())
    found = [event.fingerprint for claim in claims for event in detection.events(claim, batch=batch)]

    assert len(found) == 32
    assert [found.count(one) for one in dict.fromkeys(found)] == [31, 1]
