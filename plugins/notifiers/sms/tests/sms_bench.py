"""Three services for short messages on the bench of all notifiers that post."""

import json
from urllib.parse import parse_qs

from aiops_notifier_sms import SmsNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

SECRET = "7c4a8d09ca3762af61e59520943dc264"
ALL = ["critical", "error"]


def answer(value: object) -> Reply:
    return Reply(body=json.dumps(value).encode())


def twilio_text(request: Request) -> str:
    return parse_qs(request.body.decode())["Body"][0]


def aliyun_text(request: Request) -> str:
    return json.loads(parse_qs(request.body.decode())["TemplateParam"][0])["text"]


def tencent_text(request: Request) -> str:
    return json.loads(request.body)["TemplateParamSet"][0]


def bench(name, shown, **rest) -> ChatBench:
    settings = {"to": ["+8613800000000"], "key_id": "AKID", "key_secret": SECRET, "severities": ALL}
    return ChatBench(
        name=name,
        notifier=SmsNotifier,
        shown=shown,
        size=lambda request: len(shown(request)),
        limit=140,
        secrets=(SECRET,),
        harmful=("https://evil", "@all"),  # the rest means nothing on a phone
        **(rest | {"settings": settings | rest["settings"]}),
    )


BENCHES = [
    bench(
        "twilio",
        twilio_text,
        path="/2010-04-01/Accounts/AC0/Messages.json",
        settings={"sign": "basic", "fields": {"To": "{to}", "From": "+15005550006", "Body": "{text}"}},
        fine=Reply(201, b'{"sid":"SM0","status":"queued"}'),
    ),
    bench(
        "aliyun",
        aliyun_text,
        path="/",
        settings={
            "sign": "aliyun",
            "fields": {"PhoneNumbers": "{to}", "TemplateParam": {"text": "{text}"}},
            "success": {"Code": "OK"},
        },
        fine=answer({"Code": "OK", "Message": "OK"}),
        refused=(answer({"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "template"}),),
        busy=(answer({"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "too often"}), Reply(body=b"<html>")),
    ),
    bench(
        "tencent",
        tencent_text,
        path="/",
        settings={
            "sign": "tencent",
            "format": "json",
            "fields": {"PhoneNumberSet": ["{to}"], "TemplateParamSet": ["{text}"]},
            "success": {"Response.SendStatusSet.0.Code": "Ok"},
        },
        fine=answer({"Response": {"SendStatusSet": [{"Code": "Ok"}]}}),
        refused=(
            answer({"Response": {"SendStatusSet": [{"Code": "InvalidParameterValue.Template"}]}}),
            answer({"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "sign"}}}),
        ),
        busy=(
            answer({"Response": {"SendStatusSet": [{"Code": "LimitExceeded.PhoneNumberDailyLimit"}]}}),
            answer({"Response": {"Error": {"Code": "InternalError", "Message": "again"}}}),
        ),
    ),
]
