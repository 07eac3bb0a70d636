"""What the steps and rules of a pipeline file say that does not go together is told before anything runs."""

import pytest

from aiops_core.claims import port_claims
from aiops_core.errors import UserError
from aiops_core.pipeline import load


@pytest.fixture
def checked(tmp_path):
    """Check a file with the text; return what is wrong with it."""

    def check(text):
        (tmp_path / "pipeline.yaml").write_text(text)
        try:
            load(tmp_path / "pipeline.yaml")
        except UserError as error:
            return str(error)
        return ""

    return check


def two(first, second, more=""):
    return f"{more}pipelines:\n  shop:\n    sources: [{first}]\n  bank:\n    sources:\n      - {second}\n"


def syslog(*listen):
    return f"{{uses: syslog, with: {{listen: [{', '.join(map(repr, listen))}]}}}}"


def http(listen):
    return f"{{uses: http, with: {{listen: '{listen}'}}}}"


TAKEN = "is taken by {} already. Only one can have it: change or remove one of them"


@pytest.mark.parametrize(
    ("text", "label", "what", "holder"),
    [
        (two("stdin", "{uses: stdin, name: second}"), "stdin", "standard input", "source stdin of shop"),
        (two("syslog", "syslog"), "syslog", "UDP port 5514", "source syslog of shop"),
        (two("http", http("127.0.0.1:4318")), "http", "TCP port 4318", "source http of shop"),
        (two(syslog("tls://[::]:6514"), http("10.0.0.1:6514")), "http", "TCP port 6514", "source syslog of shop"),
        (two("stdin", http("0.0.0.0:9464"), "serve: 127.0.0.1:9464\n"), "http", "TCP port 9464", "'serve'"),
        (two("stdin", syslog("udp://a:1", "udp://A:1")), "syslog", "UDP port 1", "source syslog of bank"),
    ],
)  # fmt: skip
def test_what_only_one_source_can_have_is_refused_to_the_second(checked, text, label, what, holder):
    text = text.replace("tls://[::]:6514']", "tls://[::]:6514'], certificate: cert.pem")
    said = checked(text)

    line = 1 + text[: text.rindex("- ")].count("\n")
    assert f"pipeline.yaml:{line}:9: sources[0] ({label}): {what} {TAKEN.format(holder)}" in said.splitlines()


@pytest.mark.parametrize(
    ("one", "other", "is_refused"),
    [
        (("UDP", "127.0.0.1", 514), ("UDP", "127.0.0.1", 514), True),
        (("UDP", "0.0.0.0", 514), ("UDP", "127.0.0.1", 514), True),
        (("UDP", "::", 514), ("UDP", "127.0.0.1", 514), True),
        (("UDP", "::1", 514), ("UDP", "::", 514), True),
        (("UDP", "::1", 514), ("UDP", "0.0.0.0", 514), False),
        (("UDP", "127.0.0.1", 514), ("TCP", "127.0.0.1", 514), False),
        (("UDP", "127.0.0.1", 514), ("UDP", "127.0.0.2", 514), False),
        (("UDP", "127.0.0.1", 514), ("UDP", "127.0.0.1", 515), False),
        (("UDP", "127.0.0.1", 0), ("UDP", "127.0.0.1", 0), False),
        (("UDP", "log.example", 514), ("UDP", "0.0.0.0", 514), False),
    ],
)
def test_addresses_meet_where_the_system_gives_out_only_one_of_them(one, other, is_refused):
    assert any(a.meets(b) for a in port_claims(*one) for b in port_claims(*other)) == is_refused
    assert any(b.meets(a) for a in port_claims(*one) for b in port_claims(*other)) == is_refused


GROUPED = """\
pipelines:
  shop:
    sources: [stdin]
    detectors: [python, {{uses: levels, name: ours}}]
    grouping:
      - {{detector: {name}, key: one}}
"""


@pytest.mark.parametrize("name", ["python", "ours", "stdin", "java"])
def test_a_rule_may_name_a_detector_of_the_pipeline_one_that_is_installed_or_a_source(checked, name):
    assert checked(GROUPED.format(name=name)) == ""


@pytest.mark.parametrize(("name", "hint"), [("pyhton", "Did you mean 'python'?"), ("zzz", "Known: cpp, ")])
def test_a_rule_that_names_a_detector_there_is_none_of_is_refused(checked, name, hint):
    said = checked(GROUPED.format(name=name))

    assert f"pipeline.yaml:6:10: grouping[0].detector: no detector is called '{name}'. {hint}" in said


BROKEN = """\
from aiops_core import Source

class Broken(Source):
    def claims(self):
        raise LookupError("x")

    def source(self, positions):
        yield from ()
"""


def test_a_source_that_cannot_say_what_it_claims_is_named(checked, tmp_path):
    (tmp_path / "parts.py").write_text(BROKEN)

    said = checked("pipelines: {shop: {sources: ['./parts.py:Broken']}}\n")

    assert (
        "sources[0] (./parts.py:Broken): parts.py:5: Broken.claims() raised LookupError: x. Mend it" in said
    )
