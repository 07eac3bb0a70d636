"""What only PagerDuty has: triggers that find their incident again, and resolves."""

import json

from aiops_notifier_pagerduty import PagerdutyConfig, PagerdutyNotifier

from aiops_core import Context, replace
from aiops_core.testing.chat_bench import FAULT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply

OK = Reply(202, b'{"status":"success","dedup_key":"aiops/shop/v1:abc"}')


def told(*reports, **settings):
    with HttpPeer(usual=OK) as peer:
        config = PagerdutyConfig(url=f"{peer.url}/v2/enqueue", routing_key="key", **settings)
        notifier = PagerdutyNotifier(config, Context(clock=lambda: NOON))
        receipts = [notifier.notify(report) for report in reports]
    return [json.loads(request.body) for request in peer.requests], receipts


def test_a_trigger_carries_the_analysis_its_confidence_and_the_link():
    [event], [receipt] = told(REPORT, prefix="[staging]")

    payload = event["payload"]
    assert (event["event_action"], event["dedup_key"]) == ("trigger", "aiops/shop/v1:abc")
    assert payload["summary"] == "[staging] [CRITICAL] shop: An item without a price stops the checkout"
    assert (payload["severity"], payload["component"], payload["class"]) == (
        "critical",
        "checkout",
        "ValueError",
    )
    assert payload["custom_details"]["Root cause"] == "Nobody checks for a missing price."
    assert payload["custom_details"]["Confidence"].startswith("80 % ")
    assert "12 tests" in payload["custom_details"]["Tests"]
    assert {"href": REVIEW, "text": "Review the fix"} in event["links"]
    assert receipt.ids == (REPORT.key, "aiops/shop/v1:abc")


def test_every_report_of_an_incident_has_one_key():
    later = replace(REPORT, key="later", title="Another title", incident=replace(INCIDENT, count=9))

    events, _ = told(REPORT, REPORT, later)

    assert len({event["dedup_key"] for event in events}) == 1


def test_a_resolved_incident_is_resolved_there():
    [event], _ = told(replace(REPORT, incident=replace(INCIDENT, state="resolved")))

    assert event == {"routing_key": "key", "dedup_key": "aiops/shop/v1:abc", "event_action": "resolve"}


def test_what_is_part_of_another_incident_pages_nobody_once_more():
    events, receipts = told(replace(REPORT, part_of=7), REPORT)

    assert (len(events), len(receipts)) == (1, 2)


def test_a_failure_of_the_pipeline_has_a_key_of_its_own_that_lasts():
    events, _ = told(FAULT, replace(FAULT, key="the next day"))

    assert {event["dedup_key"] for event in events} == {"aiops/shop/fault/aiops itself: source file failed"}


def test_a_key_is_never_too_long():
    [event], _ = told(replace(FAULT, title="x" * 999))

    assert len(event["dedup_key"]) <= 255


def test_what_is_not_known_is_left_out():
    [event], _ = told(replace(FAULT, created_at=None))

    assert set(event["payload"]) == {"summary", "source", "severity", "group", "class", "custom_details"}
