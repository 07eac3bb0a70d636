import pytest
from publish_scene import FILES


@pytest.fixture
def shop(origins, tmp_path):
    """Return a repository whose remote gets the fixes."""
    return origins(tmp_path / "origin", FILES)
