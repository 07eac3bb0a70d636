"""The systemd unit: systemd finds nothing wrong with it, and it holds what an operator expects."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_core.unit import Service

AIOPS = Path(sys.executable).parent / "aiops"
WATCHING = "state: ./state\npipelines: {shop: {sources: [{uses: file, with: {paths: [./a.log]}}], notifiers: [console]}}\n"
MENDING = WATCHING.replace("notifiers", "repository: {url: ./shop.git}, notifiers")
USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def analyze():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit cannot be verified")
    return lambda *arguments: subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60
    )


def aiops(*arguments, cwd):
    return subprocess.run([AIOPS, "service", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def unit(folder, text=WATCHING, **options):
    (folder / "pipeline.yaml").write_text(text)
    given = [word for name, value in options.items() for word in (f"--{name}", value)]
    done = aiops("show", "pipeline.yaml", *given, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "aiops.service").write_text(done.stdout)
    return done.stdout


@pytest.mark.parametrize("text", [WATCHING, MENDING], ids=["watching", "mending"])
def test_systemd_finds_nothing_wrong_with_it(analyze, tmp_path, text):
    unit(tmp_path, text, user=USER)

    done = analyze("verify", str(tmp_path / "aiops.service"))

    ours = [line for line in done.stderr.splitlines() if "aiops.service" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize(("text", "most"), [(WATCHING, 3.0), (MENDING, 5.0)], ids=["watching", "mending"])
def test_it_is_exposed_to_little(analyze, tmp_path, text, most):
    unit(tmp_path, text)

    done = analyze("security", "--offline=yes", str(tmp_path / "aiops.service"))

    assert float(re.search(r"exposure level for aiops\.service: ([\d.]+)", done.stdout)[1]) <= most


def test_it_runs_as_its_own_user_restarts_always_and_writes_its_state_alone(tmp_path):
    lines = unit(tmp_path, user="watcher", name="shop").splitlines()

    assert {
        "User=watcher",
        "Type=notify",
        "Restart=always",
        "After=network-online.target",
        f"WorkingDirectory={tmp_path}",
        f"EnvironmentFile=-{tmp_path}/shop.env",
        f"ExecStart={AIOPS} run {tmp_path}/pipeline.yaml",
        f"ExecStartPre={AIOPS} check {tmp_path}/pipeline.yaml",
        f"ReadWritePaths={tmp_path}/state",
    } <= set(lines)


def test_its_group_is_the_user_s_own_whatever_that_is_called(tmp_path):
    assert "Group=" not in [line[:6] for line in unit(tmp_path, user="www-data").splitlines()]


def test_keys_that_stand_in_the_environment_file_are_not_needed_to_write_it(tmp_path):
    settings = "url: '${env:SHOP_URL}', secret: '${env:SHOP_KEY}'"
    text = WATCHING.replace("[console]", f"[{{uses: webhook, with: {{{settings}}}}}]")
    (tmp_path / "shop.env").write_text("SHOP_URL=https://example.org/in\n")

    shown = unit(tmp_path, text, name="shop")

    assert f"EnvironmentFile=-{tmp_path}/shop.env" in shown
    assert "example.org" not in shown


def test_a_pipeline_that_tests_fixes_may_make_namespaces_and_one_that_does_not_may_not(tmp_path):
    watching, mending = unit(tmp_path), unit(tmp_path, MENDING)

    assert "RestrictNamespaces=yes" in watching.splitlines()
    assert "RestrictNamespaces=yes" not in mending.splitlines()


def test_paths_are_written_as_systemd_reads_them():
    text = Service(
        Path("/opt/my tools/aiops"), Path("/etc/100%/p.yaml"), Path("/var/lib/a b"), "aiops"
    ).unit()

    assert 'ExecStart="/opt/my tools/aiops" run /etc/100%%/p.yaml' in text
    assert 'ReadWritePaths="/var/lib/a b"' in text
    assert "WorkingDirectory=/etc/100%%\n" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "none.yaml"), "none.yaml: No such file"),
        (("show", "pipeline.yaml", "--user", "a b"), "a b: no name of a user. Write small letters, digits, - and _"),
        (("install", "pipeline.yaml", "--user", "nobody-there"), "nobody-there: there is no such user"
         if os.geteuid() == 0 else "/etc/systemd/system: only root writes there"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path, arguments, said):
    (tmp_path / "pipeline.yaml").write_text(WATCHING)

    done = aiops(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
