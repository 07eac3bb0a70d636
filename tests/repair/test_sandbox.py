import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aiops_core.errors import Refused
from aiops_core.repair import family, process, sandbox_problem
from aiops_core.repair import sandbox as module
from aiops_core.repair.family import descendants
from aiops_core.repair.process import Limits
from aiops_core.repair.sandbox import Bubblewrap, Room, Unprotected, open_sandbox

LIMITS = Limits(seconds=20)


@pytest.fixture
def room(tmp_path):
    (tmp_path / "work").mkdir()
    return Room(tmp_path / "work", tmp_path / "home")


@pytest.fixture(params=["bubblewrap", "none"])
def any_sandbox(request):
    if request.param == "none":
        return Unprotected()
    return request.getfixturevalue("bubblewrap")


def python(text):
    return f"{sys.executable} -c '{text}'"


def test_a_command_runs_in_the_work_clone_and_may_write_there(any_sandbox, room):
    result = any_sandbox.run("echo hello > made && cat made && exit 3", room, LIMITS)

    assert (result.exit_code, result.output, result.stopped) == (3, "hello\n", "")
    assert (room.work / "made").read_text() == "hello\n"


def test_s19_the_environment_holds_nothing_of_ours(any_sandbox, room, monkeypatch):
    monkeypatch.setenv("GITLAB_TOKEN", "canary-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-2")
    monkeypatch.setenv("PYTHONPATH", "canary-3")

    names = {line.partition("=")[0] for line in any_sandbox.run("env", room, LIMITS).output.splitlines()}

    known = {"PATH", "HOME", "PWD", "TMPDIR", "LANG", "USER", "LOGNAME", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}
    assert names - known <= {"PIP_REQUIRE_VIRTUALENV", "PIP_BREAK_SYSTEM_PACKAGES"}


def test_s19_no_process_in_reach_has_our_environment_in_bubblewrap(bubblewrap, room, monkeypatch):
    monkeypatch.setenv("GITLAB_TOKEN", "canary-1")

    result = bubblewrap.run("cat /proc/*/environ | tr '\\0' '\\n'", room, LIMITS)

    assert "PATH=" in result.output
    assert "canary" not in result.output


def test_s19_the_home_is_not_ours_and_stays_between_runs(any_sandbox, room):
    (Path.home() / ".netrc").write_text("canary")

    any_sandbox.run("cat ~/.netrc; echo kept > ~/kept", room, LIMITS)

    assert any_sandbox.run("cat ~/kept; cat ~/.netrc", room, LIMITS).output.startswith("kept\n")
    assert (room.home / "kept").read_text() == "kept\n"


def test_unittest_of_the_interpreter_on_path_runs(any_sandbox, room):
    (room.work / "test_x.py").write_text(
        "import unittest\nclass X(unittest.TestCase):\n    def test_x(self):\n        self.assertTrue(True)\n"
    )

    result = any_sandbox.run("python3 -m unittest", room, LIMITS)

    assert result.exit_code == 0
    assert "Ran 1 test in" in result.output


def test_s19_s20_the_network_is_out_of_reach_in_bubblewrap(bubblewrap, room):
    script = (
        'import socket\ns = socket.socket()\ntry: s.connect(("127.0.0.1", 9))\n'
        'except OSError as e: print(e.errno)\ntry: s.connect(("192.0.2.1", 9))\nexcept OSError as e: print(e.errno)'
    )

    result = bubblewrap.run(python(script), room, LIMITS)

    assert result.output.split()[-1] == "101"
    interfaces = bubblewrap.run("cat /proc/net/dev | grep -c :", room, LIMITS)
    assert interfaces.output.strip() == "1"


def test_s22_the_network_can_be_lent_for_the_setup(bubblewrap, room):
    ours = Path("/proc/net/dev").read_text().count(":")

    result = bubblewrap.run("grep -c : /proc/net/dev", room, LIMITS, network=True)

    assert int(result.output) == ours


def test_s19_nothing_can_be_written_outside_in_bubblewrap(bubblewrap, room, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    places = ["/x", "/usr/x", "/etc/x", str(outside / "x"), f"{Path.home()}/x", f"{Path(__file__).parent}/x"]

    result = bubblewrap.run("; ".join(f"touch {place} && echo wrote" for place in places), room, LIMITS)

    assert "wrote" not in result.output
    assert len(result.output.splitlines()) == len(places)
    assert not any(Path(place).exists() for place in places)


def test_s19_s20_nothing_private_can_be_read_in_bubblewrap(bubblewrap, room, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (Path.home() / ".netrc").write_text("canary")

    result = bubblewrap.run(
        f"cat {secret} {Path.home()}/.netrc ~/.netrc /etc/shadow /etc/ssh/* /etc/passwd; ls /proc",
        room,
        LIMITS,
    )

    assert "canary" not in result.output
    assert "aiops:x:1000:1000:" in result.output
    assert "root:" not in result.output
    assert str(os.getpid()) not in result.output.split()


def test_s19_no_capability_and_no_terminal_in_bubblewrap(bubblewrap, room):
    result = bubblewrap.run("grep -i capeff /proc/self/status; tty", room, LIMITS)

    assert result.output.split()[1].strip("0") == ""
    assert "not a tty" in result.output


def test_s20_the_time_limit_ends_the_command_and_all_it_started(any_sandbox, room):
    script = (
        "(setsid sh -c 'while :; do echo x >> beat; sleep 0.05; done' >/dev/null 2>&1 &) ;"
        "(setsid env -i sh -c 'while :; do echo x >> beat2; sleep 0.05; done' >/dev/null 2>&1 &) ;"
        "trap '' TERM INT HUP; sleep 100"
    )
    started = time.monotonic()

    result = any_sandbox.run(script, room, Limits(seconds=3))

    assert result.stopped == "timeout"
    assert result.exit_code == 137
    assert time.monotonic() - started < 60
    assert (room.work / "beat").exists() and (room.work / "beat2").exists()
    assert_still(room.work / "beat", room.work / "beat2")


def test_without_proc_the_time_limit_ends_at_least_the_group(room, monkeypatch, tmp_path):
    monkeypatch.setattr(family, "_PROC", tmp_path / "none")
    script = "while :; do echo x >> beat; sleep 0.05; done & sleep 100"

    result = Unprotected().run(script, room, Limits(seconds=2))

    assert result.stopped == "timeout"
    assert_still(room.work / "beat")


def test_s20_a_daemon_does_not_outlive_a_command_that_ends_by_itself(any_sandbox, room):
    script = (
        "(setsid sh -c 'while :; do echo x >> beat; sleep 0.05; done' &) ; while [ ! -e beat ]; do :; done"
    )

    result = any_sandbox.run(script, room, LIMITS)

    assert (result.exit_code, result.stopped) == (0, "")
    assert result.seconds < 10
    assert_still(room.work / "beat")


def test_s20_the_sandbox_dies_with_the_service(any_sandbox, room):
    program = (
        "import sys; from pathlib import Path\n"
        "from aiops_core.repair.process import Limits\nfrom aiops_core.repair import sandbox\n"
        "room = sandbox.Room(Path(sys.argv[2]), Path(sys.argv[3]))\n"
        "sandbox.open_sandbox(sys.argv[1]).run("
        "'while :; do echo x >> beat; sleep 0.05; done', room, Limits(seconds=60))"
    )
    service = subprocess.Popen([sys.executable, "-c", program, any_sandbox.name, room.work, room.home])
    wait_for((room.work / "beat").exists)

    service.send_signal(signal.SIGKILL)
    service.wait()

    assert_still(room.work / "beat")


def test_s20_too_much_output_is_cut_and_then_ends_the_command(any_sandbox, room):
    result = any_sandbox.run("echo first; yes", room, Limits(seconds=30, output=10_000, printed=5_000_000))

    assert result.stopped == "output"
    assert result.output.startswith("first\n")
    assert "bytes dropped]" in result.output
    assert len(result.output) < 100_000


def test_long_output_keeps_its_end(any_sandbox, room):
    script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end"

    result = any_sandbox.run(script, room, Limits(seconds=30, output=10_000))

    assert (result.exit_code, result.stopped) == (0, "")
    assert result.output.endswith("\nthe end\n")


def test_a_command_that_closes_its_output_is_still_watched(any_sandbox, room):
    ended = any_sandbox.run("exec >/dev/null 2>&1; sleep 0.2; exit 4", room, LIMITS)
    hung = any_sandbox.run("exec >/dev/null 2>&1; sleep 50", room, Limits(seconds=0.4))

    assert (ended.exit_code, ended.stopped) == (4, "")
    assert hung.stopped == "timeout"


def test_s20_too_many_processes_end_the_command(any_sandbox, room):
    script, before = "for i in $(seq 200); do sleep 99 & done; wait", descendants(os.getpid())

    result = any_sandbox.run(script, room, Limits(seconds=60, processes=60))

    assert result.stopped == "processes" or "fork" in result.output.lower()
    assert result.seconds < 55
    assert descendants(os.getpid()) == before


def test_s20_memory_of_one_process_has_a_limit(any_sandbox, room):
    result = any_sandbox.run(python("bytearray(10 << 30)"), room, LIMITS)

    assert "MemoryError" in result.output


def test_s20_memory_of_all_processes_together_has_a_limit(any_sandbox, room):
    script = (
        "import os, time\nfor _ in range(3):\n  if not os.fork(): break\n"
        "x = bytearray(b'1') * (40 << 20)\ntime.sleep(20)".replace("'", '"')
    )

    result = any_sandbox.run(python(script), room, Limits(seconds=20, memory=100 << 20))

    assert result.stopped == "memory"


def test_s20_a_file_cannot_grow_beyond_its_limit(any_sandbox, room):
    result = any_sandbox.run(
        "head -c 30000000 /dev/zero > big", room, Limits(seconds=20, file_size=1_000_000)
    )

    assert result.exit_code != 0
    assert (room.work / "big").stat().st_size == 1_000_000


def test_s20_what_many_files_take_has_a_limit(any_sandbox, room):
    script = "for i in $(seq 50); do head -c 1000000 /dev/zero > $i; sleep 0.1; done"

    result = any_sandbox.run(script, room, Limits(seconds=20, written=5_000_000))

    assert result.stopped == "written"
    assert len(list(room.work.iterdir())) < 50


def test_s20_what_others_write_meanwhile_is_not_blamed_on_a_command(any_sandbox, room, monkeypatch):
    free = iter(range(10 << 40, 0, -(1 << 40)))
    monkeypatch.setattr(process, "free_space", lambda path: next(free))

    result = any_sandbox.run("sleep 0.5; echo done", room, LIMITS)

    assert (result.output, result.stopped) == ("done\n", "")


def test_s20_a_disk_that_is_almost_full_ends_the_command(any_sandbox, room, monkeypatch):
    free = iter([2 << 30])
    monkeypatch.setattr(process, "free_space", lambda path: next(free, 1000))

    assert any_sandbox.run("sleep 30", room, LIMITS).stopped == "disk"


def test_a_command_nobody_has_is_an_ordinary_failure(any_sandbox, room):
    result = any_sandbox.run("no-such-runner --all", room, LIMITS)

    assert result.exit_code == 127
    assert "no-such-runner" in result.output


def test_a_broken_pipe_ends_programs_as_usual(any_sandbox, room):
    assert any_sandbox.run("yes | head -1", room, LIMITS).output == "y\n"


def test_s18_s19_bubblewrap_that_is_not_there_is_refused_not_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Refused) as caught:
        open_sandbox("bubblewrap")

    assert (caught.value.rule, caught.value.setting) == ("sandbox", "repository.sandbox")
    assert str(caught.value) == (
        "repository.sandbox: bubblewrap does not work here: the program bwrap is not installed (package "
        "bubblewrap). Nothing is run without it; make it work, or write 'none' to run setup and tests unprotected."
    )
    assert sandbox_problem() == "the program bwrap is not installed (package bubblewrap)"


def test_bubblewrap_that_fails_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace.' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert Bubblewrap().available() == "No permissions to create new namespace"


def test_no_sandbox_is_always_available():
    assert open_sandbox("none").available() is None


def test_homes_are_never_shown_whole(monkeypatch, tmp_path):
    home = tmp_path / "home"
    for name in ("bin", ".local/bin", ".local/lib", ".local/share", ".tool/shims", ".tool/versions"):
        (home / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{home}:{home}/bin:{home}/.local/bin:{home}/.tool/shims:relative:/usr/bin")

    shown = module.toolchain()

    assert str(home) not in shown
    assert {f"{home}/bin", f"{home}/.local/bin", f"{home}/.local/lib", f"{home}/.tool"} <= set(shown)
    assert f"{home}/.local/share" not in shown


def test_proxies_with_a_password_are_kept_from_the_setup(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    variables = module.network_variables()

    assert variables.get("HTTP_PROXY") == "http://proxy.example:3128"
    assert "HTTPS_PROXY" not in variables


def assert_still(*files):
    """Nothing that beats every 50 ms writes to the files any more, after a moment to die in."""
    deadline = time.monotonic() + 15
    while True:
        sizes = [file.stat().st_size for file in files]
        time.sleep(0.25)
        if sizes == [file.stat().st_size for file in files]:
            return
        assert time.monotonic() < deadline, "something still writes"


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
