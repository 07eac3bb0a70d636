import pytest
from aiops_source_syslog.source import SyslogConfig, SyslogSource

TLS = {"listen": ["tls://127.0.0.1:6514"], "certificate": "c.pem"}


@pytest.mark.parametrize(
    ("settings", "checks"),
    [
        ({}, False),
        (TLS, False),
        ({**TLS, "client_ca": "ca.pem"}, True),
        ({**TLS, "client_ca": "ca.pem", "listen": [*TLS["listen"], "udp://127.0.0.1:514"]}, False),
    ],
)
def test_s4_senders_are_known_where_each_shows_a_certificate(settings, checks):
    assert SyslogSource(SyslogConfig(**settings)).checks_senders is checks
