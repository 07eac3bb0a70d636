"""The fixtures a plugin's tests get from an installed aiops-core, each used as an author would."""

import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from aiops_core.testing import Reply, answer

TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no price\n'
ASKS = """\
analyzers: [{uses: claude, with: {api_key: "${env:KEY}", base_url: URL}}]
"""


def test_the_network_beyond_loopback_is_closed():
    with pytest.raises(OSError, match=r"tests stay on loopback, not 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_nothing_is_sent_or_looked_up_beyond_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(OSError, match=r"tests stay on loopback, not 192\.0\.2\.1"):
            datagrams.sendto(b"x", ("192.0.2.1", 9))
        datagrams.sendto(b"x", ("127.0.0.1", 9))
        with pytest.raises(OSError, match=r"tests stay on loopback, not 192\.0\.2\.1"):
            datagrams.sendmsg([b"x"], [], 0, ("192.0.2.1", 9))
        datagrams.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))
        with pytest.raises(OSError, match=r"tests stay on loopback, not localhost\.example\.org"):
            datagrams.connect(("localhost.example.org", 9))
        datagrams.connect(("localhost", 9))
        datagrams.sendmsg([b"x"])

    for look_up in (lambda: socket.create_connection(("example.org", 80), timeout=1),
                    lambda: socket.gethostbyname("example.org")):  # fmt: skip
        with pytest.raises(socket.gaierror, match=r"tests ask no name server for example\.org"):
            look_up()
    assert socket.getaddrinfo("localhost", 80)


def test_a_block_an_event_and_an_incident_are_made_with_what_matters(block, event, incident):
    assert block("a\nb\n").lines == ("a", "b")
    assert event(type="KeyError").exceptions[0].type == "KeyError"
    assert incident(count=9).count == 9


def test_the_clock_stands_still_until_it_is_moved(clock):
    before = clock()

    assert clock() == before
    assert (clock.advance(60) - before).total_seconds() == 60


def test_a_pipeline_runs_over_lines(run_pipeline):
    result = run_pipeline("detectors: [python]\npolicy: {max_age: 3650d}", TRACE)

    assert [incident.title for incident in result.incidents] == ["ValueError: no price"]


def test_a_whole_pipeline_file_runs_as_well(run_pipeline):
    result = run_pipeline("pipelines: {x: {sources: [{uses: file, with: {paths: [./app.log]}}]}}", TRACE)

    assert [incident.pipeline for incident in result.incidents] == ["x"]


def test_a_model_answers_as_it_is_told(fake_model, run_pipeline):
    fake_model.say(
        answer({"title": "No price", "summary": "s", "root_cause": "r", "cited": ["E1"], "confidence": 0.9})
    )

    result = run_pipeline(ASKS.replace("URL", fake_model.url), TRACE, environment={"KEY": "sk-ant-test"})

    assert result.reports[0].analysis.title == "No price"


def test_a_server_answers_as_it_is_told(http_peer):
    http_peer.script(Reply(429))

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(http_peer.url)

    assert caught.value.code == 429
    assert urllib.request.urlopen(http_peer.url).status == 200


def test_a_forge_has_a_repository_behind_its_token(fake_forge, tmp_path):
    url = fake_forge.url.replace("://", f"://x:{fake_forge.token}@")

    subprocess.run(["git", "clone", "-q", url, tmp_path / "clone"], check=True, timeout=20)
    without = subprocess.run(
        ["git", "-c", "credential.helper=", "ls-remote", fake_forge.url],
        env={"GIT_TERMINAL_PROMPT": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=20,
    )

    assert (tmp_path / "clone" / "shop" / "cart.py").exists()
    assert fake_forge.change().base_commit in "".join(fake_forge.branches())
    assert without.returncode != 0


def test_a_mail_server_keeps_what_it_gets(smtp_server):
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: x\n\nhello")

    assert smtp_server.messages[0].recipients == ("b@example.org",)


def test_detectors_of_others_are_off_unless_they_are_named(run_pipeline, tmp_path, monkeypatch):
    site = tmp_path / "site" / "acme-1.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (site / "entry_points.txt").write_text("[aiops.detectors]\nacme = acme_detector:Acme\n")
    (site.parent / "acme_detector.py").write_text(
        "from aiops_core import Event, LogDetector\nclass Acme(LogDetector):\n    triggers = ('!!E',)\n"
        "    def detect(self, block): return Event(type='Acme')\n"
    )
    monkeypatch.syspath_prepend(str(site.parent))

    unnamed = run_pipeline("policy: {max_age: 3650d}", "!!E1 x\n")
    named = run_pipeline("detectors: [acme]", "!!E1 x\n!!E2 x\n")

    assert unnamed.incidents == ()
    assert [incident.type for incident in named.incidents] == ["Acme"]


def test_the_fixtures_import_nothing_of_the_core_before_they_are_used():
    code = (
        "import sys, aiops_core.testing.plugin;"
        "print(sorted(m for m in sys.modules if m.startswith('aiops_core')))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['aiops_core', 'aiops_core.testing', 'aiops_core.testing.plugin']"
