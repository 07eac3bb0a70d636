"""What all tests of this tree share beside the fixtures that aiops-core brings."""

import os
import time
from pathlib import Path

import pytest

os.environ["TZ"] = "UTC"  # what logs say without a zone is the same everywhere
time.tzset()


@pytest.fixture(scope="session")
def corpora():
    """Return the folder of public corpora beside the project, or skip."""
    data = Path(__file__).resolve().parent.parent / "shared" / "data"
    if not (data / "traces").is_dir():
        pytest.skip("the public corpora are not here: ../shared/data is missing")
    return data
