import pytest

from aiops_core.text.envelope import parse_envelope


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ('{"level":"error","msg":"no stock","release":"v1.4.2"}', {"release": "v1.4.2"}),
        (
            '{"level":"error","service":{"name":"shop","version":"1.4.2"}}',
            {"service": "shop", "service.version": "1.4.2"},
        ),
        ('{"level":"error","service":"shop","message":"m"}', {"service": "shop"}),
        ('{"log.level":"error","service.name":"shop","message":"m"}', {"service": "shop"}),
        ('{"level":"error","dd":{"service":"shop"},"message":"m"}', {"service": "shop"}),
        ('level=error msg="no stock" service=shop', {"service": "shop"}),
        ('{"level":"error","service":7,"message":"the service is down"}', {}),
        ('{"log.level":"error","service.version":"1.4.2","message":"m"}', {"service.version": "1.4.2"}),
        ('{"level":"error","dd":{"version":"1.4.2","env":"prod"},"message":"m"}', {"version": "1.4.2"}),
        ('{"level":"error","git":{"commit":"0a1b2c3"},"message":"m"}', {"git.commit": "0a1b2c3"}),
        ('2026-11-21 07:00:00 {"level":"error","version":"1.4.2"}', {"version": "1.4.2"}),
        ('level=error msg="no stock" version=1.4.2', {"version": "1.4.2"}),
        ('level=error msg="no stock" release="shop 1.4"', {"release": "shop 1.4"}),
        ('{"level":"error","http":{"version":"1.1"}}', {}),
        ('{"version":"1.1","level":3,"short_message":"no stock"}', {}),
        ('{"@version":"1","level":"error","message":"m"}', {}),
        ('{"level":"error","version":2}', {}),
        ('level=error msg="the new version=2 is out"', {}),
        ("2026-11-21 07:00:00 ERROR shop: version=2 is out", {}),
    ],
)
def test_what_a_record_says_of_its_release_and_service_is_read(line, origin):
    assert parse_envelope(line).attributes == origin
