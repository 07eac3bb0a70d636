"""The container files: what an operator may take for granted of them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from shown import ROOT, shown

from aiops_core.repair import sandbox_problem

DEPLOY = ROOT / "deploy"
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\nKeyError: 4711\n'


def instructions():
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_runs_without_root_and_holds_no_build_tools_or_secrets():
    found = instructions()
    final = found[max(at for at, (word, _) in enumerate(found) if word == "FROM") :]

    words = [word for word, _ in final]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert ["USER", "10001"] in final
    assert not [text for word, text in found if word in {"ARG", "ADD"}]
    assert not [text for word, text in final if re.search(r"token|key|password", text, re.IGNORECASE)]
    assert all(text.startswith("[") for word, text in final if word in {"ENTRYPOINT", "CMD"})


def test_every_base_is_named_with_its_registry_and_version():
    bases = [text.split()[0] for word, text in instructions() if word == "FROM"]

    assert all(re.fullmatch(r"[\w.-]+\.\w+/[\w./-]+:[\w.-]+", base) for base in bases)


def test_what_the_image_installs_is_there():
    text = (DEPLOY / "Containerfile").read_text()

    for path in re.findall(r"/src(/plugins/[\w/]+)", text):
        assert (DEPLOY.parent / path.lstrip("/") / "pyproject.toml").is_file()


def composed():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["aiops"]


def test_the_pipeline_of_the_page_needs_nothing_the_container_has_not(tmp_path):
    if problem := sandbox_problem():
        pytest.skip(f"nothing stands in for a container: {problem}")
    [block] = [one for one in shown(ROOT / "docs" / "deployment.md") if one.language == "yaml"]
    beside = {"./conf": tmp_path / "conf", "/var/log": tmp_path / "logs", "state": tmp_path / "volume"}
    for folder in beside.values():
        folder.mkdir()
    (beside["./conf"] / Path(block.file).relative_to("deploy/conf")).write_text(block.text)
    (beside["/var/log"] / "app.log").write_text(TRACE)
    mounts = []
    for source, target, *read_only in (volume.split(":") for volume in composed()["volumes"]):
        mounts += ["--ro-bind" if read_only else "--bind", beside[source], target]
    root = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/etc", "--tmpfs", "/var"]
    image = dict(instructions())
    command = [str(Path(sys.executable).parent / "aiops"), "run", "--once", "pipeline.yaml"]

    done = subprocess.run(
        ["bwrap", *root, *mounts, "--chdir", image["WORKDIR"], *command],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, "KeyError" in done.stdout) == (0, True), done.stderr
    assert "KeyError" in (beside["state"] / "messages.jsonl").read_text()


def test_compose_gives_it_logs_to_read_and_a_state_to_write():
    service = composed()

    assert "/var/log:/var/log:ro" in service["volumes"]
    assert "state:/var/lib/aiops" in service["volumes"]
    assert (service["read_only"], service["cap_drop"], service["restart"]) == (True, ["ALL"], "always")
    assert (DEPLOY / service["build"]["dockerfile"].removeprefix("deploy/")).is_file()


def test_a_linter_finds_nothing_wrong_with_the_container_file():
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint is not installed: it has no wheel for this machine")

    done = subprocess.run([hadolint, DEPLOY / "Containerfile"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "linter",
    [["check-jsonschema", "--builtin-schema", "vendor.compose-spec"], ["compose-lint", "--fail-on", "low"]],
    ids=["schema", "security"],
)
def test_linters_find_nothing_wrong_with_the_compose_file(linter):
    command = [Path(sys.executable).parent / linter[0], *linter[1:], DEPLOY / "compose.yaml"]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_keys_beside_the_files_never_reach_the_build():
    kept_out = (DEPLOY.parent / ".dockerignore").read_text().splitlines()

    assert {".git", "**/.env", "**/*.env"} <= set(kept_out)
    assert composed()["build"]["context"] == ".."


@pytest.mark.full
def test_the_image_is_built_and_checks_a_pipeline(tmp_path):
    engine = shutil.which("podman") or shutil.which("docker")
    base = next(text.split()[0] for word, text in instructions() if word == "FROM")
    if engine is None or subprocess.run([engine, "image", "inspect", base], capture_output=True).returncode:
        pytest.skip(f"no engine for containers with {base}: the image is not built")
    built = subprocess.run(
        [engine, "build", "-q", "-f", DEPLOY / "Containerfile", DEPLOY.parent], capture_output=True, text=True
    )

    done = subprocess.run(
        [engine, "run", "--rm", built.stdout.strip(), "plugins"], capture_output=True, text=True
    )

    assert (built.returncode, done.returncode) == (0, 0), built.stderr + done.stderr
    assert "gitlab_merge_request" in done.stdout
