import pytest
from aiops_source_http.source import HttpConfig, HttpSource


@pytest.mark.parametrize(
    ("settings", "checks"),
    [({}, False), ({"token": "s3cret"}, True), ({"client_ca": "ca.pem", "certificate": "c.pem"}, True)],
)
def test_s4_senders_are_known_by_a_token_or_a_certificate(settings, checks):
    assert HttpSource(HttpConfig(**settings)).checks_senders is checks
