"""Each check of the contract fails for a plugin that breaks what it asks for, and says so."""

import inspect
import re
from dataclasses import replace

import pytest
from shown import ROOT

from aiops_core.component import KINDS, LogDetector
from aiops_core.hooks import Observers
from aiops_core.host import HOOKS
from aiops_core.testing.contracts import CHECKS, Bench
from aiops_core.testing.contracts.bench import Trial

HEAD = """\
import socket, time
from pathlib import Path
from pydantic import SecretStr
from msgspec.structs import force_setattr
from aiops_core import *
"""
GOOD = {
    "sources": '''
class Settings(Config):
    path: str = "app.log"
    """File to read."""
    token: SecretStr = SecretStr("none")
    """Who reads."""

class Good(Source[Settings]):
    """Read a file once, a batch a line."""
    def source(self, positions):
        at = positions.get("app", {}).get("offset", 0)
        at = at if isinstance(at, int) and at >= 0 else 0
        data = (self.context.directory / self.config.path).read_bytes()
        for line in data[at:].splitlines(keepends=True):
            marks = ((0, {"offset": at}), (len(line), {"offset": at + len(line)}))
            yield LogBatch("app", line, marks, offset=at)
            at += len(line)
''',
    "detectors": '''
class Settings(Config):
    token: SecretStr = SecretStr("none")
    """Who asks."""

class Good(LogDetector[Settings]):
    """Find bills that failed."""
    triggers = (r"^!!E",)
    continues = r"^\\\\s"
    def detect(self, block):
        return Event(type=block.first_line[2:5], message=block.text)
''',
    "analyzers": '''
class Settings(Config):
    token: SecretStr = SecretStr("none")
    """Who asks."""

class Good(Analyzer[Settings]):
    """Say that it is the disk."""
    def analyze(self, incident, evidence):
        return Analysis("disk", "full", "no room", confidence=0.5, cited=("E1",))
''',
    "actions": '''
class Settings(Config):
    token: SecretStr = SecretStr("none")
    """Who writes."""

class Good(Action[Settings]):
    """Write a ticket."""
    def plan(self, incident, analysis, change):
        return Plan("ticket", incident.title)
    def act(self, plan):
        with self.context.step("ticket", plan.hash) as effect:
            if effect.result is None and not effect.is_uncertain:
                with (self.context.directory / "tickets").open("a") as out:
                    out.write("one more ")
            effect.result = "written"
        return Outcome("done", "written")
''',
    "notifiers": '''
class Settings(Config):
    token: SecretStr = SecretStr("none")
    """Who tells."""
    spare: SecretStr | None = None
    """Who tells where the first may not."""

class Good(Notifier[Settings]):
    """Say it to nobody."""
    def notify(self, report):
        self.context.logger.info("told of %s", report.title[:20])
        return Receipt()
''',
    "extensions": '''
class Settings(Config):
    token: SecretStr = SecretStr("none")
    """Who asks."""

class Good(Extension[Settings]):
    """Add the weather."""
    def gather(self, incident):
        return [Evidence("note", "weather", "rain")]
''',
}
TOKEN = "self.config.token.get_secret_value()"
WORK = {
    "sources": ("            yield LogBatch", "line.decode('latin-1')", "positions['x'] = {}"),
    "detectors": ("        return Event", "block.first_line", "force_setattr(block, 'prefix', 'x')"),
    "analyzers": ("        return Analysis", "incident.title", "force_setattr(incident, 'title', 'x')"),
    "actions": ("        with self", "plan.text", "force_setattr(plan, 'text', 'x')"),
    "notifiers": ("        self.context.logger", "report.title", "force_setattr(report, 'title', 'x')"),
    "extensions": (
        "        return [Evidence",
        "incident.title",
        "force_setattr(incident, 'title', 'x')",
    ),
}
"""Where each kind works, the text it is handed there, and what changes what it is handed."""
STARTS = "    def start(self):\n        self.x = 1\n    def stop(self):\n        del self.x\n"
FED = '''
import queue
class Good(Source):
    """Take what is sent."""
    def __init__(self, *given):
        super().__init__(*given)
        self.inbox = queue.Queue()
    def source(self, positions):
        at = 0
        while not self.context.stopping.is_set():
            try:
                line = self.inbox.get(timeout=0.01)
            except queue.Empty:
                continue
            yield LogBatch("in", line, ((0, {"at": at}), (len(line), {"at": at + len(line)})), offset=at, ended=True)
            at += len(line)
'''
EXAMPLE = "pipelines: {one: {sources: [stdin], KIND: [{uses: ./component.py:Good}]}}\n"
BAD = [
    ("sources", "every_setting_is_documented", ('    """File to read."""\n', ""), "path: no sentence under the field"),
    ("detectors", "every_setting_is_documented", ('    """Find bills that failed."""\n', ""), "no docstring"),
    ("detectors", "the_host_can_call_it", ('(r"^!!E",)', '(r".",)'), "trigger"),
    ("detectors", "the_example_is_valid", "example", "example.yaml is refused"),
    ("detectors", "the_example_is_valid", "no example", "no example.yaml"),
    ("analyzers", "it_starts_and_stops_in_any_order",
     ("    def analyze", "    def start(self):\n        self.x = 1\n    def stop(self):\n        del self.x\n    def analyze"),
     "stop() raised AttributeError"),
    ("detectors", "two_instances_share_nothing", ("    continues", "    seen = {}\n    continues"), "seen of the class is a dict"),
    ("analyzers", "two_instances_share_nothing",
     ("    def analyze", "    def __init__(self, *given):\n        super().__init__(*given)\n        self.shared = SEEN\n    def analyze"),
     "two instances share shared"),
    *(("analyzers", "two_instances_share_nothing", ("    def analyze(self, incident, evidence):", fault), said) for fault, said in (
        ("    def analyze(self, incident, evidence):\n        global N\n        N = 1", "N changed while it worked"),
        ("    last = None\n    def analyze(self, incident, evidence):\n        type(self).last = 1", "Good.last changed"),
        ("    def analyze(self, incident, evidence):\n        type(self).last = 1", "Good.last changed"),
        ("    last = __import__('collections').deque()\n    def analyze(self, incident, evidence):", "last of the class is a deque"),
    )),
    ("actions", "what_it_is_given_stays_as_it_was", ("        with self", "        plan.data['x'] = 1\n        with self"), "changed what it was"),
    ("sources", "what_it_is_given_stays_as_it_was", ("        at = positions.get", "        positions['x'] = {}\n        at = positions.get"),
     "changed the positions"),
    ("detectors", "junk_does_not_break_it", ("block.first_line[2:5]", "str(block.lines[1].index(' '))"), "made it raise"),
    *(("detectors", "junk_does_not_break_it", ("        return Event", f"        {line}\n        return Event"), said) for line, said in (
        ("int('0' + block.first_line[3:].split()[0])", "junk made it raise"),
        ("if len(block.first_line) > 65536: raise ValueError", "a megabyte made it raise"),
    )),
    ("analyzers", "what_it_is_given_stays_as_it_was",
     ("        return Analysis", "        evidence.clear()\n        return Analysis"), "changed what it was handed"),
    *(("notifiers", "its_secrets_stay_secret", ("        return Receipt()", f"        {leak}\n        return Receipt()"), "a secret setting is in")
      for leak in (
          "return Receipt(self.config.token.get_secret_value())",
          "self.context.logger.info(self.config.spare and self.config.spare.get_secret_value())",
      )),
    *(("actions", "its_secrets_stay_secret", ("        with self", f"        {leak}\n        with self"), "a secret setting is in")
      for leak in (
          "return Outcome('done', self.config.token.get_secret_value())",
      )),
    ("actions", "it_is_imported_fast_and_alone", ("class Good", "socket.getaddrinfo('127.0.0.1', 1)\nclass Good"),
     "an import reached for the network"),
    *(("actions", "it_is_imported_fast_and_alone", ("class Good", f"{line}\nclass Good"), said) for line, said in (
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))", "socket.sendto"),
        ("socket.gethostbyname('localhost')", "reached for the network"),
        ("S = socket.create_server(('127.0.0.1', 0))", "socket.bind"),
        ("try: socket.getaddrinfo('example.org', 1)\nexcept OSError: pass", "socket.getaddrinfo"),
        ("time.sleep(1.1)", "Wait for nothing on import"),
    )),
    ("actions", "it_is_imported_fast_and_alone",
     ("class Good", "end = time.process_time() + 1.5\nwhile time.process_time() < end: pass\nclass Good"), "CPU s"),
    ("sources", "what_it_yields_fits_together", ("offset=at)", "offset=0)"), "a batch starts at 0, the one before ended at 4"),
    ("sources", "what_it_yields_fits_together", ("((0, ", "((1, "), "The first is at 0"),
    ("sources", "what_it_yields_fits_together", ('{"offset": at + len(line)}', '{"offset": at + len(line), "x": {1}}'), "no JSON"),
    ("sources", "its_positions_resume", ('positions.get("app", {}).get("offset", 0)', "4 * bool(positions)"), "Start at the position"),
    ("sources", "its_positions_resume", ('{"offset": at + len(line)}', '{"offset": at + len(line) + 2}'), "not committed were"),
    ("sources", "strange_positions_do_not_break_it", ("if isinstance(at, int) and at >= 0 else 0", ""), "made it raise"),
    ("detectors", "it_finds_what_is_there", ("^!!E", "^!!F"), "found nothing in"),
    ("detectors", "it_finds_what_is_there", ("type=block.first_line[2:5]", "type=''"), "an event without a type"),
    ("detectors", "it_finds_nothing_where_nothing_is", ("^!!E", "(!!E|paid)"), "found 'll '"),
    ("detectors", "it_finds_the_same_however_lines_arrive",
     ("    def detect", "    def cut(self, lines, hit):\n        end = hit + 1\n        while lines.get(end) is not None:\n"
      "            end += 1\n        return __import__('aiops_core').Span(hit, end)\n    def detect"),
     "lines at once give"),
    ("analyzers", "its_answer_holds", ("confidence=0.5", "confidence=50"), "is 50 sure"),
    ("analyzers", "its_answer_holds", ('cited=("E1",)', 'cited=("E9",)'), "cites ['E9']"),
    ("analyzers", "its_answer_holds", ("        return Analysis", "        return 'disk'\n        return Analysis"), "returned str"),
    ("actions", "planning_touches_nothing",
     ("        return Plan", "        (self.context.directory / 'tickets').write_text('x')\n        return Plan"), "plan() changed the world"),
    ("actions", "planning_touches_nothing", ("incident.title", "str(time.perf_counter_ns())"), "the plans differ"),
    ("actions", "acting_twice_has_one_effect", ("if effect.result is None and not effect.is_uncertain:", "if True:"), "another effect"),
    ("actions", "a_crash_doubles_nothing", (" and not effect.is_uncertain", ""), "another effect"),
    ("notifiers", "it_tells_of_incidents_and_faults", ("return Receipt()", "return None"), "returned NoneType"),
    ("notifiers", "it_tells_of_incidents_and_faults",
     ("        return Receipt()", "        report.incident.id\n        return Receipt()"), "'NoneType' object has no attribute 'id'"),
    ("extensions", "it_has_a_hook", ("def gather", "def collect"), "defines no hook"),
]  # fmt: skip


def at_work(kind, statement):
    """Return a plugin that makes a statement where it works."""
    line, text, change = WORK[kind]
    statement = statement.replace("TEXT", text).replace("CHANGE", change).replace("TOKEN", TOKEN)
    indentation = line[: len(line) - len(line.lstrip())]
    return GOOD[kind].replace(line, f"{indentation}{statement}\n{line}")


OF_EVERY_KIND = [
    ("junk_does_not_break_it", "TEXT.encode('ascii')", "junk made it raise UnicodeEncodeError"),
    ("junk_does_not_break_it", "if len(TEXT) > 400: raise ValueError", "a megabyte made it raise"),
    ("two_instances_share_nothing", "SEEN.append(1)", "SEEN changed while it worked"),
    ("what_it_is_given_stays_as_it_was", "CHANGE", "changed "),
    *(("its_secrets_stay_secret", leak, "a secret setting is in") for leak in (
        "print(TOKEN)",
        "self.context.logger.info(TOKEN)",
        "__import__('logging').getLogger('x').warning(TOKEN)",
        "raise Retry(TOKEN)",
        "raise ValueError(TOKEN)",
        "raise ValueError('no') from ValueError(TOKEN)",
    )),
]  # fmt: skip
METHODS = {
    "sources": ("source", "committed"),
    "detectors": ("detect", "cut"),
    "analyzers": ("analyze", "estimate"),
    "actions": ("plan", "act", "follow", "remark"),
    "notifiers": ("notify",),
    "extensions": ("gather", *sorted(HOOKS["extensions"] - {"gather"})),
}


def with_method(kind, method, body, *parameters):
    """Return a plugin whose method begins with a body; it has the method if it had none."""
    text = GOOD[kind].replace('"done", "written"', '"done", "written", data={"state": "open"}, final=False')
    if (head := re.search(rf"    def {method}\(self.*\):\n", text)) is not None:
        return text.replace(head[0], f"{head[0]}        {body}\n")
    return f"{text}    def {method}({', '.join(parameters or ('self',))}):\n        {body}\n"


def signature(kind, method):
    declared = {**KINDS, "detectors": LogDetector, "extensions": Observers}[kind]
    return inspect.signature(getattr(declared, method)).parameters


def send(source, data=b""):
    source.inbox.put(data + b"one\n")


def fed(directory, text=FED):
    """Return a source that takes what is sent, on its bench."""
    made = trial("sources", text, directory)
    return replace(made, bench=Bench(directory=directory, feed=send, last=b"one\n", send=send))


def trial(kind, text, directory, example=EXAMPLE):
    """Return one component, loaded from a file of its own, on a bench."""
    (directory / "component.py").write_text(HEAD + "SEEN = []\n" + text)
    (directory / "app.log").write_text("one\ntwo\nthree\n")
    (directory / "pipeline.yaml").write_text(EXAMPLE.replace("KIND", kind) if kind != "sources" else
                                             "pipelines: {one: {sources: [./component.py:Good]}}\n")  # fmt: skip
    if example:
        (directory / "example.yaml").write_text(
            (directory / "pipeline.yaml").read_text() + example[len(EXAMPLE) :]
        )
    tickets = directory / "tickets"
    bench = Bench(directory=directory, reached=lambda: tickets.read_text() if tickets.exists() else "")
    from aiops_core.catalogue import load_file

    component = load_file(kind, "./component.py:Good", directory)
    return Trial(
        component,
        bench,
        directory / "trial",
        ["!!E42 card declined\n  visa\nbill 7\n!!E43 x\n"],
        ["bill paid\n"],
    )


def check(kind, name):
    return next(one for one in CHECKS[kind] if one.__name__ == name)


@pytest.mark.parametrize(("kind", "name"), [(kind, one.__name__) for kind in GOOD for one in CHECKS[kind]])
def test_a_good_plugin_passes(tmp_path, kind, name):
    check(kind, name)(trial(kind, GOOD[kind], tmp_path))


def failure(kind, name, text, directory):
    """Return what a check says of a plugin that it refuses."""
    with pytest.raises(AssertionError) as caught:
        check(kind, name)(trial(kind, text, directory))
    return str(caught.value)


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(("name", "fault", "said"), OF_EVERY_KIND)
def test_what_is_asked_of_every_kind_is_seen_in_each(tmp_path, kind, name, fault, said):
    assert said in failure(kind, name, at_work(kind, fault), tmp_path)


@pytest.mark.parametrize(("kind", "method"), [(kind, one) for kind in METHODS for one in METHODS[kind]])
def test_junk_comes_to_every_method(tmp_path, kind, method):
    text = with_method(kind, method, "raise KeyError('what')", *signature(kind, method))

    assert "made it raise KeyError" in failure(kind, "junk_does_not_break_it", text, tmp_path)


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("method", ["start", "stop", "probe", "check", "problem"])
def test_a_secret_is_seen_whoever_tells_it(tmp_path, kind, method):
    text = with_method(kind, method, f"self.context.logger.info({TOKEN}); return None")

    assert "a secret setting is in" in failure(kind, "its_secrets_stay_secret", text, tmp_path)


@pytest.mark.parametrize("kind", GOOD)
def test_start_and_stop_are_tried_in_each_kind(tmp_path, kind):
    said = failure(kind, "it_starts_and_stops_in_any_order", GOOD[kind] + STARTS, tmp_path)

    assert "stop() raised AttributeError" in said


@pytest.mark.parametrize("kind", GOOD)
def test_a_method_that_nobody_can_call_is_seen_in_each_kind(tmp_path, kind):
    method = METHODS[kind][0]
    parameters = ", ".join(signature(kind, method))
    assert f"def {method}({parameters})" in GOOD[kind]

    text = GOOD[kind].replace(f"def {method}({parameters})", f"def {method}(self, something)")

    assert "is not how it is called" in failure(kind, "the_host_can_call_it", text, tmp_path)


@pytest.mark.parametrize("name", [one.__name__ for one in CHECKS["sources"]])
def test_a_good_source_that_waits_passes(tmp_path, name):
    check("sources", name)(fed(tmp_path))


def test_junk_is_sent_to_a_source_that_waits(tmp_path):
    deaf = FED.replace("            yield", "            line.decode()\n            yield")

    with pytest.raises(AssertionError, match="junk made it raise UnicodeDecodeError"):
        check("sources", "junk_does_not_break_it")(fed(tmp_path, deaf))


def test_junk_is_put_where_a_source_will_find_it(tmp_path):
    deaf = GOOD["sources"].replace("            yield", "            line.decode()\n            yield")
    made = trial("sources", deaf, tmp_path)

    def put(source, unwanted):
        (tmp_path / "app.log").write_bytes(unwanted)

    with pytest.raises(AssertionError, match="junk made it raise UnicodeDecodeError"):
        check("sources", "junk_does_not_break_it")(replace(made, bench=Bench(directory=tmp_path, send=put)))


def test_a_source_that_does_not_stop_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("aiops_core.testing.contracts.work._ENDS_WITHIN", 0.2)
    on_and_on = FED.replace("not self.context.stopping.is_set()", "not self.is_stopped")
    on_and_on += "    is_stopped = False\n    def stop(self):\n        self.is_stopped = True\n"

    with pytest.raises(AssertionError, match=r"goes on 0\.2 s after context\.stopping was set"):
        check("sources", "what_it_yields_fits_together")(fed(tmp_path, on_and_on))


@pytest.mark.parametrize("annotation", ["Inner | None = None", "list[Inner] = []", "Inner = Inner()"])
def test_a_secret_of_nested_settings_is_looked_for(tmp_path, annotation):
    inner = 'class Inner(Config):\n    key: SecretStr | None = None\n    """Who tells."""\n\n'
    field = f'    inner: {annotation}\n    """Where."""\n\nclass Good'
    text = at_work("notifiers", "self.context.logger.info(list(secrets_in(self.config.inner)))")
    text = f"from aiops_core.testing.contracts.secrets import secrets_in\n{inner}{text}".replace(
        "\nclass Good", field
    )

    assert "a secret setting is in" in failure("notifiers", "its_secrets_stay_secret", text, tmp_path)


@pytest.mark.parametrize(("kind", "name", "fault", "said"), BAD)
def test_a_bad_plugin_fails_and_is_told_why(tmp_path, kind, name, fault, said):
    text, example = GOOD[kind], EXAMPLE
    if isinstance(fault, tuple):
        assert fault[0] in text
        text = text.replace(*fault)
    else:
        example = f"{EXAMPLE}nonsense: 1\n" if fault == "example" else ""
    bad = trial(kind, text, tmp_path, example)

    with pytest.raises((AssertionError, AttributeError)) as caught:
        check(kind, name)(bad)

    assert said in str(caught.value)


def test_every_check_has_a_plugin_that_fails_it():
    assert {one.__name__ for checks in CHECKS.values() for one in checks} == {name for _, name, _, _ in BAD}


def test_every_bundled_plugin_is_asked_for_its_contract():
    folders = {path.parent for path in ROOT.glob("plugins/*/*/example.yaml")}
    asked = {
        path.parents[1]
        for path in ROOT.glob("plugins/*/*/tests/test_*.py")
        if "= contract(" in path.read_text()
    }
    on_a_bench = {path.parents[1] for path in ROOT.glob("plugins/*/*/tests/*_bench.py")}

    assert len(folders) > 40
    assert folders - asked - on_a_bench == set()
