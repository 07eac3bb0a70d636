"""A secret that a file holds stays what it is, and none is added (S10, S11)."""

from functools import partial

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Edit
from aiops_core.text.redaction import Redactor, placeholders

TOKEN = "ghp_" + "a1B2" * 9

SECRETIVE = f'TOKEN = "{TOKEN}"\nRETRIES = 1\n\n\ndef client():\n    return connect("{TOKEN}")\n'


@pytest.fixture
def seen(attempt, shop):
    """Return what a model is shown of a file that holds a secret, and a function that proposes edits of it."""
    shop.commit({"shop/client.py": SECRETIVE})
    redactor = Redactor()

    def run(search, replace, path="shop/client.py"):
        edit = Edit("replace", path, search=search, replace=replace)
        return attempt(edit, test="", originals=partial(redactor.originals, code=True))

    return redactor.redact(SECRETIVE, code=True), run


def test_s10_a_quoted_placeholder_is_the_files_own_text(seen):
    shown, run = seen
    first, second, *_ = shown.split("\n")

    change = run(f"{first}\n{second}\n", f"{first}\nRETRIES = 3\n")

    assert TOKEN not in shown
    assert change.files[0].content.decode() == SECRETIVE.replace("RETRIES = 1", "RETRIES = 3")


def test_s10_a_changed_line_keeps_the_secret_it_had(seen):
    shown, run = seen
    line = shown.split("\n")[5]

    change = run(line, line.replace(")", ", retries=3)"), path="wherever/shop/client.py")

    assert f'connect("{TOKEN}", retries=3)' in change.files[0].content.decode()


def test_s10_a_placeholder_that_stands_for_nothing_is_refused(seen):
    shown, run = seen
    placeholder = next(iter(placeholders(shown)))

    for search, replace in [
        ("x = '[redacted:github-token:00000000]'", "x = 1"),
        ("RETRIES = 1", f"RETRIES = '{placeholder}'"),
    ]:
        with pytest.raises(Refused) as caught:
            run(search, replace)
        assert caught.value.rule == "redacted"
        assert str(caught.value) == (
            "shop/client.py: the edit holds a redaction placeholder that stands for nothing there. "
            "Quote lines without one."
        )


def test_s11_a_secret_the_fix_adds_is_refused_even_beside_one_that_was_there(seen):
    shown, run = seen
    line = shown.split("\n")[5]

    with pytest.raises(Refused) as caught:
        run(line, line.replace(")", ', "ghp_' + "Z9y8" * 9 + '")'))

    assert caught.value.rule == "secret"
