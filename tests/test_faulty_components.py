"""Components that end the program, hand over a wrong type, or cannot be called: told, and nothing else is lost."""

import subprocess

import pytest
from cli_scene import AIOPS, CRASH

from aiops_core.errors import PluginBroken, UserError
from aiops_core.pipeline import load
from aiops_core.store import Store
from aiops_core.testing import run_pipeline

PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python, './bad.py:Bad']
"""
LOG = "boom 1\nwell\n" + CRASH + "boom 2\n"


def bad(body, imports="Event, LogDetector", method="detect(self, block)"):
    return (
        f"import sys\n\nfrom aiops_core import {imports}\n\n\nclass Bad(LogDetector):\n"
        f"    triggers = ('boom',)\n    rank = 'line'\n\n    def detect(self, block): ...\n\n"
        f"    def {method}:\n        {body}\n"
    )


def faults(result):
    return {fault.cause: fault.text for fault in result.faults}


# -- components that end the program ------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["sys.exit(0)", "raise SystemExit", "raise KeyboardInterrupt", "raise GeneratorExit"]
)
@pytest.mark.parametrize("method", ["detect(self, block)", "cut(self, lines, hit)"])
def test_a_detector_that_ends_the_program_costs_no_other_detectors_events(tmp_path, body, method):
    result = run_pipeline(PIPELINE, {"shop.log": LOG, "bad.py": bad(body, method=method)}, tmp_path)

    counts = {incident.type: incident.count for incident in result.incidents}
    assert counts["ValueError"] == 1
    assert len(faults(result)) == 1
    if method.startswith("detect"):
        assert counts["unread bad"] == 2
        (text,) = faults(result).values()
        assert text.startswith("detector bad raised ")
        assert text.endswith("Its lines are counted unread")


def test_a_source_that_ends_the_program_is_told_and_what_it_read_is_kept(tmp_path):
    source = (
        "from aiops_core import LogBatch, Source\n\n\nclass Quitter(Source):\n"
        "    def source(self, positions):\n"
        f"        data = {CRASH.encode()!r}\n"
        "        yield LogBatch('one', data, ((0, {'at': 0}), (len(data), {'at': len(data)})), path='one')\n"
        "        raise SystemExit(0)\n"
    )
    text = "pipelines:\n  shop:\n    sources: ['./quitter.py:Quitter']\n    detectors: [python]\n"

    result = run_pipeline(text, {"quitter.py": source}, tmp_path, timeout=20)

    assert faults(result) == {
        "source quitter: SystemExit": "source quitter raised SystemExit: 0. What it read so far is kept"
    }


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("Retry('the service: no answer in time.')", "source away: the service: no answer in time"),
        ("UserError('the login is refused. Check it')", "source away: the login is refused. Check it"),
        ("ValueError('nine.')", "source away raised ValueError: nine"),
    ],
)
def test_a_run_over_what_is_there_fails_when_a_source_does_and_says_why(tmp_path, raised, told):
    (tmp_path / "away.py").write_text(
        "from aiops_core import Retry, Source, UserError\n\n\nclass Away(Source):\n"
        f"    def source(self, positions):\n        raise {raised}\n"
    )
    (tmp_path / "pipeline.yaml").write_text(
        "pipelines:\n  shop:\n    sources: ['./away.py:Away']\n    detectors: [python]\n"
    )

    done = subprocess.run([AIOPS, "run", "--once"], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    *_, said, last = done.stderr.splitlines()
    assert said.endswith(f"shop: {told}. What it read so far is kept")
    kind = raised.partition("(")[0]
    assert last == f"not all went well: shop: source away: {kind}. The log says more"
    assert done.returncode == 1


@pytest.mark.parametrize("raised", ["SystemExit(0)", "KeyboardInterrupt", "RuntimeError('lost')"])
def test_an_ingest_thread_that_dies_ends_the_program_with_1(tmp_path, raised):
    (tmp_path / "shop.log").write_text(CRASH)
    (tmp_path / "bad.py").write_text(
        "from aiops_core.ingest.committing import Commits\n"
        "from aiops_core import Extension\n\n\nclass Bad(Extension):\n"
        "    def started(self, pipeline):\n"
        "        def die(*_):\n"
        f"            raise {raised}\n"
        "        Commits.commit = die\n"
    )
    text = PIPELINE.replace("[python, './bad.py:Bad']", "[python]") + "    extensions: ['./bad.py:Bad']\n"
    (tmp_path / "pipeline.yaml").write_text(text)

    done = subprocess.run([AIOPS, "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    with Store.open(tmp_path / "state") as store:
        (fault,) = store.faults()
    assert done.returncode == 1
    assert raised.partition("(")[0] in done.stderr
    assert fault.cause == "ingest"
    assert fault.text.startswith(f"shop: reading ended by {raised.partition('(')[0]}: ")


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_ends_the_program_on_import_is_named(tmp_path, command):
    (tmp_path / "bad.py").write_text("import sys\n\nsys.exit(0)\n")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)

    done = subprocess.run([AIOPS, command], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.replace(f"{tmp_path}/", "") == (
        "pipeline.yaml:4:25: detectors[1] (./bad.py:Bad): ./bad.py:3: SystemExit: 0. Mend the file\n"
    )


RESPONSE = """\
from aiops_core import Action, Analysis, Analyzer, Extension, Notifier, Outcome, Plan, Receipt


class Explain(Analyzer):
    def analyze(self, incident, evidence):
        return Analysis("Found", "It is found.", "The cause.")


class Act(Action):
    def plan(self, incident, analysis, change):
        return Plan("Do it", "It will be done.")

    def act(self, plan):
        return Outcome("done", "It is done.")


class Watch(Extension):
    def step_finished(self): ...

    def gather(self):
        return []


class Tell(Notifier):
    def notify(self, report):
        return Receipt()
"""
RESPONDING = (
    PIPELINE.replace(", './bad.py:Bad'", "")
    + """\
    analyzers: ['./parts.py:Explain']
    actions: [{uses: './parts.py:Act', mode: auto}]
    extensions: ['./parts.py:Watch']
    notifiers: ['./parts.py:Tell']
"""
)
EXIT = "raise SystemExit(3)"


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ('return Analysis("Found"', f"{EXIT} #", "analyzer parts raised SystemExit: 3"),
        ('return Analysis("Found"', "return 'text' #", "analyzer parts: analyze() returned str 'text'. Let it return an Analysis or None"),
        ('return Plan("Do it"', f"{EXIT} #", "plan parts: SystemExit: 3"),
        ('return Plan("Do it"', "return 5 #", "plan parts: plan() returned int 5. Let it return a Plan or None"),
        ('return Outcome("done", "It is done.")', EXIT, "act parts: SystemExit: 3"),
        ('return Outcome("done", "It is done.")', "return None", "act parts: act() returned None. Let it return an Outcome"),
        ("def step_finished(self): ...", f"def step_finished(self): {EXIT}", "extension parts raised SystemExit: 3"),
        ("return []", EXIT, "extension parts raised SystemExit: 3"),
    ],
)  # fmt: skip
def test_a_part_of_the_response_that_fails_is_told_and_people_still_get_the_report(
    tmp_path, line, instead, told
):
    parts = RESPONSE.replace(line, instead)

    result = run_pipeline(RESPONDING, {"shop.log": CRASH, "parts.py": parts}, tmp_path)

    assert set(faults(result).values()) == {told}
    assert [report.incident.type for report in result.reports] == ["ValueError"]


def test_a_notifier_that_ends_the_program_is_tried_again(tmp_path):
    parts = RESPONSE.replace("return Receipt()", EXIT)

    result = run_pipeline(RESPONDING, {"shop.log": CRASH, "parts.py": parts}, tmp_path)

    tried = {one.target: (one.state, one.attempts, one.error) for one in result.deliveries}
    assert tried["parts"] == ("failed", 1, "SystemExit: 3")


# -- wrong types --------------------------------------------------------------------------------

NO_EVENT = "Let it return an Event, a list of Events or None"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return {'x': 1}", f"detect() returned dict {{'x': 1}}. {NO_EVENT}"),
        ("return [Event('A'), 'text']", f"detect() returned str 'text'. {NO_EVENT}"),
        ("return Event(404)", "detect() returned an Event whose type is int 404. Let it be text"),
        ("return Event('A', None)", "detect() returned an Event whose message is None. Let it be text"),
        (
            "return Event('A', severity='high')",
            "detect() returned an Event whose severity is 'high'. Let it be one of critical, error, warning, info, or None",
        ),
        (
            "return Event('A', occurred_at='10:00')",
            "detect() returned an Event whose occurred_at is str '10:00'. Let it be a datetime",
        ),
        (
            "return Event('A', attributes={'code': 5})",
            "detect() returned an Event whose attributes are no mapping of text to text. Let them be one",
        ),
        (
            "return Event('A', exceptions=('A',))",
            "detect() returned an Event whose exceptions are not RaisedExceptions. Let them be",
        ),
    ],
)
def test_a_wrong_type_is_told_and_its_lines_are_counted_unread(tmp_path, body, told):
    result = run_pipeline(PIPELINE, {"shop.log": LOG, "bad.py": bad(body)}, tmp_path)

    assert {incident.type: incident.count for incident in result.incidents} == {
        "ValueError": 1,
        "unread bad": 2,
    }
    assert faults(result) == {
        "detector bad: wrong type": f"detector bad: {told}. Its lines are counted unread"
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return 5", "cut() returned int 5. Let it return a Span, More or None"),
        (
            "return Span(0, 0)",
            "cut() returned Span(start=0, end=0, is_record=False, is_told=False), which holds no line. "
            "Let it start at 0 or later, and end later",
        ),
        (
            "return More(hit)",
            "cut() returned More after the last line. Let it return a Span when lines.final",
        ),
    ],
)
def test_a_cut_that_claims_no_lines_is_told_and_the_line_is_read_alone(tmp_path, body, told):
    code = bad(body, "Event, LogDetector, More, Span", "cut(self, lines, hit)")
    code = code.replace("block): ...", "block): return Event('A', block.text)")

    result = run_pipeline(PIPELINE, {"shop.log": "well\n" + LOG, "bad.py": code}, tmp_path)

    assert {incident.type for incident in result.incidents} == {"A", "ValueError"}
    assert faults(result) == {
        "detector bad: wrong type": f"detector bad: {told}. Its lines are counted unread"
    }


def test_a_time_without_a_zone_is_one_of_the_pipelines_zone(tmp_path):
    body = "import datetime; return Event('A', occurred_at=datetime.datetime(2026, 1, 2, 10))"

    result = run_pipeline(
        PIPELINE + "    timezone: Asia/Shanghai\n", {"shop.log": LOG, "bad.py": bad(body)}, tmp_path
    )

    assert result.faults == ()
    assert {event.occurred_at.isoformat() for event in result.events if event.type == "A"} == {
        "2026-01-02T02:00:00+00:00"
    }


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        ("'a line'", "source() yielded str 'a line'. Let it yield a LogBatch or an Event"),
        (
            "LogBatch('one', 'text', ((0, {}),))",
            "source() yielded a LogBatch without bytes as its data or without marks. Give it both",
        ),
        ("Event(5)", "source() yielded an Event whose type is int 5. Let it be text"),
    ],
)
def test_a_source_that_yields_a_wrong_type_is_told(tmp_path, signal, told):
    source = (
        "from aiops_core import Event, LogBatch, Source\n\n\nclass Odd(Source):\n"
        f"    def source(self, positions):\n        yield {signal}\n"
    )
    text = "pipelines:\n  shop:\n    sources: ['./odd.py:Odd']\n    detectors: [python]\n"

    result = run_pipeline(text, {"odd.py": source}, tmp_path, timeout=20)

    assert faults(result) == {"source odd: wrong type": f"source odd: {told}. What it read so far is kept"}


# -- methods that cannot be called --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("def detect(self, blok): ...", "detect(self, blok) is not how it is called. Write 'def detect(self, block)'"),
        ("def detect(self): ...", "detect(self) is not how it is called. Write 'def detect(self, block)'"),
        ("def detect(block): ...", "detect(block) is not how it is called. Write 'def detect(self, block)'"),
        ("def detect(): ...", "detect() is not how it is called. Write 'def detect(self, block)'"),
        (
            "def detect(self, block, more): ...",
            "detect(self, block, more) is not how it is called. Write 'def detect(self, block)'",
        ),
        (
            "def detect(self, block=None): ...",
            "detect(self, block=None) is not how it is called. Write 'def detect(self, block)'",
        ),
        (
            "def detect(self, *, block): ...",
            "detect(self, *, block) is not how it is called. Write 'def detect(self, block)'",
        ),
        ("async def detect(self, block): ...", "detect() is async, and nobody awaits it. Write a plain 'def detect'"),
    ],
)  # fmt: skip
def test_a_method_that_cannot_be_called_is_a_problem_at_its_line(tmp_path, method, told):
    (tmp_path / "bad.py").write_text(
        f"from aiops_core import LogDetector\n\n\nclass Bad(LogDetector):\n    triggers = ('boom',)\n\n    {method}\n"
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)

    with pytest.raises(UserError) as raised:
        load(tmp_path / "pipeline.yaml")
    scanned = subprocess.run(
        [AIOPS, "scan", "-d", "./bad.py:Bad", "pipeline.yaml"], cwd=tmp_path, capture_output=True, text=True
    )

    assert str(raised.value) == f"pipeline.yaml:4:25: detectors[1] (./bad.py:Bad): bad.py:7: {told}"
    assert (scanned.returncode, scanned.stderr) == (2, f"detector ./bad.py:Bad: bad.py:7: {told}\n")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("detect = dict", "detect is not how it is called. Write 'def detect(self, block)'"),
        ("detect = 5", "detect is int 5, and cannot be called. Write 'def detect'"),
        ("triggers = 5", "triggers are int 5. Write a tuple of patterns, as in ('^!!E',)"),
        ("triggers = 'boom'", "triggers are str 'boom'. Write a tuple of patterns, as in ('^!!E',)"),
        ("triggers = (5,)", "a trigger is int 5. Write a regular expression as text"),
        ("rank = 'traces'", "rank is str 'traces'. Write 'trace' or 'line'"),
        ("continues = 5", "continues 5: first argument must be string or compiled pattern. Write a regular expression"),
        ("continues = '('", "continues '(': missing ), unterminated subpattern at position 0. Write a regular expression"),
        ("def __init__(self, x): ...", "bad.py:9: Bad(config, context) raised TypeError: Bad.__init__() takes 2 positional arguments but 3 were given. Mend it"),
        ("def __init__(self, *args): raise SystemExit(1)", "bad.py:9: Bad(config, context) raised SystemExit: 1. Mend it"),
        ("def __init__(self, *args): open('/no/file')", "bad.py:9: Bad(config, context) raised FileNotFoundError: [Errno 2] No such file or directory: '/no/file'. Mend it"),
    ],
)  # fmt: skip
def test_a_detector_that_cannot_work_is_a_problem_at_its_line(tmp_path, body, told):
    (tmp_path / "bad.py").write_text(
        "from aiops_core import LogDetector\n\n\nclass Bad(LogDetector):\n    triggers = ('boom',)\n\n"
        f"    def detect(self, block): ...\n\n    {body}\n"
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)

    checked, scanned = (
        subprocess.run([AIOPS, *command], cwd=tmp_path, capture_output=True, text=True)
        for command in (["check", "pipeline.yaml"], ["scan", "-d", "./bad.py:Bad", "pipeline.yaml"])
    )

    assert (checked.returncode, checked.stderr) == (
        2, f"pipeline.yaml:4:25: detectors[1] (./bad.py:Bad): {told}\n"
    )  # fmt: skip
    assert (scanned.returncode, scanned.stderr) == (2, f"detector ./bad.py:Bad: {told}\n")


def test_an_extension_may_take_fewer_arguments_and_must_not_invent_hooks(tmp_path):
    text = PIPELINE.replace(", './bad.py:Bad'", "") + "    extensions: ['./bad.py:Bad']\n"
    (tmp_path / "pipeline.yaml").write_text(text)
    begin = "from aiops_core import Extension, hookimpl\n\n\nclass Bad(Extension):\n"

    (tmp_path / "bad.py").write_text(begin + "    def started(self): ...\n")
    load(tmp_path / "pipeline.yaml")
    (tmp_path / "bad.py").write_text(begin + "    @hookimpl\n    def detekt(self, block): ...\n")
    with pytest.raises(UserError) as raised:
        load(tmp_path / "pipeline.yaml")

    assert str(raised.value).startswith(
        "pipeline.yaml:5:18: extensions[0] (./bad.py:Bad): Bad: unknown hook 'detekt' in plugin"
    )


def test_a_distribution_that_ends_the_program_on_import_is_broken(tmp_path, monkeypatch):
    from importlib.metadata import EntryPoint

    from aiops_core.catalogue import Entry

    (tmp_path / "acme_quits.py").write_text("raise SystemExit('bye')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("quits", "acme_quits:Quits", "aiops.detectors")

    with pytest.raises(PluginBroken, match="cannot be imported: SystemExit: bye"):
        Entry("detectors", "quits", "acme", "1.2", point.value, point).load()


# -- getting ready and letting go ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError('no room')", "bad.py:13: start() raised ValueError: no room. Mend it"),
        ("sys.exit(0)", "bad.py:13: start() raised SystemExit: 0. Mend it"),
        ("import time; time.sleep(20)", "start() took longer than 0.2 s. Mend it, or leave it out with --disable"),
    ],
)  # fmt: skip
def test_a_component_that_cannot_get_ready_is_told_by_name(tmp_path, monkeypatch, body, told):
    monkeypatch.setattr("aiops_core.step._START", 0.2)

    result = run_pipeline(PIPELINE, {"shop.log": LOG, "bad.py": bad(body, method="start(self)")}, tmp_path)

    assert result.error == f"shop: detectors bad: {told}"


def test_a_component_that_never_lets_go_keeps_no_run_from_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("aiops_core.step._STOP", 0.2)
    body = "import time; time.sleep(20)"

    result = run_pipeline(PIPELINE, {"shop.log": LOG, "bad.py": bad(body, method="stop(self)")}, tmp_path)

    assert [incident.title for incident in result.incidents] == ["ValueError: no price"]
    assert "stop() took longer than 0.2 s" in result.log
