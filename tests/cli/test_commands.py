"""The command line, as people type it."""

import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from cli_scene import AIOPS, CRASH, aiops

from aiops_core.cli import COMMANDS, cli
from aiops_core.records import Report
from aiops_core.store import Store
from aiops_core.testing import run_pipeline

PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python]
    notifiers: [console]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    directory = tmp_path_factory.mktemp("shop")
    result = run_pipeline(PIPELINE, {"shop.log": CRASH}, directory)
    assert len(result.incidents) == 1, result
    return directory


@pytest.fixture
def shop(ran, tmp_path, monkeypatch):
    """A directory in which one pipeline has run over one crash."""
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- exit codes and help ------------------------------------------------------------------------


def test_version_and_help_end_with_0(tmp_path):
    version, help_ = aiops("--version", cwd=tmp_path), aiops("--help", cwd=tmp_path)

    assert (version.returncode, version.stdout) == (0, "aiops, version 0.1.0\n")
    assert help_.returncode == 0
    assert "Watch logs, group errors, find the cause, propose the fix, tell people." in help_.stdout


def test_a_wrong_file_ends_with_2_and_one_line(tmp_path):
    done = aiops("check", "none.yaml", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == "none.yaml: No such file or directory. Give the path of a pipeline file\n"


def test_a_plugin_that_raises_in_its_start_is_told_by_its_line(tmp_path):
    (tmp_path / "broken.py").write_text(
        "from aiops_core import Event, LogDetector\n"
        "class Broken(LogDetector):\n"
        "    triggers = ('ValueError',)\n"
        "    def start(self):\n"
        "        raise RuntimeError('not the user')\n"
        "    def detect(self, block): return None\n"
    )
    (tmp_path / "shop.log").write_text(CRASH)
    (tmp_path / "pipeline.yaml").write_text(
        "pipelines: {shop: {sources: [{uses: file, with: {paths: [./shop.log]}}], "
        "detectors: ['./broken.py:Broken']}}\n"
    )

    done = aiops("run", "--once", cwd=tmp_path)

    assert done.returncode == 2
    assert "RuntimeError: not the user" in done.stderr
    assert "broken.py:5" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_state_database_ends_with_1_and_names_the_file(shop):
    (shop / "state" / "aiops.db").write_bytes(b"no database at all " * 500)

    done = aiops("incidents", "list", cwd=shop)

    assert done.returncode == 1
    assert "aiops.db" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scna", "x"], "Error: no command 'scna'. Did you mean 'scan'?"),
        (["xyzzy"], "Error: no command 'xyzzy'. 'aiops --help' lists the commands."),
        (["scan"], "Error: Missing argument 'PATH...'."),
        (["run", "--onec"], "Error: No such option '--onec'. Did you mean '--once'?"),
    ],
)
def test_what_was_typed_wrong_is_named_and_ends_with_2(typed, arguments, told):
    code, _, error = typed(*arguments)

    assert code == 2
    assert error.splitlines()[-1] == told


def commands(group=cli, path=()):
    for name in COMMANDS if group is cli else group.list_commands(None):
        command = group.get_command(None, name)
        yield (*path, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(typed, path):
    code, output, _ = typed(*path, "--help")

    usage, _, purpose, *_ = output.splitlines()
    assert code == 0
    assert usage.startswith(f"Usage: aiops {' '.join(path)}")
    assert purpose.strip().endswith((".", ",")) or len(purpose) > 60


@pytest.mark.parametrize("command", ["--help", "plugins", "scan shop.log", "incidents list --help"])
def test_any_command_into_a_closed_pipe_ends_quietly(tmp_path, command):
    (tmp_path / "shop.log").write_text(CRASH)

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {AIOPS} {command} | true"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# -- incidents and deliveries -------------------------------------------------------------------


def test_incidents_are_listed_shown_and_found_by_fingerprint(typed, shop):
    code, listed, _ = typed("incidents", "list")
    row = listed.splitlines()[1].split()
    assert (code, row[:4]) == (0, ["1", "new", "error", "1"])

    code, shown, _ = typed("incidents", "show", "1")
    assert code == 0
    assert shown.splitlines()[0] == "incident 1  ValueError: no price"
    assert "· 1 event ·" in shown
    assert '  |   File "/app/shop/cart.py", line 7, in total' in shown
    assert "run 1 (new): done" in shown
    for step in ("evidence", "analyze", "repair", "notify"):
        assert f" {step}" in shown

    fingerprint = shown.splitlines()[1].rpartition(" ")[2]
    assert typed("incidents", "show", fingerprint[:8])[1] == shown


def test_an_incident_from_a_container_is_shown_as_its_program_wrote_it(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    carried = "".join(
        json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-11-21T07:00:00.1Z"}) + "\n"
        for line in CRASH.splitlines()
    )
    run_pipeline(PIPELINE, {"shop.log": carried}, tmp_path)

    shown = typed("incidents", "show", "1")[1]

    assert '  |   File "/app/shop/cart.py", line 7, in total' in shown
    assert '"stream"' not in shown


def test_incidents_are_resolved_ignored_and_retried(typed, shop):
    assert typed("incidents", "resolve", "1") == (0, "incident 1: new → resolved\n", "")
    assert typed("incidents", "ignore", "1") == (0, "incident 1: resolved → ignored\n", "")
    assert typed("incidents", "retry", "1") == (0, "run 2 of incident 1 is queued\n", "")
    assert typed("incidents", "list", "--in-state", "new") == (0, "no incidents\n", "")
    assert "ignored" in typed("incidents", "list", "--in-state", "ignored")[1]


def test_an_incident_is_ignored_until_something(typed, shop):
    _, by_time, _ = typed("incidents", "ignore", "1", "--for", "7d")
    by_count = typed("incidents", "ignore", "1", "--events", "50")
    by_release = typed("incidents", "ignore", "1", "--until-release")
    both, _, error = typed("incidents", "ignore", "1", "--until-release", "--events", "1")

    assert re.fullmatch(r"incident 1: new → ignored until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\n", by_time)
    assert by_count == (0, "incident 1: ignored → ignored until 50 more events came\n", "")
    assert by_release == (0, "incident 1: ignored → ignored until it comes from another release\n", "")
    assert (both, error) == (2, "--for, --events, --until-release: which one? Write one of them\n")
    assert "ignored until 50 more events came: set by hand" in typed("why", "1")[1]


def test_a_retried_incident_is_answered_by_the_next_run(typed, tmp_path):
    run_pipeline(PIPELINE, {"shop.log": CRASH}, tmp_path)
    typed("incidents", "retry", "1", "--state", tmp_path / "state")

    again = run_pipeline(PIPELINE, {}, tmp_path)

    assert [report.key[-5:] for report in again.reports] == ["run-2"]
    assert again.incidents[0].count == 1


@pytest.mark.parametrize("command", ["show", "retry", "resolve", "ignore"])
def test_an_incident_that_is_not_there_is_named(typed, shop, command):
    code, output, error = typed("incidents", command, "99")

    assert (code, output) == (2, "")
    assert error.startswith("incident 99: ")
    assert error.count("\n") == 1


def test_deliveries_are_listed_and_sent_again(typed, shop):
    code, listed, _ = typed("deliveries", "list")
    row = next(line for line in listed.splitlines() if "console" in line)
    assert code == 0
    assert row.split()[1:5] == ["sent", "1", "of", "3"]

    assert typed("deliveries", "retry", row.split()[0]) == (0, f"delivery {row.split()[0]} is due now\n", "")
    assert "waiting" in typed("deliveries", "list")[1]
    code, _, error = typed("deliveries", "retry", "99")
    assert (code, error.count("\n")) == (2, 1)


def test_why_tells_how_an_incident_came_to_where_it_is(typed, shop):
    typed("incidents", "ignore", "1")

    code, told, _ = typed("why", "1")
    trail = [json.loads(line) for line in typed("why", "1", "--json")[1].splitlines()]

    assert code == 0
    assert told.startswith("incident 1  ValueError: no price\n  ignored · error · 1 event\n")
    assert "  state       new: seen for the first time\n" in told
    assert [turn["at"] for turn in trail] == sorted(turn["at"] for turn in trail)
    assert [turn["text"] for turn in trail if turn["rule"] == "state"] == [
        "new: seen for the first time",
        "ignored: set by hand, it was new",
    ]
    assert "run 1 was queued, reason: new" in told and "run 1 ended: done" in told
    assert next(turn for turn in trail if turn["rule"] == "no-edits")["setting"] == "analyzers"
    assert "setting: analyzers" in told
    assert "console: sent after 1 attempt" in told
    assert typed("why", "99")[0] == 2


def test_jobs_are_listed_requeued_and_dropped(typed, shop):
    assert typed("jobs", "list") == (0, "no jobs\n", "")
    typed("incidents", "retry", "1")

    row = typed("jobs", "list", "--in-state", "ready")[1].split()

    assert row[1:5] == ["ready", "0", "of", "5"]
    assert row[-1] == "run:2"
    assert typed("jobs", "requeue", row[0]) == (0, f"job {row[0]} is due now\n", "")
    assert typed("jobs", "drop", row[0]) == (0, f"job {row[0]} is dropped\n", "")
    assert typed("jobs", "drop", row[0])[::2] == (
        2,
        f"job {row[0]}: there is none. `aiops jobs list` shows those that are.\n",
    )


def test_without_a_state_database_the_next_step_is_named(typed, tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    told = "no state database. Run 'aiops run' first, or name another --file or --state\n"

    for command in ("incidents", "deliveries"):
        code, _, error = typed(command, "list", "--file", tmp_path / "pipeline.yaml")
        assert (code, error) == (2, f"{tmp_path}/state: {told}")
    assert typed("incidents", "list", "--state", tmp_path / "none")[2] == f"{tmp_path}/none: {told}"


# -- check, schema, plugins, doctor -------------------------------------------------------------


def test_check_shows_the_steps_with_their_modes_and_touches_nothing(typed, tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE + "    repository: {url: ./r}\n    actions: [local_branch]\n")

    code, output, _ = typed("check", path)

    assert code == 0
    assert output.splitlines() == [
        "shop:",
        "  sources    file",
        "  detectors  python",
        "  actions    local_branch (dry_run)",
        "  notifiers  console",
        f"{path}: fine",
    ]
    assert [item.name for item in tmp_path.iterdir()] == ["pipeline.yaml"]


def test_the_schema_accepts_a_good_pipeline_and_refuses_bad_ones(typed):
    code, output, _ = typed("schema")
    validator = jsonschema.Draft202012Validator(json.loads(output))
    bad = {
        "an unknown key": PIPELINE + "    notifers: []\n",
        "an unknown component": PIPELINE.replace("console", "consol"),
        "an unknown setting": PIPELINE.replace("paths:", "path:"),
        "no source": "pipelines: {shop: {sources: []}}",
        "no severity": PIPELINE + "    routes: [{when: {severity: grave}, to: console}]\n",
    }
    routed = PIPELINE + "    routes: [{when: {severity: [fatal, high, warning]}, to: console}]\n"

    assert code == 0
    assert list(validator.iter_errors(yaml.safe_load(PIPELINE))) == []
    assert list(validator.iter_errors(yaml.safe_load(routed))) == []
    assert [name for name, text in bad.items() if validator.is_valid(yaml.safe_load(text))] == []


def test_plugins_are_listed_and_one_is_explained(typed):
    _, listed, _ = typed("plugins")
    both = typed("plugins", "file")[1]
    code, shown, _ = typed("plugins", "journald")
    _, _, error = typed("plugins", "fil")

    assert "detectors   python                 aiops-core 0.1.0" in listed.splitlines()
    assert code == 0
    assert "source file of aiops-core 0.1.0 (aiops_source_file:FileSource)\n" in both
    assert "notifier file of aiops-core 0.1.0 (aiops_notifier_file:FileNotifier)\n" in both
    assert "  exclude: list of text, none by default\n" in both
    assert "  paths: list of text, required\n" in both
    assert shown.startswith("source journald of aiops-core 0.1.0 (aiops_source_journald:")
    assert "``" not in shown
    assert [line for line in shown.splitlines()[1:] if not line.startswith("  ")] == []
    assert max(map(len, shown.splitlines())) <= 100
    assert error == "fil: not installed. Did you mean 'file'?\n"


def test_doctor_looks_at_the_machine_and_at_a_pipeline(typed, shop):
    code, output, _ = typed("doctor")

    signs = {line.split(":")[0][2:]: line[0] for line in output.splitlines()}
    assert code == 0
    assert (signs["python"], signs["git"], signs["plugins"], signs["state"]) == ("✓", "✓", "✓", "✓")


def test_doctor_tells_how_every_part_does_and_what_to_do(typed, shop):
    with Store.open(shop / "state") as store:
        store.queue.enqueue("run", "run:7", {"run": 7})
        store.queue.bury(store.queue.lease(["run"], "me", 60), "it fell over")
        store.fault("shop", "model", "the model is away")
        report = Report("k", "incident", "shop", "t", created_at=store.clock())
        number = store.deliveries.plan(None, None, "chat", report, "k")
        store.deliveries.give_up([number], "no such channel")

    _, output, _ = typed("doctor")

    assert "· run: nobody watches. Start 'aiops run', or 'systemctl start' its service\n" in output
    assert re.search(
        r"· given up: run run:7: it fell over\. Try it again with 'aiops jobs requeue \d+'\n", output
    )
    assert "· target chat: 1 message not taken: no such channel. See 'aiops deliveries list'\n" in output
    assert "· fault: shop: the model is away (1 time, last " in output
    assert "✓ queue: " in output


def test_doctor_names_logs_that_are_not_there(typed, tmp_path):
    path = tmp_path / "pipeline.yaml"
    (tmp_path / "there.log").write_text("")
    (tmp_path / "empty").mkdir()
    places = "[./there.log, ./shop.log, '/nowhere/*.log', ./empty]"
    path.write_text(PIPELINE.replace("[./shop.log]", places))

    code, output, _ = typed("doctor", path)

    rest = "no file is there. Correct its settings, or the rights of who runs aiops; else it is read once it is there"
    assert code == 0
    assert [line for line in output.splitlines() if line.startswith("· shop.file: ")] == [
        f"· shop.file: {place}: {rest}" for place in ("./shop.log", "/nowhere/*.log", "./empty")
    ]


def test_doctor_ends_with_2_when_the_pipeline_cannot_work(typed, tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE + f"    repository: {{url: {tmp_path}/none, sandbox: none}}\n")

    code, output, _ = typed("doctor", path)
    broken, told, _ = typed("doctor", tmp_path / "other.yaml")

    assert code == 2
    assert "✗ shop.repository: " in output
    assert broken == 2
    assert f"✗ pipeline file: {tmp_path}/other.yaml: No such file or directory." in told


def test_a_command_about_incidents_without_a_pipeline_file_says_how_to_name_one(tmp_path):
    done = aiops("incidents", "list", cwd=tmp_path)

    assert done.returncode == 2
    assert (
        "pipeline.yaml: no such file. Name another --file, or the state directory by --state" in done.stderr
    )
