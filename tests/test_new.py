"""``aiops new``: what it writes works at once, as a package that is built and installed, and as one file."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from aiops_core.scaffold import KINDS

AIOPS = Path(sys.executable).parent / "aiops"


def aiops(*arguments, cwd):
    return subprocess.run([AIOPS, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def quietly(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Let a package of each kind be written."""
    folder = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        done = aiops("new", kind, f"press_{kind}", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(written, tmp_path_factory):
    """Build the wheels and install them into a fresh environment; the rest comes from this one."""
    wheels, home = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("home")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels)]
    for project in sorted(written.iterdir()):
        quietly([*build, str(project)], written)
    venv.create(home, with_pip=False, symlinks=True)
    paths = {"base": str(home), "platbase": str(home)}
    site, here = (Path(sysconfig.get_path("purelib", vars=one)) for one in (paths, None))
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install"]
    offline = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--no-compile"]
    quietly([*pip, *offline, *map(str, wheels.iterdir())], written)
    editable = {
        line for path in here.glob("*.pth") for line in path.read_text().splitlines() if line[:1] == "/"
    }
    (site / "dependencies.pth").write_text("\n".join([str(here), *sorted(editable)]) + "\n")
    return home / "bin"


def test_the_tests_of_every_installed_package_pass(written, installed):
    projects = sorted(written.iterdir())

    out = quietly(
        [installed / "python", "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider",
         *(project / "tests" for project in projects)],
        written,
    )  # fmt: skip

    assert len(projects) == 6
    assert "passed" in out or "[100%]" in out


def test_every_example_is_right_and_names_the_installed_plugin(written, installed):
    for project in sorted(written.iterdir()):
        code = "from aiops_core.cli import main; main()"
        command = [installed / "python", "-c", code, "check", "example.yaml"]
        environment = {"PRESS_NOTIFIER_TOKEN": "geheim"}

        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)

        assert done.returncode == 0, done.stderr


def test_a_pipeline_uses_the_installed_detector(written, installed, tmp_path):
    (tmp_path / "press.log").write_text("!!E42 card declined\n  card: visa\nfine\n")
    (tmp_path / "pipeline.yaml").write_text(
        "pipelines: {p: {sources: [{uses: press_source, with: {path: press.log}}],"
        " detectors: [press_detector], notifiers: [console]}}"
    )

    out = quietly(
        [installed / "python", "-c", "from aiops_core.cli import main; main()", "run", "--once"], tmp_path
    )

    assert "card declined" in out


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_file_works_where_it_was_written(kind, tmp_path):
    written = aiops("new", kind, "one", "--single-file", cwd=tmp_path)
    checked = subprocess.run(
        [AIOPS, "check", "one.yaml"], cwd=tmp_path, capture_output=True, text=True, env={"ONE_TOKEN": "x"}
    )
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "not test_contract or example",
        "test_one.py",
    ]

    assert written.stdout.splitlines()[:3] == ["wrote one.py", "wrote one.yaml", "wrote test_one.py"]
    assert (checked.returncode, checked.stderr) == (0, "")
    quietly(tests, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sink", "x"), "sink: no kind of plugin. Write one of source, detector, analyzer, action, notifier, extension"),
        (("detector", "Press-Line"), "Press-Line: no name of a plugin. Write small letters, digits and _, as in press_line"),
        (("detector", "class"), "class: no name of a plugin. Write small letters, digits and _, as in press_line"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_told(arguments, said, tmp_path):
    done = aiops("new", *arguments, cwd=tmp_path)

    assert (done.returncode, done.stderr.strip()) == (2, said)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "one.py").write_text("mine")

    done = aiops("new", "detector", "one", "--single-file", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == "one.py: is there already, and stays as it is. Choose another --directory\n"
    assert [path.name for path in tmp_path.iterdir()] == ["one.py"]
