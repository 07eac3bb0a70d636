"""What an agent's process can reach: its checkout, its home, one socket file, and nothing else."""

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from aiops_core.repair.agent import AGENT_URL, Agent, run_agent
from aiops_core.repair.family import descendants
from aiops_core.repair.process import Limits


@pytest.fixture
def peer():
    """Return a socket file behind which everything is answered with ``pong``."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = Path(folder, "socket")
        server.bind(str(path))
        server.listen()
        threading.Thread(target=_answer, args=(server,), daemon=True).start()
        yield path
        server.shutdown(socket.SHUT_RDWR)


def _answer(server):
    while True:
        try:
            client = server.accept()[0]
        except OSError:
            return
        with client:
            client.recv(100)
            client.sendall(b"pong")


@pytest.fixture
def run(tmp_path, bubblewrap, peer):
    """Return a function that runs a shell script as the agent."""
    (tmp_path / "work").mkdir()

    def run(script, question="", seconds=20, **facts):
        agent = Agent(["/bin/sh", "-c", script], peer, **facts)
        limits = Limits(seconds=seconds)
        return run_agent(agent, question, work=tmp_path / "work", home=tmp_path / "home", limits=limits)

    return run


def python(text):
    return f"{sys.executable} -c '{text}'"


def test_s13_the_question_comes_by_standard_input(run):
    result = run("cat", "what is wrong?")

    assert (result.exit_code, result.output) == (0, "what is wrong?")


def test_the_exit_code_is_the_agents(run):
    assert run("exit 7").exit_code == 7
    assert run("kill -9 $$").exit_code == 137


def test_the_socket_file_is_all_the_network_there_is(run):
    host, port = AGENT_URL.removeprefix("http://").split(":")
    ask = f's=socket.create_connection(("{host}",{port}));s.sendall(b"ping");print(s.recv(9).decode())'
    others = 'print([n for n in ("8.8.8.8","169.254.169.254","127.0.0.1") if not s.connect_ex((n,80))])'

    result = run(python(f"import socket;{ask};s=socket.socket();{others}"))

    assert result.output == "pong\n[]\n"


def test_s15_the_environment_is_what_was_given(run, monkeypatch):
    monkeypatch.setenv("GITLAB_TOKEN", "canary-1")

    result = run("cat /proc/*/environ | tr '\\0' '\\n'", environment={"MODEL": "x"})

    assert "MODEL=x" in result.output
    assert "canary" not in result.output


def test_s8_no_file_of_ours_can_be_read(run, tmp_path):
    (tmp_path / "key").write_text("canary-2")
    ssh = Path(os.environ["HOME"], ".ssh")
    ssh.mkdir()
    (ssh / "id").write_text("canary-3")

    result = run(f"cat {tmp_path}/key {ssh}/id /etc/shadow /root/.ssh/* ~/../../etc/hostname; true")

    assert "canary" not in result.output and "root:" not in result.output
    assert result.output.count("No such file") == 5


def test_s17_nothing_can_be_written_outside(run, tmp_path):
    places = [f"{tmp_path}/out", "/usr/out", "/etc/out", "/out", f"{sys.prefix}/out"]
    before = sorted(tmp_path.iterdir())

    result = run("; ".join(f"echo x > {place} && echo wrote" for place in places) + "; echo x > in")

    assert "wrote" not in result.output
    assert [Path(place) for place in places if Path(place).exists()] == []
    assert sorted({*tmp_path.iterdir()} - {*before}) == [tmp_path / "home"]
    assert (tmp_path / "work" / "in").read_text() == "x\n"


def test_s16_an_agent_that_ignores_signals_and_forks_is_gone_at_its_deadline(run):
    began, before = time.monotonic(), descendants(os.getpid())

    result = run("trap '' TERM INT; setsid sleep 300 & sleep 300", seconds=0.5)

    assert result.stopped == "timeout"
    assert time.monotonic() - began < 15
    assert descendants(os.getpid()) == before
