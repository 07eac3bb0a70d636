from datetime import timedelta

import pytest
from notice_scene import Scene


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """Make a scene in the directory of this test; a second one is what is there after a restart.

    ``every`` is how many minutes apart incidents are looked after, where a test is long.
    """
    made = []

    def make(every=1, **options):
        monkeypatch.setattr("aiops_core.respond.tending.EVERY", timedelta(minutes=every))
        made.append(Scene(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
