"""aiops check --probe: everything outside is reached, without any effect and in time."""

import socket

import pytest
from click.testing import CliRunner

from aiops_core import probing
from aiops_core.cli import cli
from aiops_core.pipeline import load
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.smtp import SmtpServer

KEY = "sk-ant-dummy-00000000000000000000"
PASSWORD = "correct-horse-battery"
HOOK = "0123456789abcdef-hook"
PIPELINE = """\
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log]}}}}]
    repository: {{url: "{repository}", branch: "{branch}"}}
    analyzers: [{{uses: claude, with: {{api_key: "${{env:KEY}}", base_url: "{api}"}}}}, knowledge]
    notifiers:
      - uses: email
        with: {{host: 127.0.0.1, port: {smtp}, security: none, to: [a@example.com], username: a, password: "${{env:PASSWORD}}"}}
      - uses: webhook
        with: {{url: "${{env:HOOK}}"}}
      - console
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Everything a pipeline names, on loopback; return how its file is written."""
    repository = GitRepository(tmp_path / "shop")
    repository.commit({"shop.py": "x = 1\n"})
    with (
        MessagesApi(key=KEY) as api,
        SmtpServer(users={"a": PASSWORD}, require_tls=False) as smtp,
        HttpPeer([], usual=Reply(status=404)) as hook,
    ):
        for name, value in {"KEY": KEY, "PASSWORD": PASSWORD, "HOOK": f"{hook.url}/{HOOK}"}.items():
            monkeypatch.setenv(name, value)

        def write(**changes):
            places = {"repository": repository.remote, "branch": "main", "api": api.url, "smtp": smtp.port}
            (tmp_path / "pipeline.yaml").write_text(PIPELINE.format(**(places | changes)))
            return tmp_path / "pipeline.yaml"

        yield write


def check(path):
    result = CliRunner().invoke(cli, ["check", str(path), "--probe"])
    return result.exit_code, result.output


def test_what_is_reached_is_said_and_no_secret_is_shown(outside):
    code, said = check(outside())

    found = [line.partition(": ")[0] for line in said.splitlines() if line[0] in "✓✗"]
    assert code == 0
    assert found == ["✓ shop.claude", "✓ shop.email", "✓ shop.webhook", "✓ shop.repository"]
    assert [secret for secret in (KEY, PASSWORD, HOOK) if secret in said] == []


def test_what_is_not_reached_is_said_and_ends_with_two(outside, monkeypatch):
    monkeypatch.setenv("PASSWORD", "another-password")
    code, said = check(outside(branch="gone"))

    assert code == 2
    assert "✗ shop.email: email to 127.0.0.1:" in said
    assert "the login was refused" in said
    assert "has no branch gone. Mend 'branch'" in said
    assert "✓ shop.claude" in said
    assert "another-password" not in said


def test_who_does_not_answer_keeps_nobody_waiting(outside):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = outside(api=f"http://127.0.0.1:{silent.getsockname()[1]}")

        found = {one.name: one.problem for one in probing.probe(load(path), patience=1.0)}

    assert found == {"claude": "no answer within 1 s", "email": "", "webhook": "", "repository": ""}


def test_addresses_to_listen_on_are_tried_and_files_that_are_not_there_are_noted(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        port, other = (taken.getsockname()[1] for taken in (one, two))
        sources = [
            "{uses: file, with: {paths: [./pipeline.yaml, ./gone.log]}}",
            f'{{uses: syslog, with: {{listen: ["udp://127.0.0.1:{port}", "tcp://127.0.0.1:{port}"]}}}}',
            "{uses: syslog, name: elsewhere, with: {listen: ['udp://203.0.113.9:5514']}}",
            "{uses: http, with: {listen: '203.0.113.9:4318'}}",
            f"{{uses: http, name: here, with: {{listen: '127.0.0.1:{other}'}}}}",
        ]
        path = tmp_path / "pipeline.yaml"
        path.write_text(f"pipelines: {{shop: {{sources: [{', '.join(sources)}]}}}}\n")

        code, said = check(path)

    refused = "Cannot assign requested address. Use an address of this machine"
    rest = "no file is there. Correct its settings, or the rights of who runs aiops; else it is read once it is there"
    assert code == 2
    assert [line for line in said.splitlines() if line[0] in "✓✗·"] == [
        f"✓ shop.syslog: udp://127.0.0.1:{port} is free, tcp://127.0.0.1:{port} is in use",
        f"✗ shop.elsewhere: listen: udp://203.0.113.9:5514: {refused}",
        f"✗ shop.http: listen: 203.0.113.9:4318: {refused}",
        f"✓ shop.here: 127.0.0.1:{other} is in use",
        f"· shop.file: ./gone.log: {rest}",
    ]


def test_without_probe_nothing_is_reached(outside):
    path = outside(repository="https://nowhere.invalid/x.git", api="http://127.0.0.1:9")

    assert CliRunner().invoke(cli, ["check", str(path)]).exit_code == 0
