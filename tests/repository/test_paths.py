import pytest

from aiops_core.repository import Ambiguous, map_frame

FILES = {
    "src/app.py",
    "src/foo_utils.py",
    "src/shop/cart.py",
    "src/shop/utils.py",
    "lib/shop/utils.py",
    ".github/scripts/check.py",
    "web/src/index.js",
    "java/com/acme/OrderService.java",
    "main.go",
    "tests/test_app.py",
}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("src/app.py", "src/app.py"),
        ("./src/app.py", "src/app.py"),
        ("/srv/checkout/src/app.py", "src/app.py"),
        ("/app/app.py", "src/app.py"),
        ("C:\\build\\src\\app.py", "src/app.py"),
        ("\\\\?\\C:\\build\\src\\app.py", "src/app.py"),
        ("src\\shop\\cart.py", "src/shop/cart.py"),
        ("file:///home/ann/shop/src/app.py", "src/app.py"),
        ("webpack://shop/./web/src/index.js", "web/src/index.js"),
        ("OrderService.java", "java/com/acme/OrderService.java"),
        ("com/acme/OrderService.java", "java/com/acme/OrderService.java"),
        ("/go/src/example.com/shop/main.go", "main.go"),
        ("/x/.github/scripts/check.py", ".github/scripts/check.py"),
        ("github/scripts/nothing.py", None),
        ("utils.py", Ambiguous(("lib/shop/utils.py", "src/shop/utils.py"))),
        ("/srv/shop/utils.py", Ambiguous(("lib/shop/utils.py", "src/shop/utils.py"))),
        ("/srv/lib/shop/utils.py", "lib/shop/utils.py"),
        ("/x/foo_utils.py", "src/foo_utils.py"),
        ("_utils.py", None),
        ("pp.py", None),
        ("/usr/lib/python3.11/site-packages/django/app.py", None),
        ("/usr/lib/python3.11/shop/cart.py", None),
        ("/srv/web/node_modules/x/src/index.js", None),
        ("../../etc/app.py", None),
        ("<frozen importlib._bootstrap>", None),
        ("", None),
        ("/", None),
        ("SRC/APP.PY", None),
    ],
)
def test_a_frame_is_mapped_by_whole_segments(frame, expected):
    assert map_frame(frame, FILES, {}) == expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("/app/shop/cart.py", "src/shop/cart.py"),
        ("/app/shop/utils.py", "src/shop/utils.py"),
        ("/app/core/shop/utils.py", "lib/shop/utils.py"),
        ("/application/src/app.py", "src/app.py"),
        ("/app/missing.py", None),
        ("D:\\svc\\utils.py", "lib/shop/utils.py"),
        ("relative/app.py", "src/app.py"),
    ],
)
def test_configured_roots_decide_first_and_the_longest_wins(frame, expected):
    roots = {"/app/": "src/", "/app/core": "lib", "D:\\svc": "lib/shop", "relative": "src"}

    assert map_frame(frame, FILES, roots) == expected


def test_at_most_five_candidates_are_named():
    files = {f"pkg{number}/utils.py" for number in range(9)}

    found = map_frame("/x/utils.py", files, {})

    assert found == Ambiguous(tuple(f"pkg{number}/utils.py" for number in range(5)))
