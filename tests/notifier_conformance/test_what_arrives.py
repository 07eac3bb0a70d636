"""What people are told, by every notifier that posts."""

import re

import pytest

from aiops_core import Retry, replace
from aiops_core.testing.chat_bench import ANALYSIS, EVENT, FAULT, INCIDENT, REPORT
from aiops_core.testing.http_peer import HttpPeer

EVIL = "@all <!channel> <at id=all></at> <@U1> [click](https://evil.example/x) https://evil.example @everyone"


def told(bench, report, **changes):
    with HttpPeer(usual=bench.fine) as peer:
        receipt = bench.make(peer.url, **changes).notify(report)
    return peer.requests[-1], receipt


def test_a_report_arrives_and_the_receipt_names_it(bench):
    request, receipt = told(bench, REPORT)

    assert request.method == "POST"
    assert REPORT.title in bench.shown(request)
    assert receipt.ids[0] == REPORT.key
    assert all(result.accepted for result in receipt.recipients)


def test_a_failure_of_the_pipeline_itself_is_told_too(bench):
    request, _ = told(bench, FAULT)

    assert "source file failed" in bench.shown(request)


def test_a_report_speaks_the_pipeline_s_language(bench):
    request, _ = told(bench, replace(REPORT, language="zh"))

    assert "严重" in bench.shown(request) or '"language": "zh"' in bench.shown(request)


def test_untrusted_text_mentions_nobody_and_links_nowhere(bench):
    event = replace(EVENT, message=EVIL, block=EVIL)
    incident = replace(INCIDENT, title=EVIL, message=EVIL, events=(event,))
    analysis = replace(ANALYSIS, title=EVIL, summary=EVIL, root_cause=EVIL, repair_steps=(EVIL,))
    report = replace(REPORT, title=EVIL, incident=incident, analysis=analysis, outcomes=(), text=EVIL)

    request, _ = told(bench, report)

    assert [sign for sign in bench.harmful if sign in bench.shown(request)] == []
    assert "click" in bench.shown(request)


def test_a_text_that_is_too_long_is_cut_between_words(bench):
    words = " ".join(f"word{number:05}" for number in range(40_000))
    event = replace(
        EVENT, message=words, block="\n".join(words[at : at + 500] for at in range(0, 99_000, 500))
    )
    incident = replace(INCIDENT, title=words, message=words, events=(event,))
    analysis = replace(ANALYSIS, title=words, summary=words, root_cause=words, repair_steps=(words,) * 9)

    request, _ = told(bench, replace(REPORT, title=words, incident=incident, analysis=analysis, text=words))

    shown = bench.shown(request)
    assert bench.size(request) <= bench.limit
    assert "word00001" in shown
    assert re.findall(r"word\d{0,4}…", shown) == []


def test_wide_characters_never_exceed_the_limit(bench):
    text = "价格缺失😀é" * 9_000
    analysis = replace(ANALYSIS, title=text, summary=text, root_cause=text, repair_steps=(text,) * 20)
    report = replace(REPORT, title=text, analysis=analysis, text=text, language="zh")

    request, _ = told(bench, report)

    assert bench.size(request) <= bench.limit
    assert "\ufffd" not in bench.shown(request)


def test_more_messages_than_the_service_takes_wait_for_their_turn(bench, monkeypatch):
    with HttpPeer(usual=bench.fine) as peer:
        monkeypatch.setattr(type(bench.make(peer.url)), "rate", (1, 60.0))
        notifier = bench.make(peer.url)
        notifier.notify(REPORT)
        asked = len(peer.requests)

        with pytest.raises(Retry) as caught:
            notifier.notify(replace(REPORT, key="another"))

        assert len(peer.requests) == asked
    assert str(caught.value).endswith(": waits for its turn.")
    assert 50 < caught.value.after <= 61
