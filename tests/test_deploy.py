"""The container files: what an operator may take for granted of them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parent.parent / "deploy"


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


def test_compose_gives_it_logs_to_read_and_a_state_to_write():
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["aiops"]

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
    assert (
        yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["aiops"]["build"]["context"] == ".."
    )


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
