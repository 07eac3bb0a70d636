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
def test_r3_a_frame_is_mapped_by_whole_segments(frame, expected):
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
def test_r3_configured_roots_decide_first_and_the_longest_wins(frame, expected):
    roots = {"/app/": "src/", "/app/core": "lib", "D:\\svc": "lib/shop", "relative": "src"}

    assert map_frame(frame, FILES, roots) == expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        # containers
        ("/usr/src/app/src/app.py", "src/app.py"),
        ("/var/lib/docker/overlay2/0a1b/merged/srv/src/shop/cart.py", "src/shop/cart.py"),
        ("/proc/4242/root/app/src/shop/cart.py", "src/shop/cart.py"),
        ("/workspace/.github/scripts/check.py", ".github/scripts/check.py"),
        ("/var/task/web/src/index.js", "web/src/index.js"),
        # Windows
        ("D:/agent/_work/1/s/src/app.py", "src/app.py"),
        ("\\\\build01\\drop\\src\\app.py", "src/app.py"),
        ("\\\\?\\UNC\\build01\\drop\\src\\app.py", "src/app.py"),
        ("c:\\Build\\SRC\\Shop\\Cart.py", "src/shop/cart.py"),
        ("file:///C:/Build/src/app.py", "src/app.py"),
        # URLs and bundlers
        ("file:/srv/shop/src/app.py", "src/app.py"),
        ("file://localhost/srv/src/app.py", "src/app.py"),
        ("file:///srv/my%20shop/src/app.py", "src/app.py"),
        ("webpack:///./web/src/index.js?a1b2", "web/src/index.js"),
        ("webpack-internal:///(rsc)/./web/src/index.js", "web/src/index.js"),
        ("webpack:///../web/src/index.js", "web/src/index.js"),
        ("app:///web/src/index.js", "web/src/index.js"),
        ("https://shop.example/web/src/index.js?v=3", "web/src/index.js"),
        # archives
        ("jar:file:/app/shop.jar!/com/acme/OrderService.java", "java/com/acme/OrderService.java"),
        (
            "nested:/app/app.jar/!BOOT-INF/classes/!/com/acme/OrderService.java",
            "java/com/acme/OrderService.java",
        ),
        ("/app/lib/shop-1.2.jar!/com/acme/OrderService.java", "java/com/acme/OrderService.java"),
        ("/app/shop.pex/src/shop/cart.py", "src/shop/cart.py"),
        # what is not ours
        ("/go/pkg/mod/example.com/lib@v1.2.3/main.go", None),
        ("webpack:///./node_modules/x/src/index.js", None),
        ("jar:file:/app/x.jar!/../../etc/app.py", None),
        ("node:internal/modules/cjs/loader", None),
    ],
)
def test_r3_frames_of_containers_windows_urls_and_archives_are_mapped(frame, expected):
    assert map_frame(frame, FILES, {}) == expected


def test_r3_roots_of_windows_and_urls_are_spelled_in_any_way():
    roots = {"C:\\Build\\App": "src", "\\\\build01\\drop": "src/shop", "webpack://shop": "web"}

    assert map_frame("c:/build/app/App.py", FILES, roots) == "src/app.py"
    assert map_frame("\\\\BUILD01\\drop\\cart.py", FILES, roots) == "src/shop/cart.py"
    assert map_frame("/build/app/app.py", FILES, {"C:\\Build\\App": "lib"}) == "src/app.py"


@pytest.mark.parametrize(
    ("frame", "files", "expected"),
    [
        (
            "/venv/lib/python3.12/site-packages/shop/cart.py",
            ["pyproject.toml", "shop/cart.py"],
            "shop/cart.py",
        ),
        (
            "/venv/lib/python3.12/site-packages/shop/cart.py",
            ["pyproject.toml", "src/shop/cart.py"],
            "src/shop/cart.py",
        ),
        (
            "/usr/lib/python3/dist-packages/shop/cart.py",
            ["services/shop/setup.py", "services/shop/src/shop/cart.py", "services/web/cart.py"],
            "services/shop/src/shop/cart.py",
        ),
        (
            "C:\\venv\\Lib\\site-packages\\shop\\cart.py",
            ["pyproject.toml", "shop/cart.py"],
            "shop/cart.py",
        ),
        (
            "/app/node_modules/@acme/shop/src/index.js",
            ["package.json", "packages/shop/package.json", "packages/shop/src/index.js"],
            "packages/shop/src/index.js",
        ),
        ("/venv/lib/python3.12/site-packages/utils/text.py", ["app/lib/tools/utils/text.py"], None),
        ("/venv/lib/python3.12/site-packages/six.py", ["pyproject.toml", "six.py"], None),
        ("/venv/lib/python3.12/site-packages/web/cart.py", ["pyproject.toml", "shop/cart.py"], None),
        (
            "/venv/lib/python3.12/site-packages/shop/cart.py",
            ["pyproject.toml", "a/shop/cart.py", "b/shop/cart.py"],
            None,
        ),
        (
            "/venv/lib/python3.12/site-packages/requests/models.py",
            ["pyproject.toml", "vendor/requests/models.py"],
            "vendor/requests/models.py",
        ),
    ],
)
def test_r3_the_repositorys_own_package_is_found_where_it_was_installed(frame, files, expected):
    assert map_frame(frame, files, {}) == expected


def test_r3_at_most_five_candidates_are_named():
    files = {f"pkg{number}/utils.py" for number in range(9)}

    found = map_frame("/x/utils.py", files, {})

    assert found == Ambiguous(tuple(f"pkg{number}/utils.py" for number in range(5)))
