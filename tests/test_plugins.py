"""Components of others: installed distributions, single files, broken ones, and the contract."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_core.catalogue import Catalogue
from aiops_core.component import KINDS
from aiops_core.errors import UserError
from aiops_core.hooks import Stages
from aiops_core.pipeline import load
from aiops_core.testing import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
LOG = "invoice 4711 sent\n!!E42 card declined\n  card: visa\n  bank: acme\ninvoice 4712 sent\n"
BILLING = '''\
from aiops_core import Block, Event, LogDetector


class BillingErrors(LogDetector):
    """Errors of the billing log: `!!E<code> <text>`, then indented detail lines."""

    triggers = (r"^!!E\\d+",)
    continues = r"^\\s"

    def detect(self, block: Block) -> Event:
        code, _, text = block.first_line.partition(" ")
        return Event(type=code.removeprefix("!!"), message=text)
'''
PIPELINE = """\
pipelines:
  billing:
    sources: [{uses: file, with: {paths: [./billing.log]}}]
    detectors: [DETECTOR]
"""
OTHER = "E99 queue full"


def distribution(directory, name, entry_points, modules):
    """Install a distribution the way pip leaves one behind."""
    info = directory / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entry_points)
    for module, text in modules.items():
        (directory / f"{module}.py").write_text(text)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install distributions for this test: on sys.path here, on PYTHONPATH for child processes."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    before = set(sys.modules)
    yield lambda name, entry_points, modules=None: distribution(site, name, entry_points, modules or {})
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(site)):
            del sys.modules[module]


def refused(directory, detector):
    (directory / "pipeline.yaml").write_text(PIPELINE.replace("DETECTOR", detector))
    with pytest.raises(UserError) as raised:
        load(directory / "pipeline.yaml", environment={})
    return str(raised.value)


def types(result):
    return {event.type: event for event in result.events}


# -- installed and single-file components -------------------------------------------------------


def test_a_detector_of_another_distribution_works_in_a_pipeline(installed, tmp_path):
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": BILLING}
    )

    result = run_pipeline(PIPELINE.replace("DETECTOR", "billing"), {"billing.log": LOG}, tmp_path)

    (event,) = result.events
    assert (event.type, event.message, event.detector) == ("E42", "card declined", "billing")
    assert event.block == "!!E42 card declined\n  card: visa\n  bank: acme\n"
    assert (event.start, event.end) == (18, 64)


def test_a_detector_in_a_single_file_works_in_a_pipeline(tmp_path):
    text = PIPELINE.replace("DETECTOR", "./billing.py:BillingErrors")

    result = run_pipeline(text, {"billing.log": LOG, "billing.py": BILLING}, tmp_path)

    (incident,) = result.incidents
    assert (incident.title, incident.count) == ("E42: card declined", 1)
    assert incident.event.detector == "billing"
    assert [report.incident.id for report in result.reports] == [incident.id]


def test_a_component_with_settings_is_checked_by_its_own_config(installed, tmp_path):
    text = BILLING.replace("LogDetector", "Config, LogDetector", 1).replace(
        "class BillingErrors(LogDetector):",
        'class Settings(Config):\n    least: int = 0\n    """Least code."""\n\n\n'
        "class BillingErrors(LogDetector[Settings]):",
    )
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": text}
    )

    assert refused(tmp_path, "{uses: billing, with: {leats: 1}}") == (
        "pipeline.yaml:4:40: detectors[0] (billing): unknown setting 'leats'. Did you mean 'least'?"
    )


@pytest.mark.parametrize(
    ("uses", "file", "told"),
    [
        ("./none.py:X", "", "none.py: no such file. The path starts at the pipeline file"),
        (
            "./billing.py:BillingError",
            BILLING,
            "billing.py has no class 'BillingError'. Did you mean 'BillingErrors'?",
        ),
        ("./billing.py:X", "x = 1\ny = 1 / 0\n", "billing.py:2: ZeroDivisionError: division by zero. Mend the file"),
        ("./billing.py:X", "x = 1\n)\n", "billing.py:2: SyntaxError: unmatched ')' (billing.py, line 2). Mend the file"),
        (
            "./billing.py:X",
            "from aiops_core import LogDetector\nclass X(LogDetector):\n    triggers = ('abc',)\n",
            "./billing.py:X: X does not define detect(). Write what is missing",
        ),
        (
            "./billing.py:X",
            "from aiops_core import LogDetector\nclass X(LogDetector):\n    def detect(self, block): return None\n",
            "no triggers: a detector needs at least one to be called",
        ),
    ],
)  # fmt: skip
def test_a_single_file_that_cannot_be_used_is_told_with_its_line(tmp_path, uses, file, told):
    if file:
        (tmp_path / "billing.py").write_text(file)

    message = refused(tmp_path, uses)

    assert message.startswith(f"pipeline.yaml:4:17: detectors[0] ({uses}): ")
    assert (
        message.replace("./none.py", "none.py").replace(f"{tmp_path}/", "").endswith(told) or told in message
    )


# -- broken components --------------------------------------------------------------------------


def test_a_broken_component_is_named_with_its_reason_and_the_others_work(installed, tmp_path):
    installed(
        "acme-broken",
        "[aiops.detectors]\nbroken = acme_broken:Broken\n",
        {"acme_broken": "import acme_missing\n"},
    )
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": BILLING}
    )

    told = refused(tmp_path, "broken")
    result = run_pipeline(PIPELINE.replace("DETECTOR", "billing"), {"billing.log": LOG}, tmp_path)

    assert told == (
        "pipeline.yaml:4:17: detectors[0] (broken): detector 'broken' of acme-broken 1.2: cannot be imported: "
        "ModuleNotFoundError: No module named 'acme_missing'. Reinstall or upgrade acme-broken, or tell its authors"
    )
    assert set(types(result)) == {"E42"}


WRONG = {
    "import": "import acme_missing\n",
    "exit": "raise SystemExit(3)\n",
    "signature": "from aiops_core import LogDetector\nclass Wrong(LogDetector):\n    triggers = ('boom',)\n"
    "    def detect(self, blok): ...\n",
    "abstract": "from aiops_core import LogDetector\nclass Wrong(LogDetector):\n    triggers = ('boom',)\n",
    "made": "from aiops_core import LogDetector\nclass Wrong(LogDetector):\n    triggers = ('boom',)\n"
    "    def __init__(self, config, context): 1 / 0\n    def detect(self, block): ...\n",
    "trigger": "from aiops_core import LogDetector\nclass Wrong(LogDetector):\n    triggers = ('^',)\n"
    "    def detect(self, block): ...\n",
}


def test_broken_detectors_that_nobody_named_are_left_out_and_told(installed, tmp_path):
    for name, text in WRONG.items():
        installed(f"acme-{name}", f"[aiops.detectors]\n{name} = acme_{name}:Wrong\n", {f"acme_{name}": text})
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: x\n'
    text = PIPELINE.replace("    detectors: [DETECTOR]\n", "")

    result = run_pipeline(text, {"billing.log": trace}, tmp_path)

    left_out = {line.split("'")[1] for line in result.log.splitlines() if "is left out: " in line}
    assert left_out >= set(WRONG)
    assert set(types(result)) == {"ValueError"}


def test_scan_leaves_broken_detectors_out_that_nobody_named(installed, tmp_path):
    for name, text in WRONG.items():
        installed(f"acme-{name}", f"[aiops.detectors]\n{name} = acme_{name}:Wrong\n", {f"acme_{name}": text})
    (tmp_path / "app.log").write_text(
        'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: x\n'
    )

    done = aiops("scan", "--jsonl", "app.log", cwd=tmp_path)
    asked = aiops("scan", "-d", "trigger", "app.log", cwd=tmp_path)

    told = [line.partition(" is left out: ") for line in done.stderr.splitlines()]
    assert {name.removeprefix("detector ") for name, _, why in told if why} >= set(WRONG)
    assert (done.returncode, '"type":"ValueError"' in done.stdout) == (0, True)
    assert (asked.returncode, asked.stderr.partition(":")[0]) == (2, "detector trigger")


@pytest.mark.parametrize("command", [("scan", "app.log"), ("check",)], ids=" ".join)
def test_an_import_that_ends_its_process_ends_no_command(installed, tmp_path, command):
    text = "import os\nos._exit(0)\n"
    installed("acme-exit", "[aiops.detectors]\nends = acme_exit:Wrong\n", {"acme_exit": text})
    (tmp_path / "app.log").write_text("well\n")
    (tmp_path / "pipeline.yaml").write_text("pipelines: {one: {sources: [stdin]}}\n")

    done = aiops(*command, cwd=tmp_path)

    assert done.stdout.splitlines()[-1] in {"no errors found", "pipeline.yaml: fine"}
    assert done.stderr.endswith(
        "detector 'ends' of acme-exit 1.2: cannot be imported: SystemExit: os._exit(0) would end this process. "
        "Reinstall or upgrade acme-exit, or tell its authors\n"
    )


def test_a_detector_whose_settings_cannot_be_left_out_is_not_among_those_that_nobody_names(
    installed, tmp_path
):
    text = BILLING.replace("LogDetector", "Config, LogDetector", 1).replace(
        "class BillingErrors(LogDetector):",
        "from pydantic import model_validator\n\n\nclass Settings(Config):\n    codes: tuple[str, ...] = ()\n\n"
        "    @model_validator(mode='after')\n    def check(self):\n        if not self.codes:\n"
        "            raise ValueError('no codes: name one')\n        return self\n\n\n"
        "class BillingErrors(LogDetector[Settings]):",
    )
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": text}
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("    detectors: [DETECTOR]\n", ""))
    (tmp_path / "billing.log").write_text(LOG)

    checked, scanned, probed = (
        aiops(*words, cwd=tmp_path)
        for words in (("check",), ("scan", "billing.log"), ("plugins", "--probe", "acme-billing"))
    )

    assert [one.returncode for one in (checked, scanned, probed)] == [0, 0, 0]
    assert "billing" not in checked.stderr + scanned.stderr
    assert "billing," not in checked.stdout


def test_a_name_that_two_distributions_claim_is_refused_with_both(installed, tmp_path):
    for name in ("acme-billing", "other-billing"):
        module = name.replace("-", "_")
        installed(name, f"[aiops.detectors]\nbilling = {module}:BillingErrors\n", {module: BILLING})

    assert refused(tmp_path, "billing") in {
        "pipeline.yaml:4:17: detectors[0] (billing): detector 'billing' is provided by "
        f"{owners}. Uninstall one of them"
        for owners in ("acme-billing and other-billing", "other-billing and acme-billing")
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "from aiops_core import Notifier\nclass Wrong(Notifier):\n    def notify(self, report): ...\n",
            "<class 'acme_wrong.Wrong'> is no subclass of aiops_core.Detector. "
            "It belongs under notifiers, not under detectors",
        ),
        ("Wrong = 5\n", "5 is no subclass of aiops_core.Detector. Name a class that is one under detectors"),
    ],
)
def test_a_class_of_the_wrong_kind_is_refused(installed, tmp_path, text, told):
    installed("acme-wrong", "[aiops.detectors]\nwrong = acme_wrong:Wrong\n", {"acme_wrong": text})

    assert refused(tmp_path, "wrong") == (
        f"pipeline.yaml:4:17: detectors[0] (wrong): detector 'wrong' of acme-wrong 1.2: {told}"
    )


# -- listing ------------------------------------------------------------------------------------


def aiops(*arguments, cwd):
    return subprocess.run([AIOPS, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def test_listing_imports_no_component(installed, tmp_path):
    installed(
        "acme-trap",
        "[aiops.detectors]\ntrap = acme_trap:Trap\n",
        {"acme_trap": "raise SystemExit('imported')\n"},
    )
    code = (
        "import sys; from aiops_core.cli import cli; cli.main(['plugins'], standalone_mode=False); "
        "sys.exit([name for name in sys.modules if name.startswith(('aiops_', 'acme_')) "
        "and not name.startswith('aiops_core')] or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert "detectors   trap                   acme-trap 1.2" in done.stdout.splitlines()
    assert len(done.stdout.splitlines()) == len(Catalogue().entries)


def test_probe_imports_each_component_and_names_the_broken_ones(installed, tmp_path):
    modules = {
        "acme_missing": "import acme_nowhere\n",
        "acme_exit": "import os; os._exit(3)\n",
        "acme_crash": "import os; os.abort()\n",
        "acme_loud": f"print('loud', flush=True)\n{BILLING}",
        "acme_hello": "import click\n@click.command()\ndef hello(): ...\n",
    }
    names = "".join(f"{name} = acme_{name}:BillingErrors\n" for name in ("missing", "exit", "crash", "loud"))
    points = f"[aiops.detectors]\n{names}[aiops.commands]\nhello = acme_hello:hello\n"
    installed("acme-parts", points, modules)

    probed = aiops("plugins", "--probe", cwd=tmp_path)

    lines = probed.stdout.splitlines()
    assert probed.returncode == 2
    assert [line for line in lines if "acme-parts" in line] == [
        "commands    hello                  acme-parts 1.2               ok",
        "detectors   crash                  acme-parts 1.2               broken: its import ended its process by SIGABRT",
        "detectors   exit                   acme-parts 1.2               broken: detector 'exit' of acme-parts 1.2: "
        "cannot be imported: SystemExit: os._exit(3) would end this process. Reinstall or upgrade acme-parts, or tell "
        "its authors",
        "detectors   loud                   acme-parts 1.2               ok",
        "detectors   missing                acme-parts 1.2               broken: detector 'missing' of acme-parts 1.2: "
        "cannot be imported: ModuleNotFoundError: No module named 'acme_nowhere'. Reinstall or upgrade acme-parts, or "
        "tell its authors",
    ]
    assert len(lines) == len(Catalogue().entries)
    ours = [line for line in lines if line[35:].startswith(("aiops-core ", "aiops-plugin-"))]
    assert len(ours) > 20
    assert [line for line in ours if not line.endswith(" ok")] == []


SIGNATURE = "acme_signature.py:4: detect(self, blok) is not how it is called. Write 'def detect(self, block)'"


def test_hooks_that_nobody_can_call_are_seen_without_a_pipeline(installed, tmp_path):
    notifier = (
        "from aiops_core import Config, Notifier\nclass Settings(Config):\n    url: str\n"
        "class Wrong(Notifier[Settings]):\n    async def notify(self, report): ...\n"
    )
    wrong = {"signature": "detectors", "trigger": "detectors", "awaits": "notifiers"}
    texts = {**WRONG, "awaits": notifier}
    for name, kind in wrong.items():
        installed(
            f"acme-{name}", f"[aiops.{kind}]\n{name} = acme_{name}:Wrong\n", {f"acme_{name}": texts[name]}
        )

    probed = {name: aiops("plugins", "--probe", name, cwd=tmp_path) for name in wrong}
    shown = aiops("plugins", "signature", cwd=tmp_path)

    assert {name: done.returncode for name, done in probed.items()} == dict.fromkeys(wrong, 2)
    assert probed["signature"].stdout == (
        "detectors   signature              acme-signature 1.2           "
        f"broken: detector 'signature' of acme-signature 1.2: {SIGNATURE}\n"
    )
    assert "trigger '^': no run of 3 literal" in probed["trigger"].stdout
    assert "notify() is async, and nobody awaits it. Write a plain 'def notify'" in probed["awaits"].stdout
    assert (shown.returncode, shown.stderr) == (
        1, f"detector 'signature' of acme-signature 1.2: {SIGNATURE}\n"
    )  # fmt: skip


def test_the_name_of_a_distribution_lists_what_it_provides(installed, tmp_path):
    points = "[aiops.detectors]\nbilling = acme_billing:BillingErrors\nother = acme_missing:Other\n"
    installed("acme-billing", points, {"acme_billing": BILLING})

    listed = aiops("plugins", "Acme_Billing", cwd=tmp_path)
    probed = aiops("plugins", "--probe", "acme-billing", cwd=tmp_path)
    write = aiops("plugins", "acme-billing", "--write", "README.md", cwd=tmp_path)

    assert (listed.returncode, listed.stdout) == (
        0,
        "detectors   billing                acme-billing 1.2\ndetectors   other                  acme-billing 1.2\n",
    )
    assert (probed.returncode, [" ok" in line for line in probed.stdout.splitlines()]) == (2, [True, False])
    assert (write.returncode, write.stderr) == (
        2,
        "--write README.md: acme-billing is no component. Name the one whose settings it takes\n",
    )


def test_a_name_that_is_not_installed_is_told_beside_what_is(tmp_path):
    told = aiops("plugins", "nosuchthing", cwd=tmp_path).stderr

    near = aiops("plugins", "aiops-plugin-gitlba", cwd=tmp_path).stderr

    part = aiops("plugins", "gitlab", cwd=tmp_path).stderr
    nothing = aiops("plugins", "--write", "README.md", cwd=tmp_path).stderr

    assert part == "gitlab: not installed. Did you mean 'gitlab_merge_request'?\n"
    assert nothing == "--write README.md: which settings? Name a component, too\n"
    assert re.fullmatch(r"nosuchthing: not installed\. The nearest of \d\d: [\w-]+, [\w-]+, [\w-]+\n", told)
    assert near == "aiops-plugin-gitlba: not installed. Did you mean 'aiops-plugin-gitlab'?\n"


def test_a_command_of_another_distribution_is_offered(installed, tmp_path):
    text = "import click\n@click.command()\ndef hello():\n    click.echo('hello from a plugin')\n"
    installed("acme-hello", "[aiops.commands]\nhello = acme_hello:hello\n", {"acme_hello": text})

    said = aiops("hello", cwd=tmp_path)

    assert (said.returncode, said.stdout) == (0, "hello from a plugin\n")
    assert "hello" in aiops("--help", cwd=tmp_path).stdout


def test_a_broken_command_of_another_distribution_is_named_and_the_others_work(installed, tmp_path):
    installed(
        "acme-hello", "[aiops.commands]\nhello = acme_hello:hello\n", {"acme_hello": "import acme_missing\n"}
    )

    broken = aiops("hello", cwd=tmp_path)

    assert broken.returncode == 1
    assert broken.stderr == (
        "command 'hello' of acme-hello 1.2: cannot be imported: ModuleNotFoundError: No module named 'acme_missing'. "
        "Reinstall or upgrade acme-hello, or tell its authors\n"
    )
    assert aiops("--help", cwd=tmp_path).returncode == 0
    assert aiops("plugins", "file", cwd=tmp_path).returncode == 0


def test_a_pipeline_imports_what_it_names_and_has_a_manager_of_its_own(installed, tmp_path):
    installed(
        "acme-billing",
        "[aiops.detectors]\nbilling = acme_billing:BillingErrors\ntrap = acme_trap:Trap\n",
        {"acme_billing": BILLING, "acme_trap": "raise SystemExit('imported')\n"},
    )
    one = PIPELINE.replace("DETECTOR", "billing")
    (tmp_path / "pipeline.yaml").write_text(one + one.partition("\n")[2].replace("billing:", "other:", 1))
    code = (
        "import sys\nfrom pathlib import Path\nfrom aiops_core.pipeline import load\n"
        "first, second = load(Path('pipeline.yaml')).pipelines\n"
        "assert first.host is not second.host\n"
        "assert set(first.host.get_plugins()) == {step.component for step in first.steps}\n"
        "print(*sorted(name for name in sys.modules if name.startswith(('aiops_', 'acme_')) and '.' not in name))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert (done.stdout.split(), done.stderr) == (["acme_billing", "aiops_core", "aiops_source_file"], "")


def test_help_and_the_list_of_thirty_plugins_import_none_and_no_models(installed, tmp_path):
    groups = [*(f"aiops.{kind}" for kind in KINDS), "aiops.commands"]
    for number in range(30):
        group, module = groups[number % len(groups)], f"acme_{number}"
        installed(f"acme-{number}", f"[{group}]\n{module} = {module}:Thing\n", {module: "1 / 0\n"})
    code = (
        "import sys; from aiops_core.cli import cli; cli.main(sys.argv[1:], standalone_mode=False)\n"
        "sys.exit([name for name in sys.modules if name.startswith('acme_') or name in ('pydantic', 'yaml', 'pluggy') "
        "or name.startswith('aiops_') and not name.startswith('aiops_core')] or 0)"
    )

    for words, shown in (("--help", 4), ("plugins", 30)):
        done = subprocess.run(
            [sys.executable, "-c", code, words], cwd=tmp_path, capture_output=True, text=True
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert sum("acme_" in line for line in done.stdout.splitlines()) == shown


# -- the contract -------------------------------------------------------------------------------


def stage_methods():
    specs = {name: spec for name, spec in vars(Stages).items() if not name.startswith("_")}
    for base in KINDS.values():
        for owner in (base, *base.__subclasses__()):
            if owner.__module__ == "aiops_core.component":
                yield from ((owner, name, specs[name]) for name in specs if name in vars(owner))


def test_base_classes_and_hookspecs_have_the_same_signatures():
    methods = list(stage_methods())

    assert {name for _, name, _ in methods} == {name for name in vars(Stages) if not name.startswith("_")}
    for owner, name, spec in methods:
        assert inspect.signature(vars(owner)[name]) == inspect.signature(spec), (owner, name)


EXTENSION = '''\
from aiops_core import replace

from aiops_core import Extension, hookimpl


class Upper(Extension):
    """Change what detectors find, and note what happens."""

    seen = []

    @hookimpl(wrapper=True)
    def detect(self, block):
        events = yield
        return [replace(event, message=event.message.upper()) for event in events]

    def events_recorded(self, events):
        self.seen.extend(("recorded", event.message) for event in events)

    def started(self, pipeline):
        self.seen.append(("started", pipeline))

    def stopping(self, pipeline):
        self.seen.append(("stopping", pipeline))
'''


def test_an_extension_wraps_a_stage_and_observes_the_pipeline(tmp_path):
    text = (
        PIPELINE.replace("DETECTOR", "./billing.py:BillingErrors") + "    extensions: ['./upper.py:Upper']\n"
    )
    files = {"billing.log": LOG, "billing.py": BILLING, "upper.py": EXTENSION}

    result = run_pipeline(text, files, tmp_path)

    (module,) = [module for name, module in sys.modules.items() if name.startswith("_aiops_local_upper_")]
    assert [event.message for event in result.events] == ["CARD DECLINED"]
    assert module.Upper.seen == [
        ("started", "billing"),
        ("recorded", "CARD DECLINED"),
        ("stopping", "billing"),
    ]
    del sys.modules[module.__name__]


def test_an_extension_that_raises_stops_nothing(tmp_path):
    text = PIPELINE.replace("DETECTOR", "./billing.py:BillingErrors") + "    extensions: ['./bad.py:Bad']\n"
    bad = (
        "from aiops_core import Extension\nclass Bad(Extension):\n"
        "    def started(self, pipeline): raise ValueError('started')\n"
        "    def events_recorded(self, events): raise ValueError('recorded')\n"
        "    def incident_changed(self, incident, before): raise ValueError('changed')\n"
        "    def step_finished(self, incident, step, state): raise ValueError('finished')\n"
        "    def gather(self, incident): raise ValueError('gather')\n"
    )

    result = run_pipeline(text, {"billing.log": LOG, "billing.py": BILLING, "bad.py": bad}, tmp_path)

    assert (result.error, set(types(result)), len(result.reports)) == ("", {"E42"}, 1)


# -- what a plugin says it needs ----------------------------------------------------------------


def needing(installed, tmp_path, requirement):
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": BILLING}
    )
    with (tmp_path / "site" / "acme_billing-1.2.dist-info" / "METADATA").open("a") as metadata:
        metadata.write(f"Requires-Dist: {requirement}\n")


@pytest.mark.parametrize(
    "requirement", ["aiops-core>=9", "aiops_core==0.0.1", "AIOps.-Core>=9", "aiops-core[secrets]<0.1"]
)
def test_a_plugin_for_another_version_of_the_core_is_not_imported(installed, tmp_path, requirement):
    needing(installed, tmp_path, requirement)

    message = refused(tmp_path, "billing")
    listed = subprocess.run([AIOPS, "plugins"], capture_output=True, text=True, check=True)

    assert "detector 'billing' of acme-billing 1.2: needs aiops-core" in message
    assert "Upgrade acme-billing or aiops-core" in message
    assert "acme_billing" not in sys.modules
    assert any("billing" in line and "needs aiops-core" in line for line in listed.stdout.splitlines())


@pytest.mark.parametrize("requirement", ["aiops-core >>> 3", "AIOPS_core (wrong"])
def test_a_plugin_whose_requirement_cannot_be_read_is_not_imported(installed, tmp_path, requirement):
    needing(installed, tmp_path, requirement)

    message = refused(tmp_path, "billing")
    listed = subprocess.run([AIOPS, "plugins"], capture_output=True, text=True, check=True)

    told = f"requires {requirement!r}, which cannot be read. Upgrade acme-billing, or tell its authors"
    assert f"detector 'billing' of acme-billing 1.2: {told}" in message
    assert "acme_billing" not in sys.modules
    assert any("billing" in line and told in line for line in listed.stdout.splitlines())


@pytest.mark.parametrize(
    "requirement",
    [
        "aiops-core-extra >>> 3",
        "aiops-core>=0.1,<1",
        "aiops-core>=9; python_version < '3'",
        "aiops-core-extra>=9",
        "aiops-core",
    ],
)
def test_a_plugin_for_this_version_of_the_core_is_used(installed, tmp_path, requirement):
    needing(installed, tmp_path, requirement)

    result = run_pipeline(PIPELINE.replace("DETECTOR", "billing"), {"billing.log": LOG}, tmp_path)

    assert [event.type for event in result.events] == ["E42"]


# -- leaving out --------------------------------------------------------------------------------

LEFT_OUT = """\
pipelines:
  billing:
    sources: [{uses: file, with: {paths: [./billing.log]}}]
    detectors: [billing, {uses: broken, name: mine}]
"""


@pytest.mark.parametrize("name", ["mine", "broken", "acme-broken"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_what_is_disabled_is_left_out_and_not_imported(installed, tmp_path, name, command):
    installed("acme-broken", "[aiops.detectors]\nbroken = acme_broken:Broken\n", {"acme_broken": "1 / 0\n"})
    installed(
        "acme-billing", "[aiops.detectors]\nbilling = acme_billing:BillingErrors\n", {"acme_billing": BILLING}
    )
    (tmp_path / "billing.log").write_text(LOG)
    (tmp_path / "pipeline.yaml").write_text(LEFT_OUT)
    once = ["--once"] if command == "run" else []

    refused, fine = (aiops(command, *once, *more, cwd=tmp_path) for more in ((), ("--disable", name)))

    assert (refused.returncode, "ZeroDivisionError" in refused.stderr) == (2, True)
    assert (fine.returncode, "mine" in fine.stdout + fine.stderr) == (0, False), fine.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fiel", "pipeline.yaml:1:1: --disable fiel: nothing here has this name. 'aiops check' shows those there are\n"),
        ("file", "pipeline.yaml:2:3: pipelines.billing: --disable leaves it no source. Leave it one\n"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_left_out_is_refused(tmp_path, name, told):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("DETECTOR", "python"))

    done = aiops("check", "--disable", name, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (2, told)


def test_a_route_to_a_notifier_that_is_left_out_tells_the_others(tmp_path):
    notifiers = "    notifiers: [console, {uses: file, with: {path: told.jsonl}}]\n"
    text = PIPELINE.replace("DETECTOR", "python") + notifiers + "    routes: [{to: [console, file]}]\n"
    (tmp_path / "pipeline.yaml").write_text(text)
    (tmp_path / "billing.log").write_text(
        'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: x\n'
    )

    done = aiops("run", "--once", "--disable", "notifiers/file", cwd=tmp_path)

    assert (done.returncode, "ValueError" in done.stdout) == (0, True), done.stderr
    assert not (tmp_path / "told.jsonl").exists()
