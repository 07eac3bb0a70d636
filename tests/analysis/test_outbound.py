from datetime import UTC, datetime

import pytest

from aiops_core.analysis import redact_record
from aiops_core.records import (
    Analysis,
    Change,
    ChangedFile,
    CodeSample,
    Edit,
    Event,
    Evidence,
    Frame,
    Incident,
    Outcome,
    RaisedException,
    Report,
)  # fmt: skip
from aiops_core.text.redaction import Redactor

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REDACTOR = Redactor(["configured-value"])
CODE = 'token = settings.token\nclient.login(user, password=user.password, pin="0000configured-value")\n'


def test_r19_s9_no_text_of_a_report_keeps_a_secret():
    secret = "hunter2"
    frame = Frame("http://u:hunter2@cdn/app.js", 3, code='login("u", password="hunter2")')
    event = Event(
        "E", f"password={secret}", exceptions=(RaisedException("E", f"token: {secret}\n", (frame,)),),
        attributes={"db_password": secret}, block=f"Authorization: Basic dTpodW50ZXIy\npwd={secret}",
        context_before=(f"secret={secret}",), key="k", fingerprint="f",
    )  # fmt: skip
    incident = Incident(
        1, "p", "f", f"password={secret}", "E", "m", "", "error", "new", 1, NOW, NOW, (event,)
    )
    analysis = Analysis("t", f"the api_key={secret} leaked", "r", (f"set password={secret}",), confidence=0.5)
    outcome = Outcome("failed", f"https://bot:{secret}@git.example/x refused", data={"token": secret, "n": 3})

    report = redact_record(
        Report("key", "incident", "p", "t", incident=incident, analysis=analysis, outcomes=(outcome,)),
        REDACTOR,
    )

    assert secret not in repr(report)
    assert "dTpodW50ZXIy" not in repr(report)
    assert report.outcomes[0].data["n"] == 3
    assert (report.key, report.incident.event.key) == ("key", "k")


def raised(frames):
    return (RaisedException("E", frames=frames),)


LEAK = Frame("a.js", 3, code='login("u", password="hunter2")')


@pytest.mark.parametrize(
    "record",
    [
        "password=hunter2",
        Event("E", "password=hunter2"),
        Event("E", exceptions=(RaisedException("E", "token: hunter2"),)),
        Event("E", exceptions=raised((LEAK,))),
        Event("E", exceptions=raised((*(Frame("a.js", line) for line in range(60)), LEAK))),
        Event("E", attributes={"db_password": "hunter2"}),
        Event("E", context_after=("fine", "pwd=hunter2")),
        Outcome("failed", "no", data={"tried": [{"token": "hunter2"}]}),
        Outcome("failed", "no", data={"tried": {"note": "fine\npassword=hunter2"}}),
    ],
)
def test_a_secret_that_stands_in_one_place_alone_goes(record):
    assert "hunter2" in repr(record)
    assert "hunter2" not in repr(redact_record(record, REDACTOR))


def test_source_keeps_its_names_and_loses_its_literals():
    evidence = redact_record(
        [Evidence("source", "a.py", CODE), Evidence("log", "log", "password=user1")], REDACTOR
    )

    assert evidence[0].text.startswith(
        "token = settings.token\nclient.login(user, password=user.password, pin="
    )
    assert "configured-value" not in evidence[0].text
    assert "user1" not in evidence[1].text


def test_edits_and_changes_are_never_touched():
    edit = Edit("replace", "a.py", 'password="x1"', 'password="x2"')
    change = Change("c", "main", (ChangedFile("a.py", b"password=hunter2"),), "password=hunter2")
    analysis = Analysis(
        "t", "s", "r", code_samples=(CodeSample("x", "token = settings.token"),), edits=(edit,)
    )

    redacted = redact_record((analysis, change), REDACTOR)

    assert redacted == (analysis, change)
