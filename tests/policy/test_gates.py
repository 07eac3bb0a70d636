from datetime import UTC, datetime

import pytest

from aiops_core.policy import Proposal, may_publish, may_repair, nearer
from aiops_core.records import (
    STOP_LEVELS,
    Analysis,
    Change,
    Edit,
    Event,
    Evidence,
    Frame,
    Incident,
    RaisedException,
)
from aiops_core.settings import PipelineConfig

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OURS = Frame("/app/shop/cart.py", 2, "total")
VENDORED = Frame("/usr/lib/python3/dist-packages/web.py", 9, "run", in_app=False)
EDIT = Edit("replace", "shop/cart.py", "a", "b")


def config(*, repository=True, **policy):
    values = {"sources": [{"uses": "stdin"}], "policy": policy}
    return PipelineConfig.model_validate(
        values | ({"repository": {"url": "/srv/shop"}} if repository else {})
    )


def incident(*exceptions, type="KeyError", message="'price'", count=1):
    event = Event(type, message, exceptions=exceptions)
    return Incident(1, "p", "f", "t", type, message, "python", "error", "new", count, NOW, NOW, (event,))


def raised(type="KeyError", message="'price'", *frames, link="raised", parent=-1):
    return RaisedException(type, message, frames or (OURS,), link, parent)


def decide(one=None, *, evidence=(), confidence=0.9, edits=(EDIT,), analyzer="", repository=True, **policy):
    analysis = Analysis("t", "s", "r", confidence=confidence, edits=tuple(edits), analyzer=analyzer)
    proposal = Proposal(one or incident(raised()), evidence, analysis)
    decision = may_repair(proposal, config(repository=repository, **policy))
    return decision and (decision.rule, decision.setting)


def test_a_sure_analysis_of_our_own_code_may_be_repaired():
    assert decide() is None


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"edits": ()}, ("no-edits", "")),
        ({"edits": (), "analyzer": "none"}, ("no-edits", "analyzers")),
        ({"repository": False}, ("no-repository", "repository")),
        ({"stop_at": "analyse"}, ("stop-level", "policy.stop_at")),
        ({"confidence": 0.49}, ("confidence", "policy.min_confidence")),
        ({"min_events": 2}, ("too-few-events", "policy.min_events")),
    ],
)
def test_r26_each_reason_to_abstain_is_named_with_its_setting(case, expected):
    assert decide(**case) == expected


@pytest.mark.parametrize(
    "exceptions", [(), (raised("KeyError", "x", VENDORED),), (RaisedException("KeyError"),)]
)
def test_r26_a_stack_without_a_line_of_the_program_gets_no_fix(exceptions):
    assert decide(incident(*exceptions)) == ("no-in-app-frame", "policy.abstain")
    assert decide(incident(*exceptions), abstain=[]) is None


def test_r26_a_frame_the_repository_has_counts_as_the_programs_own():
    installed = incident(raised("KeyError", "x", VENDORED))
    source = Evidence("source", "src/web.py, lines 1-9 of 9", "…", path="src/web.py", line=9)

    assert decide(installed, evidence=[source]) is None


def test_r26_a_frame_of_any_exception_of_the_chain_is_enough():
    chain = (raised("WebError", "", VENDORED), raised("KeyError", "'a'", OURS, link="cause", parent=0))

    assert decide(incident(*chain)) is None


@pytest.mark.parametrize(
    ("type", "message"),
    [
        ("OSError", "[Errno 28] No space left on device: '/var/spool/orders'"),
        ("java.io.IOException", "No space left on device"),
        ("Error", "ENOSPC: no space left on device, write"),
        ("MemoryError", ""),
        ("java.lang.OutOfMemoryError", "Java heap space"),
        ("OutOfMemory", "Out of memory: Killed process 4242 (python)"),
        ("OSError", "[Errno 12] Cannot allocate memory"),
        ("socket.gaierror", "[Errno -2] Name or service not known"),
        ("Error", "getaddrinfo EAI_AGAIN payments.internal"),
        ("java.net.UnknownHostException", "payments.internal"),
        ("panic", "dial tcp: lookup db.internal on 10.0.0.2:53: no such host"),
        ("ConnectionRefusedError", "[Errno 111] Connection refused"),
        ("java.net.ConnectException", "Connection refused (Connection refused)"),
        ("Error", "connect ECONNREFUSED 10.0.0.7:5432"),
        (
            "requests.exceptions.HTTPError",
            "503 Server Error: Service Unavailable for url: https://pay.example/",
        ),
        ("AxiosError", "Request failed with status code 502"),
        ("HttpServerErrorException$BadGateway", "502 Bad Gateway: [no body]"),
        ("psycopg2.OperationalError", 'could not translate host name "db" to address'),
        ("OSError", "[Errno 30] Read-only file system: '/data/x'"),
    ],
)
def test_r26_a_cause_outside_the_code_gets_no_fix(type, message):
    alone = incident(raised(type, message), type=type, message=message)
    caused = incident(raised("CheckoutError", "failed"), raised(type, message, link="cause", parent=0))
    line = incident(type=type, message=message)

    assert [decide(one) for one in (alone, caused, line)] == [("infrastructure", "policy.abstain")] * 3
    assert decide(alone, abstain=["no-in-app-frame"]) is None


@pytest.mark.parametrize(
    ("type", "message"),
    [
        ("KeyError", "'connection'"),
        ("ValueError", "502 items are too many"),
        ("TypeError", "Cannot read properties of undefined (reading 'memory')"),
        ("AssertionError", "expected status 200, got 500"),
        ("sqlite3.OperationalError", "no such table: hosts"),
        ("java.lang.NullPointerException", 'Cannot invoke "Host.name()" because "host" is null'),
    ],
)
def test_r26_an_error_of_the_code_is_no_infrastructure(type, message):
    assert decide(incident(raised(type, message), type=type, message=message)) is None


def test_r26_an_error_in_the_handling_of_an_outage_is_about_its_own_code():
    while_handling = raised("ConnectionRefusedError", "[Errno 111]", link="context", parent=0)

    assert decide(incident(raised("KeyError", "'retry'"), while_handling)) is None


def test_a_fix_is_taken_as_far_as_it_may_go_and_no_further():
    reached = {
        level: [
            reaches
            for reaches in STOP_LEVELS
            if may_publish(Change("c", "main", (), "", may_reach=level), "act", reaches) is None
        ]
        for level in STOP_LEVELS
    }

    assert reached["patch"] == ["analyse", "patch"]
    assert reached["branch"] == ["analyse", "patch", "branch"]
    assert reached["draft"] == ["analyse", "patch", "branch", "draft"]
    assert reached["ready"] == list(STOP_LEVELS)
    assert nearer("ready", "branch") == nearer("branch", "draft") == "branch"


def test_an_action_that_goes_too_far_is_told_by_name_and_setting():
    decision = may_publish(Change("c", "main", (), "", may_reach="patch"), "local_branch", "branch")

    assert decision.text == "local_branch: not planned, it takes a fix to branch and this one stops at patch"
    assert (decision.rule, decision.setting) == ("stop-level", "policy.stop_at")
