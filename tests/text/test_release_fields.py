import pytest

from aiops_core.text.envelope import parse_envelope


@pytest.mark.parametrize(
    ("line", "release"),
    [
        ('{"level":"error","msg":"no stock","release":"v1.4.2"}', {"release": "v1.4.2"}),
        ('{"level":"error","service":{"name":"shop","version":"1.4.2"}}', {"service.version": "1.4.2"}),
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
def test_what_a_record_says_of_its_release_is_read(line, release):
    assert parse_envelope(line).attributes == release
