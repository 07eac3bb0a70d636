"""``aiops new``: what it writes works at once, as a package that is built and installed, and as one file."""

import subprocess
import sys
from pathlib import Path

import pytest
from kit import MOST, build, contracts, cost, from_nothing, install, run, works
from shown import ROOT

from aiops_core import Context, Plan, __version__
from aiops_core.catalogue import load_file
from aiops_core.scaffold import KINDS, Plugin
from aiops_core.testing.forge_scene import FileEffects

AIOPS = Path(sys.executable).parent / "aiops"


def aiops(*arguments, cwd):
    return subprocess.run([AIOPS, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Let a package of each kind be written."""
    folder = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        done = aiops("new", kind, f"press_{kind}", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """Build the wheel of aiops-core."""
    out = tmp_path_factory.mktemp("core")
    build(ROOT, out)
    [wheel] = out.iterdir()
    return wheel


@pytest.fixture(scope="module")
def installed(written, core, tmp_path_factory):
    """Build the wheels and install them beside that of aiops-core into one fresh environment."""
    wheels, home = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("home")
    for project in sorted(written.iterdir()):
        build(project, wheels)
    return install(home, [core, *wheels.iterdir()])


def test_the_tests_of_every_installed_package_pass(written, installed):
    projects = sorted(written.iterdir())
    code = "import aiops_core, aiops_detector_press_detector as one; print(aiops_core.__file__, one.__file__)"

    tests = [project / "tests" for project in projects]
    with cost() as took:
        out = run([installed / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                   "--import-mode=importlib", *tests], written)  # fmt: skip
    places = run([installed / "python", "-c", code], written).split()

    assert len(projects) == 6
    assert "passed" in out or "[100%]" in out
    assert [place for place in places if not place.startswith(str(installed.parent))] == []
    assert took.core < MOST * len(projects)


def test_every_example_is_right_and_names_the_installed_plugin(written, installed):
    for project in sorted(written.iterdir()):
        run([installed / "aiops", "check", "example.yaml"], project, {"PRESS_NOTIFIER_TOKEN": "geheim"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipeline_uses_the_installed_plugin(kind, installed, tmp_path):
    works(Plugin(kind, f"press_{kind}"), tmp_path / "used", installed)


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_to_a_passing_contract_takes_less_than_a_minute_of_a_core(kind, core, tmp_path):
    took = from_nothing(kind, core, tmp_path / kind)

    assert took.core < 10 * MOST  # CI may be ten times slower


@pytest.mark.full
def test_the_contracts_of_all_bundled_plugins_take_less_than_a_minute_of_a_core():
    cases, took = contracts()

    assert cases > 300
    assert took.core < 10 * MOST  # CI may be ten times slower


def test_the_readme_holds_the_settings(written):
    readme = (written / "aiops-plugin-press-detector" / "README.md").read_text()

    assert "| `ignore` | list of text | none | Codes that are no problem" in readme


def test_settings_are_written_again_after_a_change(written, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("# x\n<!-- settings -->\nold\n<!-- /settings -->\n")

    done = aiops("plugins", "regex", "--write", "README.md", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "README.md: written\n")
    assert "old" not in readme.read_text()
    assert "| `patterns` |" in readme.read_text()


def test_single_files_of_all_kinds_pass_their_contracts_where_they_were_written(tmp_path):
    for kind in KINDS:
        name = f"one_{kind}"
        written = aiops("new", kind, name, "--single-file", cwd=tmp_path)
        assert written.stdout.splitlines()[:3] == [
            f"wrote {name}.py", f"wrote {name}.yaml", f"wrote test_{name}.py"
        ]  # fmt: skip

    for kind in KINDS:
        run([AIOPS, "check", f"one_{kind}.yaml"], tmp_path, {"ONE_NOTIFIER_TOKEN": "x"})
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sink", "x"), "sink: no kind of plugin. Write one of source, detector, analyzer, action, notifier, extension"),
        (("detector", "Press-Line"), "Press-Line: no name of a plugin. Write small letters, digits and _, as in press_line"),
        (("source", "my-source"), "my-source: no name of a plugin. Write small letters, digits and _, as in my_source"),
        (("source", "9 lives"), "9 lives: no name of a plugin. Write small letters, digits and _, as in press_line"),
        (("source", "http"), f"http: taken by source 'http' of aiops-core {__version__}. Choose another name"),
        (("action", "gitlab"), f"gitlab: taken by action 'gitlab_merge_request' of aiops-plugin-gitlab {__version__}. "
         "Choose another name"),
        (("notifier", "email", "--single-file"), "email: a module of Python has this name. Choose another"),
        (("detector", "class"), "class: no name of a plugin. Write small letters, digits and _, as in press_line"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_told(arguments, said, tmp_path):
    done = aiops("new", *arguments, cwd=tmp_path)

    assert (done.returncode, done.stderr.strip()) == (2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_ticket_that_was_half_written_is_written_again(tmp_path, monkeypatch):
    aiops("new", "action", "desk", "--single-file", cwd=tmp_path)
    action = load_file("actions", "desk.py:DeskAction", tmp_path)
    plan = Plan("write ticket 1", "all of it", {"ticket": "1.md"})

    def act():
        return action(
            action.config_type(), Context(directory=tmp_path, effects=FileEffects(tmp_path / "e"))
        ).act(plan)

    def half_written(path, text, *rest):
        done = write(path, text[:3] if path.parent.name == "tickets" else text, *rest)
        return done if path.parent.name != "tickets" else sys.exit("as if killed")

    write = Path.write_text
    with monkeypatch.context() as crashing, pytest.raises(SystemExit):
        crashing.setattr(Path, "write_text", half_written)
        act()
    act()

    assert [(path.name, path.read_text()) for path in (tmp_path / "tickets").iterdir()] == [
        ("1.md", "all of it")
    ]


def test_what_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "one.py").write_text("mine")

    done = aiops("new", "detector", "one", "--single-file", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == "one.py: is there already, and stays as it is. Choose another --directory\n"
    assert [path.name for path in tmp_path.iterdir()] == ["one.py"]
