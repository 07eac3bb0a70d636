"""What only short messages have: numbers, templates, signatures, and silence below critical."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs

import pytest
from aiops_notifier_sms import SmsConfig, SmsNotifier
from aiops_notifier_sms.signing import Signer, aliyun
from pydantic import ValidationError

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import NOON, REPORT
from aiops_core.testing.http_peer import HttpPeer, Reply

TWO = ["+8613800000001", "+8613800000002"]
FIELDS = {"To": "{to}", "Body": "{text}"}


def notifier(url="http://127.0.0.1:1/", **settings):
    config = SmsConfig(**({"to": TWO, "url": url, "fields": FIELDS} | settings))
    return SmsNotifier(config, Context(clock=lambda: NOON))


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_each_number_gets_one_message_that_says_what_and_why():
    with HttpPeer() as peer:
        receipt = notifier(peer.url).notify(REPORT)

    text = "[CRITICAL] shop: An item without a price stops the checkout ×3 Nobody checks for a missing price."
    assert [form(request) for request in peer.requests] == [{"To": number, "Body": text} for number in TWO]
    assert [(result.recipient, result.accepted) for result in receipt.recipients] == [
        (one, True) for one in TWO
    ]


def test_only_critical_reports_are_sent():
    with HttpPeer() as peer:
        receipt = notifier(peer.url).notify(replace(REPORT, severity="error"))

    [result] = receipt.recipients
    assert peer.requests == []
    assert (result.accepted, result.detail) == (False, "not sent: error is not among severities")


def test_who_was_served_is_not_served_again():
    with HttpPeer([Reply(), Reply(503)]) as peer:
        sender = notifier(peer.url)
        with pytest.raises(Retry):
            sender.notify(REPORT)
        receipt = sender.notify(REPORT)

    assert [form(request)["To"] for request in peer.requests] == [TWO[0], TWO[1], TWO[1]]
    assert all(result.accepted for result in receipt.recipients)


def test_a_number_that_is_refused_keeps_the_message_from_no_other():
    with HttpPeer([Reply(400, b"no such number")]) as peer:
        receipt = notifier(peer.url).notify(REPORT)

    refused, served = receipt.recipients
    assert (refused.accepted, served.accepted) == (False, True)
    assert "refused (400 no such number)" in refused.detail


def test_when_all_are_refused_it_is_a_failure():
    with HttpPeer(usual=Reply(401, b"who are you")) as peer, pytest.raises(UserError) as caught:
        notifier(peer.url).notify(REPORT)

    assert str(caught.value) == (
        f"sms to {peer.url}: refused (401 who are you). Check url, key_id, key_secret and fields."
    )


def test_a_login_is_sent_as_twilio_wants_it():
    with HttpPeer() as peer:
        notifier(peer.url, sign="basic", key_id="AC0", key_secret="geheim").notify(REPORT)

    expected = "Basic " + base64.b64encode(b"AC0:geheim").decode()
    assert peer.requests[0].headers["authorization"] == expected


def test_aliyun_gets_its_signature():
    now = NOON
    headers = aliyun(
        Signer("AKID", "geheim", "SendSms", "2017-05-25", ""),
        "https://h.example/",
        "a/b",
        b"x=1",
        now,
        "n0nce",
    )

    digest = hashlib.sha256(b"x=1").hexdigest()
    names = (
        "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    )
    request = (
        "POST\n/\n\ncontent-type:a/b\nhost:h.example\nx-acs-action:SendSms\n"
        f"x-acs-content-sha256:{digest}\nx-acs-date:2026-05-04T12:00:00Z\nx-acs-signature-nonce:n0nce\n"
        f"x-acs-version:2017-05-25\n\n{names}\n{digest}"
    )
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
    signature = hmac.new(b"geheim", to_sign.encode(), hashlib.sha256).hexdigest()
    assert headers["Authorization"] == (
        f"ACS3-HMAC-SHA256 Credential=AKID,SignedHeaders={names},Signature={signature}"
    )


def test_tencent_gets_its_signature_over_what_was_sent():
    with HttpPeer() as peer:
        settings = {"sign": "tencent", "key_id": "AKID", "key_secret": "geheim", "format": "json"}
        notifier(f"{peer.url}/", **settings).notify(REPORT)

    [request, _] = peer.requests
    timestamp, host = request.headers["x-tc-timestamp"], request.headers["host"]
    canonical = (
        f"POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:{host}\nx-tc-action:sendsms\n\n"
        f"content-type;host;x-tc-action\n{hashlib.sha256(request.body).hexdigest()}"
    )
    scope = "2026-05-04/sms/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"TC3geheim"
    for step in (b"2026-05-04", b"sms", b"tc3_request"):
        key = hmac.new(key, step, hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    assert request.headers["authorization"].endswith(f"Signature={signature}")
    assert f"Credential=AKID/{scope}," in request.headers["authorization"]
    assert request.headers["x-tc-action"] == "SendSms"
    assert request.headers["x-tc-version"] == "2021-01-11"


def test_quotes_in_a_text_do_not_break_the_json_in_a_form():
    with HttpPeer() as peer:
        fields = {"TemplateParam": {"text": "{title}", "id": "{id}"}}
        notifier(peer.url, fields=fields).notify(replace(REPORT, title='"}{to}\\ said\nhe'))

    assert json.loads(form(peer.requests[0])["TemplateParam"]) == {"text": '"}{to}\\ said he', "id": "12"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"to": ["call me"]}, "'call me' is no phone number: write digits, with + and the country before"),
        ({"fields": {"x": ["{txt}"]}}, "{txt} stands for nothing: write {to}, {text}, {title} or {severity}"),
        ({"sign": "aliyun"}, "sign aliyun needs both: write `key_id` and `key_secret`"),
        ({"to": []}, "at least 1 item"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings, problem):
    with pytest.raises(ValidationError) as caught:
        notifier(**settings)

    assert problem in str(caught.value)
