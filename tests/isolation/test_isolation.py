"""``isolation: process``: what a component does to its own process, it does to nobody else."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from aiops_core.budget import AtMost
from aiops_core.context import Context, Tool
from aiops_core.errors import PluginBroken, ProcessEnded, Refused, UserError
from aiops_core.isolation import describe, isolated, make_order
from aiops_core.pipeline import load
from aiops_core.records import Edit, Evidence, RecipientResult
from aiops_core.settings import Limits
from aiops_core.testing import run_pipeline, samples

PARTS = '''\
import ctypes, os, sys, time
from pathlib import Path
from pydantic import SecretStr
from aiops_core import *

TRACE = b'Traceback (most recent call last):\\n  File "a.py", line 1, in b\\nValueError: x\\n'


class Way(Config):
    """How it goes wrong."""

    how: str = ""
    """Way it goes wrong."""
    token: SecretStr | None = None
    """Secret."""


def go_wrong(how):
    if how == "exit":
        os._exit(3)
    if how == "crash":
        ctypes.string_at(0)
    if how == "hang":
        while True: pass
    if how == "leak":
        kept = []
        while True: kept.append(bytearray(1 << 20))
    if how == "raise":
        raise LookupError("lost")
    if how == "quit":
        sys.exit(4)
    if how == "garbage":
        for end in map(int, os.listdir("/proc/self/fd")):
            if os.path.exists(f"/proc/self/fd/{end}") and os.readlink(f"/proc/self/fd/{end}").startswith("socket"):
                os.write(end, b"\\xff" * 64)
        time.sleep(9)


class Find(LogDetector[Way]):
    continues = "^ "
    rank = "line"

    def __init__(self, config, context):
        super().__init__(config, context)
        self.triggers = (f"boom {config.how}",)

    def detect(self, block):
        go_wrong(self.config.how)
        return Event(f"Boom {self.context.name}", "\\n".join(block.lines))


class Read(Source[Way]):
    def source(self, positions):
        at = positions.get("one", {}).get("at", 0)
        self.context.logger.info("begins at %s, keeps %s", at, self.context.state)
        for number in range(at, at + 2):
            self.context.state["kept"] = number + 1
            data = b"boom fine %d\\n" % number
            marks = ((0, {"at": number}), (len(data), {"at": number + 1}))
            yield LogBatch("one", data, marks, offset=number * len(data), ended=number == at + 1)
        time.sleep(0.3)
        go_wrong(self.config.how)


class Explain(Analyzer[Way]):
    def analyze(self, incident, evidence):
        go_wrong(self.config.how)
        return Analysis(f"by {self.context.name}", "It is known.", "The cause.", confidence=1.0)


class Ask(Analyzer):
    def analyze(self, incident, evidence):
        explorer = self.context.explorer
        seen = explorer.call("read", {"path": "a.py"})
        checkout = self.context.check_out(Path(incident.title))
        try:
            with self.context.spending(AtMost("model", 10, 0.5)) as spending:
                spending.settle(Usage("model", cost=0.25), {"heard": spending.said})
        except Refused as error:
            seen += f" {error.rule} {error.setting}"
        left = f"{seen} {explorer.left} {[one.id for one in explorer.found]} {checkout.edits()[0].path}"
        return Analysis(left, evidence[0].text, str(self.estimate(incident, evidence)))


class Do(Action[Way]):
    def plan(self, incident, analysis, change):
        return Plan("Do it", "It will be done.")

    def act(self, plan):
        with self.context.step("write", "once") as effect:
            if not effect.is_uncertain:
                go_wrong(self.config.how)
            effect.result = {"was": effect.is_uncertain}
        return Outcome("done", f"did it, uncertain: {effect.result['was']}")


class Tell(Notifier[Way]):
    attempts = 1

    def notify(self, report):
        go_wrong(self.config.how)
        if self.config.token:
            self.context.logger.warning("the token is %s", self.config.token.get_secret_value())
            self.context.logger.warning("known: %s", [*os.environ.values(), *sys.argv, *sys.orig_argv])
        return Receipt(tuple(sorted(self.context.served)))

    def probe(self):
        return f"here is {self.context.name}"
'''
WRONG = ("exit", "crash", "hang", "leak", "raise", "quit", "garbage")
TOLD = {
    "exit": ": its process ended: it ended itself with exit code 3",
    "crash": ": its process ended: it was ended by SIGSEGV",
    "hang": "() took longer than 3 s, and its process was ended",
    "leak": ": its process ended: it needs more memory than limits.memory allows, 200 MB",
    "raise": " raised LookupError: lost",
    "quit": " raised SystemExit: 4",
    "garbage": ": its process ended: it sent what is no message: ",
}
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: x\n'


def step(kind, how, more=""):
    limits = "limits: {time: %s, memory: 200MB}" % ("3s" if how == "hang" else "60s")
    return f"{{uses: './parts.py:{kind}', name: {how}, isolation: process, {limits}, with: {{how: {how}{more}}}}}"


def pipeline(**kinds):
    rows = {"sources": ["{uses: file, with: {paths: [./app.log], start: beginning}}"], **kinds}
    return "pipelines:\n  shop:\n" + "".join(
        f"    {kind}:\n" + "".join(f"      - {one}\n" for one in steps) for kind, steps in rows.items()
    )


def faults(result):
    return sorted(fault.text for fault in result.faults)


@pytest.fixture
def beside(tmp_path):
    """Return an isolated component of ``parts.py``, made as a pipeline does."""
    (tmp_path / "parts.py").write_text(PARTS)
    made = []

    def make(kind, name, *, context=None, limits=None, **settings):
        order = make_order(kind, f"./parts.py:{name}", tmp_path, settings, limits or Limits())
        context = context or Context(name=name.lower(), scratch=tmp_path, mirrors=tmp_path)
        process, terms = describe(order, context)
        assert terms.mistakes == ()
        made.append(isolated(kind, process, terms, limits or Limits()))
        return made[-1]

    yield make
    for component in made:
        component.stop()


# -- what goes wrong stays where it went wrong --------------------------------------------------


def test_detectors_that_go_wrong_leave_the_others_their_lines(tmp_path):
    detectors = ["python", *(step("Find", how) for how in (*WRONG, "fine"))]
    log = "".join(f"boom {how}\n detail\n" for how in (*WRONG, "fine")) + TRACE
    known = set(sys.modules)

    result = run_pipeline(
        pipeline(detectors=detectors), {"app.log": log, "parts.py": PARTS}, tmp_path, timeout=90
    )

    counts = {incident.type: incident.count for incident in result.incidents}
    assert counts == {"ValueError": 1, "Boom fine": 1, **{f"unread {how}": 1 for how in WRONG}}
    (fine,) = (event for event in result.events if event.type == "Boom fine")
    assert (fine.message, fine.block) == ("boom fine\n detail", "boom fine\n detail\n")
    wrong = {fault.text.split()[1].rstrip(":"): fault.text for fault in result.faults}
    assert set(wrong) == set(WRONG)
    for how, text in wrong.items():
        assert TOLD[how].replace("()", "") in text.replace("detect()", ""), text
        assert text.endswith(". Its lines are counted unread")
    assert not [name for name in set(sys.modules) - known if name.startswith("_aiops_local_parts")]


def test_sources_that_go_wrong_leave_the_others_reading_and_lose_nothing_they_read(tmp_path):
    sources = ["{uses: file, with: {paths: [./app.log], start: beginning}}"]
    sources += [step("Read", how) for how in ("exit", "hang", "fine")]

    result = run_pipeline(
        pipeline(sources=sources, detectors=["python", "{uses: './parts.py:Find', with: {how: fine}, name: found}"]),
        {"app.log": TRACE, "parts.py": PARTS},
        tmp_path,
        timeout=90,
    )  # fmt: skip

    counts = {incident.type: incident.count for incident in result.incidents}
    assert counts == {"ValueError": 1, "Boom found": 6}
    wrong = {fault.text.split()[1].rstrip(":"): fault.text for fault in result.faults}
    assert set(wrong) == {"exit", "hang"}
    for how, text in wrong.items():
        assert TOLD[how] in text.replace("source()", "()"), text
        assert text.endswith(". What it read so far is kept")


def test_a_source_goes_on_at_the_position_that_was_committed_with_its_data_and_state(tmp_path):
    text = pipeline(sources=[step("Read", "exit")], detectors=[step("Find", "fine")])

    runs = [run_pipeline(text, {"parts.py": PARTS}, tmp_path, timeout=60) for _ in range(2)]

    assert [[incident.count for incident in result.incidents] for result in runs] == [[2], [4]]
    assert "begins at 0, keeps {}" in runs[0].log
    assert "begins at 2, keeps {'kept': 2}" in runs[1].log


def test_a_response_goes_on_without_the_parts_that_go_wrong(tmp_path):
    parts = {
        "detectors": ["python"],
        "analyzers": [step("Explain", how) for how in ("exit", "hang", "leak", "fine")],
        "actions": [step("Do", how)[:-1] + ", mode: auto}" for how in ("exit", "hang")],
        "notifiers": [step("Tell", how) for how in ("exit", "hang", "leak", "fine")],
    }

    result = run_pipeline(pipeline(**parts), {"app.log": TRACE, "parts.py": PARTS}, tmp_path, timeout=120)

    (report,) = result.reports
    assert (report.title, report.analysis.analyzer) == ("by fine", "fine")
    done = {outcome.action: outcome.summary for outcome in report.outcomes}
    assert done == {"exit": "did it, uncertain: True"}
    told = {fault.text for fault in result.faults}
    assert {
        *(f"analyzer {how}{TOLD[how]}" for how in ("exit", "leak")),
        "analyzer hang: analyze() took longer than 3 s, and its process was ended",
        "act hang: act() took longer than 3 s, and its process was ended",
    } <= told
    errors = {one.target: one.error for one in result.deliveries if one.error}
    assert errors == {
        **{how: TOLD[how].removeprefix(": ") for how in ("exit", "leak")},
        "hang": "notify() took longer than 3 s, and its process was ended",
    }


def test_a_run_that_ends_by_itself_begins_a_process_again_however_long_the_call_held_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("aiops_core.isolation.supervised._UNNOTICED", 0.0)
    monkeypatch.setattr("aiops_core.isolation.supervised._SHARE", 100_000)
    parts = {"analyzers": [step("Explain", "fine")], "actions": [step("Do", "exit")[:-1] + ", mode: auto}"]}
    text = pipeline(detectors=["python"], notifiers=[step("Tell", "fine")], **parts)

    result = run_pipeline(text, {"app.log": TRACE, "parts.py": PARTS}, tmp_path, timeout=60)

    (report,) = result.reports
    assert [outcome.summary for outcome in report.outcomes] == ["did it, uncertain: True"]


def test_a_unit_that_forbids_to_give_way_still_has_isolated_plugins(beside, tmp_path, monkeypatch):
    forbidding = (
        "import os\n\n\ndef nice(by):\n    raise PermissionError(1, 'setpriority')\n\n\nos.nice = nice\n"
    )
    (tmp_path / "sitecustomize.py").write_text(forbidding)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    (event,) = beside("detectors", "Find", how="fine").detect(samples.block("boom fine\n"))

    assert event.type == "Boom find"


def test_people_are_told_at_once_while_an_action_waits_for_another_process(tmp_path):
    rows = {"detectors": ["python"], "actions": [step("Do", "exit")[:-1] + ", mode: auto}"]}
    text = pipeline(**rows, notifiers=["{uses: file, with: {path: ./told.jsonl}}"])
    for name, content in {"pipeline.yaml": text, "parts.py": PARTS, "app.log": TRACE}.items():
        (tmp_path / name).write_text(content)
    run = subprocess.Popen([Path(sys.executable).parent / "aiops", "run"], cwd=tmp_path)

    told, until = [], time.monotonic() + 400
    while len(told) < 2 and time.monotonic() < until:
        time.sleep(0.1)
        if (tmp_path / "told.jsonl").exists():
            told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    run.terminate()
    run.wait(60)

    first, second = told
    assert first["outcomes"] == []
    assert [one["text"] for one in first["decisions"] if one["rule"] == "process"] == [
        "exit: waits, its process ended: it ended itself with exit code 3 (1 of 3)"
    ]
    assert [one["summary"] for one in second["outcomes"]] == ["did it, uncertain: True"]


def test_a_process_that_died_comes_back(beside):
    detector = beside("detectors", "Find", how="exit")
    detector.start()

    with pytest.raises(ProcessEnded, match="exit code 3"):
        detector.detect(samples.block("boom exit\n"))
    with pytest.raises(ProcessEnded, match="it is begun again within"):
        detector.detect(samples.block("boom exit\n"))
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with pytest.raises(ProcessEnded) as raised:
            detector.detect(samples.block("boom exit\n"))
        if "begun again" not in str(raised.value):
            return
        time.sleep(0.05)
    pytest.fail("it did not come back")


def test_a_call_that_took_too_long_takes_but_a_small_share_of_its_callers_time(beside):
    detector = beside("detectors", "Find", how="hang", limits=Limits(time=timedelta(seconds=1)))
    detector.start()

    with pytest.raises(PluginBroken, match=r"detect\(\) took longer than 1 s, and its process was ended"):
        detector.detect(samples.block("boom hang\n"))
    with pytest.raises(ProcessEnded) as raised:
        detector.detect(samples.block("boom hang\n"))

    assert 300 < raised.value.after < 600


def test_nobody_waits_for_a_process_that_reads_nothing(beside):
    source = beside("sources", "Read", how="fine")
    source.start()
    worker = source._process._worker
    os.kill(worker._process.pid, signal.SIGSTOP)

    until = time.monotonic() + 60
    while not worker.is_gone and time.monotonic() < until:
        source.committed("one", {"at": "x" * 10_000})

    assert worker.why == "it read nothing of what it was told"


def test_processes_come_back_when_all_of_them_were_ended_at_once(beside):
    detector = beside("detectors", "Find", how="fine")
    detector.start()
    worker = detector._process._worker
    parent = int(Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(") ")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert worker._ended.wait(60)  # a call that it ended under would put the next process off by its length

    until, events = time.monotonic() + 60, []
    while not events and time.monotonic() < until:
        with suppress(ProcessEnded):
            events = detector.detect(samples.block("boom fine\n"))
        time.sleep(0.05)

    assert [event.type for event in events] == ["Boom find"]


def test_a_process_ends_with_the_program_even_while_it_hangs(beside, tmp_path):
    code = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from aiops_core.context import Context\n"
        "from aiops_core.isolation import describe, isolated, make_order\n"
        "from aiops_core.settings import Limits\n"
        "from aiops_core.testing import samples\n"
        "order = make_order('notifiers', './parts.py:Tell', Path(sys.argv[1]), {'how': 'hang'}, Limits())\n"
        "one = isolated('notifiers', *describe(order, Context()), Limits())\n"
        "one.start()\n"
        "threading.Thread(target=one.notify, args=(samples.report(),), daemon=True).start()\n"
        "time.sleep(0.5)\n"
        "print(one._process._worker._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "parts.py").write_text(PARTS)
    program = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    child = Path(f"/proc/{program.stdout.readline().strip()}")
    assert child.exists()

    program.send_signal(signal.SIGKILL)
    program.communicate()

    until = time.monotonic() + 60
    while child.exists() and "Z" not in (child / "stat").read_text().split()[2] and time.monotonic() < until:
        time.sleep(0.02)
    assert not child.exists() or (child / "stat").read_text().split()[2] == "Z"


# -- what goes through the pipe -----------------------------------------------------------------


def test_a_secret_is_in_no_argument_environment_or_log(beside, monkeypatch, tmp_path):
    monkeypatch.setenv("SHOP_TOKEN", "geheim-4711")
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "pipeline.yaml").write_text(
        pipeline(detectors=["python"], notifiers=[step("Tell", "fine", ", token: '${env:SHOP_TOKEN}'")])
    )
    (tmp_path / "app.log").write_text(TRACE)

    done = subprocess.run(
        [Path(sys.executable).parent / "aiops", "run", "--once"], cwd=tmp_path, capture_output=True, text=True
    )

    assert "the token is ***" in done.stderr
    (known,) = (line for line in done.stderr.splitlines() if "known: " in line)
    assert "***" not in known
    assert "geheim" not in done.stdout + done.stderr


def test_mistakes_in_settings_are_told_as_those_of_any_component(tmp_path):
    (tmp_path / "parts.py").write_text(PARTS)
    rows = [
        "{uses: ./parts.py:Tell, with: {hwo: x}}",
        "{uses: ./parts.py:Tell, with: {token: plain}}",
        "{uses: ./parts.py:Tel}",
        "{uses: consol}",
        "{uses: ./parts.py:Tell, with: {how: 5}}",
    ]

    told = []
    for apart in ("", ", isolation: process"):
        notifiers = [row[:-1] + apart + "}" for row in rows]
        (tmp_path / "pipeline.yaml").write_text(pipeline(detectors=["python"], notifiers=notifiers))
        with pytest.raises(UserError) as raised:
            load(tmp_path / "pipeline.yaml", environment={})
        told.append(str(raised.value))

    assert told[0] == told[1]
    assert len(told[0].splitlines()) == len(rows)


def test_what_cannot_be_apart_is_refused(tmp_path):
    (tmp_path / "parts.py").write_text(
        "from aiops_core import *\n\n\nclass See(Extension): ...\n\n\nclass Talk(Action):\n    is_isolable = False\n\n    def plan(self, incident, analysis, change): ...\n\n    def act(self, plan): ...\n"
    )
    apart = ["{uses: ./parts.py:See, isolation: process}"], ["{uses: ./parts.py:Talk, isolation: process}"]
    (tmp_path / "pipeline.yaml").write_text(pipeline(extensions=apart[0], actions=apart[1]))

    with pytest.raises(UserError) as raised:
        load(tmp_path / "pipeline.yaml", environment={})

    assert str(raised.value).splitlines() == [
        "pipeline.yaml:6:32: extensions[0] (./parts.py:See): isolation: an extension sees into the calls of others, "
        "and cannot be apart. Leave it out",
        "pipeline.yaml:8:9: actions[0] (./parts.py:Talk): Talk does more than 'isolation: process' can carry. "
        "Leave that out",
    ]


class Explorer:
    """Be a repository of one file."""

    tools = (Tool("read", "Read a file.", {}),)

    def __init__(self):
        self.left, self.found = 7, []

    def call(self, name, arguments):
        self.left -= 1
        self.found.append(Evidence("source", "a.py", "text", id="X1"))
        return f"{name} {arguments['path']}"


class Files:
    """Be a checkout in which somebody changed a file."""

    def __init__(self, path):
        self.path = path

    def edits(self):
        return (Edit("create", f"{self.path.name}.py", replace="x"),)


@contextmanager
def refusing(at_most: AtMost):
    raise Refused(f"no {at_most.cost} USD", rule="budget", setting="policy.budget")
    yield


class Settled:
    """Note what a call took; one of them was made before."""

    def __init__(self):
        self.said = {"text": "said before"}
        self.usage = []
        self.kept = []

    def settle(self, usage, said=None):
        self.usage.append(usage)
        self.kept.append(said)


def test_an_analyzer_looks_things_up_and_spends_through_the_host(beside):
    analyzer, settled = beside("analyzers", "Ask"), Settled()

    @contextmanager
    def purse(at_most):
        yield settled

    incident, evidence = samples.incident(title="files"), samples.evidence()
    with analyzer.context.exploring(Explorer(), Files, purse):
        answer = analyzer.analyze(incident, evidence)
    with analyzer.context.exploring(Explorer(), Files, refusing):
        refused = analyzer.analyze(incident, evidence)

    assert answer.title == "read a.py 6 ['X1'] files.py"
    assert (answer.summary, answer.root_cause) == (evidence[0].text, "None")
    assert [usage.cost for usage in settled.usage] == [0.25]
    assert settled.kept == [{"heard": {"text": "said before"}}]
    assert refused.title == "read a.py budget policy.budget 6 ['X1'] files.py"


def test_text_that_no_file_can_hold_goes_through_whole(beside):
    detector = beside("detectors", "Find", how="fine")
    odd = "boom \udcff\x00\u2028 \U0001f4a5"

    (event,) = detector.detect(samples.block(odd + "\n"))

    assert event.message == odd


def test_whom_a_message_reached_before_and_what_a_probe_finds_go_through(beside):
    notifier = beside("notifiers", "Tell")

    with notifier.context.serving({"ops": RecipientResult("ops", accepted=True)}):
        receipt = notifier.notify(samples.report())

    assert receipt.ids == ("ops",)
    assert notifier.probe() == "here is tell"
    assert notifier.problem() is None


def test_a_call_costs_a_fraction_of_a_millisecond(beside):
    detector, block = beside("detectors", "Find", how="fine"), samples.block("boom fine\n at x\n")
    detector.start()
    detector.detect(block)

    took = []
    for _ in range(200):
        began = time.process_time()
        detector.detect(block)
        took.append(time.process_time() - began)

    assert sorted(took)[len(took) // 2] < 0.001  # of our own processor time
