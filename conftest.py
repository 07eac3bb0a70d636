"""What all tests of this tree share beside the fixtures that aiops-core brings."""

import os
import ssl
import time
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, settings

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # machines are shared: how long an example takes says nothing

os.environ["TZ"] = "UTC"  # what logs say without a zone is the same everywhere
time.tzset()


@pytest.fixture(scope="session")
def corpora():
    """Return the folder of public corpora beside the project, or skip."""
    data = Path(__file__).resolve().parent.parent / "shared" / "data"
    if not (data / "traces").is_dir():
        pytest.skip("the public corpora are not here: ../shared/data is missing")
    return data


@pytest.fixture
def authority(tmp_path):
    """Put a server certificate into the folder; return the authority behind it."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    server.private_key_pem.write_to_path(tmp_path / "key.pem")
    server.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


@pytest.fixture
def trusting(authority):
    """Return how a client trusts the server; with a name it shows a certificate of its own."""

    def make(name=""):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if name:
            authority.issue_cert(name).configure_cert(context)
        return context

    return make
