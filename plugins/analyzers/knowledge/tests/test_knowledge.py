from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from aiops_analyzer_knowledge import KnowledgeAnalyzer, KnowledgeConfig

from aiops_core import Context, Event, Evidence, Incident, RaisedException, UserError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def incident(type_, message="", cause=None):
    errors = (
        RaisedException(type_, message),
        *([RaisedException(*cause, link="cause", parent=0)] if cause else []),
    )
    event = Event(type_, message, exceptions=errors)
    return Incident(1, "p", "f", "t", type_, message, "", "error", "new", 1, NOW, NOW, (event,))


def make(folder=Path(), language="en", **settings):
    analyzer = KnowledgeAnalyzer(KnowledgeConfig(**settings), Context(directory=folder, language=language))
    analyzer.start()
    return analyzer


@pytest.mark.parametrize(
    ("type_", "message", "name"),
    [
        ("OSError", "[Errno 28] No space left on device: '/tmp/x'", "disk-full"),
        ("Error", "ENOSPC: no space left on device, write", "disk-full"),
        ("OSError", "[Errno 24] Too many open files", "too-many-open-files"),
        ("java.lang.OutOfMemoryError", "Java heap space", "out-of-memory"),
        ("MemoryError", "", "out-of-memory"),
        ("socket.gaierror", "[Errno -2] Name or service not known", "name-resolution"),
        ("Error", "getaddrinfo EAI_AGAIN db", "name-resolution"),
        ("dial", "dial tcp: lookup db on 10.0.0.2:53: no such host", "name-resolution"),
        ("ssl.SSLCertVerificationError", "certificate verify failed: certificate has expired", "certificate-expired"),
        ("SSLError", "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer", "certificate-not-trusted"),
        ("x509", "x509: certificate signed by unknown authority", "certificate-not-trusted"),
        ("Error", "listen EADDRINUSE: address already in use :::3000", "address-in-use"),
        ("OSError", "[Errno 30] Read-only file system: '/x'", "read-only-file-system"),
        ("OperationalError", "FATAL: too many connections for role", "database-connections-exhausted"),
        ("DeadlockDetected", "deadlock detected", "database-lock"),
        ("OperationalError", "password authentication failed for user \"x\"", "credentials-refused"),
        ("HTTPError", "429 Client Error: Too Many Requests for url", "rate-limited"),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", "connection-refused"),
        ("Error", "connect ECONNREFUSED 127.0.0.1:5432", "connection-refused"),
        ("OSError", "[Errno 113] No route to host", "network-unreachable"),
        ("ConnectionResetError", "[Errno 104] Connection reset by peer", "connection-reset"),
        ("PermissionError", "[Errno 13] Permission denied: '/x'", "permission-denied"),
        ("ModuleNotFoundError", "No module named 'x'", "module-missing"),
        ("RecursionError", "maximum recursion depth exceeded", "stack-overflow"),
        ("java.net.SocketTimeoutException", "Read timed out", "timeout"),
        ("error", "context deadline exceeded", "timeout"),
    ],
)  # fmt: skip
def test_a_known_error_gets_its_remedy(type_, message, name):
    analysis = make().analyze(incident(type_, message), [Evidence("log", "log", "x", id="E1")])

    assert analysis.summary == (
        f"A known error: {name}. The remedy below is written down in the rules shipped with this analyzer; "
        "no model was asked."
    )
    assert analysis.repair_steps and analysis.prevention
    assert (analysis.edits, analysis.usage, analysis.provable, analysis.cited) == ((), None, False, ("E1",))
    assert analysis.confidence in (0.5, 0.6)


def test_a_cause_is_recognised_too():
    known = incident(
        "OrderFailed", "order 7", cause=("ConnectionRefusedError", "[Errno 111] Connection refused")
    )

    assert "connection-refused" in make().analyze(known, []).summary


@pytest.mark.parametrize(
    "message", ["'total'", "division by zero", "list index out of range", "unsupported operand type(s)"]
)
def test_an_ordinary_bug_is_no_known_error(message, caplog):
    caplog.set_level("INFO")

    assert make().analyze(incident("KeyError", message), []) is None
    assert "no known error fits KeyError" in caplog.text


def test_every_shipped_rule_speaks_chinese():
    english, chinese = (make(language=language)._rules for language in ("en", "zh"))

    for entry in english:
        assert entry.value.zh.repair_steps and entry.value.zh.prevention
    analysis = make(language="zh").analyze(incident("OSError", "No space left on device"), [])
    assert analysis.title == "磁盘、inode 或配额已用尽"
    assert (
        analysis.summary == "已知错误：disk-full。下面的处理办法来自 随本分析器提供的规则，没有询问任何模型。"
    )
    assert len(english) == len(chinese)


OWN = """\
- name: nightly-import
  match: {type: ImportFailed, message: "code 4\\\\d"}
  title: The supplier's file is late
  root_cause: It is written at 03:00.
  repair_steps: [Wait until 04:00 and run the import again.]
"""


def test_own_rules_come_first(tmp_path):
    (tmp_path / "rules.yaml").write_text(
        OWN + OWN.replace("ImportFailed", "OSError").replace("code 4\\\\d", "space")
    )

    analyzer = make(tmp_path, path="rules.yaml")

    own = analyzer.analyze(incident("ImportFailed", "code 42"), [])
    assert (own.title, own.confidence) == ("The supplier's file is late", 0.6)
    assert f"{tmp_path / 'rules.yaml'}:1" in own.summary
    assert "nightly-import" in analyzer.analyze(incident("OSError", "No space left on device"), []).summary


def test_the_shipped_rules_can_be_switched_off(tmp_path):
    (tmp_path / "rules.yaml").write_text(OWN)

    analyzer = make(tmp_path, path="rules.yaml", shipped=False)

    assert analyzer.analyze(incident("OSError", "No space left on device"), []) is None


def test_a_mistake_in_a_rule_is_named_with_its_line(tmp_path):
    (tmp_path / "rules.yaml").write_text(OWN.replace("repair_steps", "repair_step"))

    with pytest.raises(UserError) as caught:
        make(tmp_path, path="rules.yaml")

    assert (
        str(caught.value) == f"{tmp_path / 'rules.yaml'}:5: [0].repair_step: Extra inputs are not permitted."
    )


def test_the_example_rules_are_valid():
    folder = Path(__file__).parents[1]
    settings = yaml.safe_load((folder / "example.yaml").read_text())["pipelines"]["shop"]["analyzers"][0][
        "with"
    ]

    assert make(folder, **settings)._rules[0].value.name == "supplier-file-late"
