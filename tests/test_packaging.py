"""What is built is what is in the tree, and what is installed works."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from kit import build, install
from shown import ROOT, follow, shown

FORGES = {
    "github_pull_request": ROOT / "plugins" / "actions" / "github",
    "gitlab_merge_request": ROOT / "plugins" / "actions" / "gitlab",
}
LOG = """\
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
    return price * count
ValueError: no price
"""
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python]
    notifiers: [console]
"""


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Build the wheels of aiops-core and of the forges."""
    out = tmp_path_factory.mktemp("wheels")
    for folder in (ROOT, *FORGES.values()):
        build(folder, out)
    return {path.name.split("-")[0]: path for path in out.iterdir()}


@pytest.fixture(scope="session")
def installed(wheels, tmp_path_factory):
    """Install the wheels into a fresh environment."""
    return install(tmp_path_factory.mktemp("installed"), wheels.values())


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# -- the tree and its description ---------------------------------------------------------------


def packages_in_tree():
    return {
        path.parent.relative_to(ROOT).as_posix()
        for path in ROOT.glob("plugins/*/*/aiops_*/__init__.py")
        if not (path.parent.parent / "pyproject.toml").exists()
    }


def entry_points(folder):
    points = project(folder)["project"]["entry-points"]
    return {
        (group.removeprefix("aiops."), name): target
        for group, of in points.items()
        if group.startswith("aiops.")
        for name, target in of.items()
    }


def test_every_bundled_plugin_folder_is_a_package_of_the_wheel_and_the_other_way_round():
    described = set(project(ROOT)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])

    assert described - {"aiops_core"} == packages_in_tree()


def test_every_plugin_folder_has_one_entry_point_named_like_it():
    expected = {tuple(package.split("/")[1:3]): f"{package.split('/')[3]}" for package in packages_in_tree()}

    assert {place: target.partition(":")[0] for place, target in entry_points(ROOT).items()} == expected
    assert [entry_points(folder) for folder in FORGES.values()] == [
        {("actions", "github_pull_request"): "aiops_action_github:GithubPullRequest"},
        {("actions", "gitlab_merge_request"): "aiops_action_gitlab:GitlabMergeRequest"},
    ]


def test_dependencies_cover_what_the_code_imports():
    import_names = {
        "yaml": "pyyaml",
        "re2": "google-re2",
        "pydantic_core": "pydantic",
        "typing_extensions": "typing-extensions",
        "tree_sitter": "tree-sitter",
        "prometheus_client": "prometheus-client",
        "opentelemetry": "opentelemetry-api",
    }
    about = project(ROOT)["project"]
    lines = [
        *about["dependencies"],
        *(line for extra in about["optional-dependencies"].values() for line in extra),
    ]
    declared = {re.split(r"[<>=;\[ ]", line)[0].lower() for line in lines}
    sources = [
        *(ROOT / "aiops_core").rglob("*.py"),
        *(path for package in packages_in_tree() for path in (ROOT / package).rglob("*.py")),
    ]
    pattern = re.compile(r"^\s*(?:from|import) (\w+)", re.MULTILINE)
    used = {
        name
        for path in sources
        if "demo/service" not in path.as_posix() and "aiops_core/testing" not in path.as_posix()
        for name in pattern.findall(re.sub(r'"""(?:.|\n)*?"""', "", path.read_text("utf-8")))
    }

    foreign = {name for name in used if name not in sys.stdlib_module_names and not name.startswith("aiops_")}
    assert {import_names.get(name, name) for name in foreign} <= declared | {"_hs_ext"}


# -- the wheels ---------------------------------------------------------------------------------


def test_the_wheel_holds_every_file_of_its_packages_and_nothing_else(wheels):
    shipped = {name for name in contents(wheels["aiops_core"]) if ".dist-info/" not in name}
    packages = [ROOT / "aiops_core", *(ROOT / package for package in packages_in_tree())]

    in_tree = {
        path.relative_to(package.parent).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == in_tree


@pytest.mark.parametrize(
    "pattern",
    [
        r"aiops_core/store/migrations/versions/\w+\.py",
        r"aiops_core/demo/service/app/\w+\.py",
        r"aiops_core/demo/service/tests/test_\w+\.py",
        r"aiops_core/demo/answer\.yaml",
        r"aiops_analyzer_claude/prices\.yaml",
        r"aiops_detector_regex/error_patterns\.yaml",
        r"aiops_core/py\.typed",
    ],
)
def test_the_wheel_holds_what_is_no_module(wheels, pattern):
    assert [name for name in contents(wheels["aiops_core"]) if re.fullmatch(pattern, name)]


def test_the_licence_travels_with_the_wheel(wheels):
    names = contents(wheels["aiops_core"])

    assert "aiops_core-0.1.0.dist-info/licenses/LICENSE" in names


def test_an_index_would_take_the_wheels_and_nothing_in_them_is_out_of_place(wheels):
    paths = [str(path) for path in wheels.values()]

    for checks in (["twine", "check", "--strict"], ["check_wheel_contents"]):
        done = subprocess.run(
            [sys.executable, "-m", *checks, *paths], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


# -- an installation ----------------------------------------------------------------------------


def run(binary, *arguments, cwd):
    return subprocess.run([binary, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def test_the_installed_packages_come_from_the_wheels(installed, tmp_path):
    code = (
        "import aiops_core, aiops_source_file, aiops_action_github, aiops_action_gitlab as gitlab;"
        "print(aiops_core.__file__, aiops_source_file.__file__, aiops_action_github.__file__, gitlab.__file__)"
    )

    done = run(installed / "python", "-c", code, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert [path for path in done.stdout.split() if not path.startswith(str(installed.parent))] == []


def test_the_installed_command_lists_every_plugin(installed, tmp_path):
    done = run(installed / "aiops", "plugins", cwd=tmp_path)

    listed = {tuple(line.split()[:3]) for line in done.stdout.splitlines()}
    assert done.returncode == 0, done.stderr
    assert {(kind, name, "aiops-core") for kind, name in entry_points(ROOT)} <= listed
    assert ("actions", "github_pull_request", "aiops-plugin-github") in listed
    assert ("actions", "gitlab_merge_request", "aiops-plugin-gitlab") in listed


def test_the_installed_command_runs_a_pipeline(installed, tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "shop.log").write_text(LOG)

    done = run(installed / "aiops", "run", "--once", cwd=tmp_path)
    listed = run(installed / "aiops", "incidents", "list", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "ValueError: no price" in done.stdout
    assert "ValueError: no price" in listed.stdout


def test_the_example_of_two_distributions_works_where_they_are_installed(installed, tmp_path):
    folder = shutil.copytree(ROOT / "examples" / "core_and_gitlab", tmp_path / "shop")

    assert follow(list(shown(folder / "README.md")), folder, installed) > 0
