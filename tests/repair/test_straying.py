"""Which files a fix may change without a question: those of the trace, of the plan, and what they use."""

import pytest

from aiops_core.records import Analysis, Change, ChangedFile, Evidence
from aiops_core.repair.strays import straying

EVIDENCE = [Evidence("E1", "source", "def total(): ...", path="shop/cart.py")]
CART = ("shop/cart.py", "from shop.rounding import half_up\n\n\ndef total(): ...\n")


def asked(*files, steps=()):
    """Return what a person is asked about files with these texts, in words."""
    change = Change("c" * 40, "main", tuple(ChangedFile(path, text.encode()) for path, text in files), "")
    analysis = Analysis("t", "s", "r", repair_steps=tuple(steps), confidence=0.9)
    return dict(straying(change, analysis, EVIDENCE)).get("outside-trace", "")


@pytest.mark.parametrize(
    "files",
    [
        [CART],
        [CART, ("shop/rounding.py", "def half_up(x): ...\n")],
        [CART, ("shop/orders.py", "from shop import cart\n")],
        [CART, ("shop/rounding.py", "from . import limits\n"), ("shop/limits.py", "MOST = 3\n")],
        [CART, ("tests/test_cart.py", "x = 1\n")],
    ],
)
def test_r15_what_the_trace_the_plan_and_their_imports_lead_to_is_not_asked_about(files):
    assert asked(*files) == ""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shop/other.py", "x = 1\n"),
        ("README.md", "from shop import cart\n"),
        ("shop/rounding.txt", "import cart\n"),
        ("shop/cartoon.py", "import cartoon\n"),
    ],
)
def test_r15_what_nothing_leads_to_is_asked_about_by_name(path, text):
    assert path in asked(CART, (path, text))
    assert asked(CART, (path, text), steps=[f"Say so in {path}."]) == ""
    assert path in asked(CART, (path, text), steps=[f"Say so in {path}x, x{path}."])


def test_r15_classes_of_one_package_lead_to_each_other_without_an_import():
    change = Change(
        "c" * 40,
        "main",
        (
            ChangedFile("a/Cart.java", b"new Rounding();\n"),
            ChangedFile("a/Rounding.java", b"class Rounding {}\n"),
        ),
        "",
    )
    evidence = [Evidence("E1", "source", "x", path="a/Cart.java")]

    assert straying(change, Analysis("t", "s", "r", confidence=0.9), evidence) == ()
