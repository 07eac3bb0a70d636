"""Several notifiers in one pipeline: each on its own, whatever becomes of the others."""

import json

from aiops_core.testing import run_pipeline
from aiops_core.testing.http_peer import HttpPeer, Reply

LOG = """\
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
    return price * count
ValueError: no price
"""
PIPELINE = """\
pipelines:
  shop:
    language: zh
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python]
    notifiers:
      - {uses: dingtalk, with: {url: "${env:GOOD}", secret: "${env:SECRET}"}}
      - {uses: wecom, with: {url: "${env:REFUSING}"}}
      - {uses: feishu, with: {url: "${env:BUSY}"}}
      - {uses: file, with: {path: ./reports.jsonl}}
"""


def test_one_is_told_while_another_refuses_and_a_third_is_busy(tmp_path):
    with (
        HttpPeer(usual=Reply(body=b'{"errcode":0}')) as good,
        HttpPeer(usual=Reply(body=b'{"errcode":93000,"errmsg":"invalid webhook url"}')) as refusing,
        HttpPeer(usual=Reply(429, b"slow down", {"Retry-After": "3600"})) as busy,
    ):
        environment = {
            "GOOD": f"{good.url}/send?access_token=4f1c0d9be8a74e0d9bc2",
            "REFUSING": f"{refusing.url}/send?key=73febdcb-1b38-4d1b",
            "BUSY": busy.url,
            "SECRET": "SEC-geheim",
        }
        result = run_pipeline(PIPELINE, {"shop.log": LOG}, tmp_path, environment=environment)

    message = json.loads(good.requests[0].body)["markdown"]["text"]
    assert "ValueError" in message
    assert "错误" in message
    states = {row.target: row.state for row in result.deliveries if row.report.kind == "incident"}
    assert (states["dingtalk"], states["file"]) == ("sent", "sent")
    assert states["wecom"] != "sent" != states["feishu"]
    assert len(busy.requests) == 1
    assert "Copy the robot's address again" in result.log
    assert "73febdcb-1b38-4d1b" not in result.log + (tmp_path / "reports.jsonl").read_text()
