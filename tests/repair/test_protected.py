import pytest

from aiops_core.errors import Refused
from aiops_core.repair.layout import is_test
from aiops_core.repair.protected import check_path

DENIED = {
    "protected-path": [
        ".gitmodules",
        ".gitattributes",
        "src/.gitattributes",
        ".github/workflows/ci.yml",
        ".GitHub/workflows/ci.yml",
        "sub/.github/CODEOWNERS",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitlab-ci.yml",
        ".gitlab/merge.md",
        ".circleci/config.yml",
        "Jenkinsfile",
        "Jenkinsfile.release",
        "azure-pipelines.yml",
        ".husky/pre-commit",
        ".pre-commit-config.yaml",
        ".claude/settings.json",
        "CLAUDE.md",
        "service/AGENTS.md",
        ".mcp.json",
        ".cursor/rules",
        ".vscode/tasks.json",
        ".devcontainer/devcontainer.json",
        ".npmrc",
        "pip.conf",
        "src/evil.pth",
        "src/sitecustomize.py",
        "usercustomize.py",
        ".envrc",
        ".tekton/build.yaml",
        "tekton/build.yaml",
        ".forgejo/workflows/x.yml",
        "ops/release.jenkinsfile",
        "appveyor.yml",
        "cloudbuild.yaml",
        "bamboo-specs/plan.yml",
        "lefthook-local.yml",
        "hooks/pre-push",
        ".githooks/commit-msg",
        ".env",
        ".bashrc",
        ".tool-versions",
        ".codex/config.toml",
        ".some-tool-of-tomorrow/settings.json",
        "copilot-instructions.md",
        "renovate.json5",
        "shop.code-workspace",
        "uv.toml",
    ],
    "generated": ["node_modules/left-pad/index.js", "src/__pycache__/app.cpython-311.pyc"],
    "not-text": ["lib/tool.jar", "src/fast.so", "src/A.class"],
    "lock-file": [
        "poetry.lock",
        "uv.lock",
        "Cargo.lock",
        "package-lock.json",
        "web/pnpm-lock.yaml",
        "go.sum",
        "bun.lockb",
        "conda-lock.yml",
        ".terraform.lock.hcl",
    ],
    "tests-weakened": [
        "conftest.py",
        "tests/conftest.py",
        "pytest.ini",
        "tox.ini",
        "jest.config.js",
        "unittest/__init__.py",
        "pytest.py",
        "src/org/junit/jupiter/api/Assertions.java",
        "src/main/resources/META-INF/services/org.junit.platform.launcher.TestExecutionListener",
    ],
}


@pytest.mark.parametrize(("rule", "path"), [(rule, path) for rule, paths in DENIED.items() for path in paths])
@pytest.mark.parametrize("is_there", [True, False])
def test_r14_s30_a_protected_path_is_refused_by_name(rule, path, is_there, manifest):
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest(path) if is_there else {})

    assert caught.value.rule == rule
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "github/client.py",
        "src/lockers.py",
        "docs/claude.txt",
        "src/setup_shop.py",
        "a.python",
        "src/docker.py",
        "ci/client.py",
        "src/hooks/useCart.ts",
        "src/clock.ts",
        "shop/vendor/prices.py",
        "app/app.config.ts",
    ],
)
def test_ordinary_code_may_be_changed(path, manifest):
    check_path(path, files=manifest(path))
    check_path(path, files={})


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_app.py",
        "tests/data/order.json",
        "src/app_test.go",
        "src/test/java/com/acme/OrderTest.java",
        "com/acme/OrderServiceIT.java",
        "web/cart.test.ts",
        "web/__tests__/cart.js",
        "spec/order_spec.rb",
        "shop/tests.py",
        "web/__snapshots__/cart.snap",
        "cart/testdata/golden.txt",
        "src/tests.rs",
        "fixtures/orders.json",
        "shop/test_data/order.csv",
        "src/test-utils/render.js",
        "src/CartTest.php",
        "web/cart.cy.js",
    ],
)
def test_r7_an_existing_test_is_the_oracle_and_a_new_one_is_welcome(path, manifest):
    assert is_test(path)
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest(path))
    assert caught.value.rule == "tests-weakened"
    check_path(path, files={})


@pytest.mark.parametrize(
    "path", ["src/latest.py", "src/contest.py", "attestation.go", "src/testing.py", "Manifest.java"]
)
def test_names_that_only_sound_like_tests_are_code(path):
    assert not is_test(path)


def test_r7_what_the_test_command_runs_is_not_changed(manifest):
    files = manifest("ci/run.sh", "Makefile", "tools/other.sh")

    for path, command in [("ci/run.sh", "./ci/run.sh --all"), ("Makefile", "cd . && make test")]:
        with pytest.raises(Refused) as caught:
            check_path(path, files=files, commands=[command])
        assert caught.value.rule == "tests-weakened"
    check_path("tools/other.sh", files=files, commands=["./ci/run.sh"])


def test_r7_a_new_file_that_make_would_prefer_is_not_slipped_in(manifest):
    with pytest.raises(Refused) as caught:
        check_path("GNUmakefile", files=manifest("Makefile"), commands=["make test"])

    assert caught.value.rule == "tests-weakened"


def test_s31_s32_symlinks_and_submodules_are_no_files(manifest):
    files = manifest(links=["link"], submodules=["lib"])

    for path, rule in [
        ("link", "symlink"),
        ("lib", "submodule"),
        ("link/x", "symlink"),
        ("lib/x", "submodule"),
    ]:
        with pytest.raises(Refused) as caught:
            check_path(path, files=files)
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("run_tests.py", "python3 run_tests.py -v"),
        ("tools/check.js", "CI=1 node --no-warnings ./tools/check.js && true"),
        ("web/verify.mjs", "cd web && node verify.mjs"),
        ("bin/test", "bin/test"),
    ],
)
def test_r7_the_program_that_runs_the_tests_is_not_a_fixs_to_change(path, command, manifest):
    files = manifest(path, "shop/app.py")

    with pytest.raises(Refused) as caught:
        check_path(path, files=files, commands=[command])

    assert caught.value.rule == "tests-weakened"
    check_path(path, files=files, commands=["pytest -q", f"echo {path}"])
    check_path("shop/app.py", files=files, commands=["python3 shop/app.py", "pytest shop/app.py"])


@pytest.mark.parametrize("path", ["json.py", "src/decimal.py", "random/__init__.py", "tests/socket.py"])
def test_r7_no_new_file_takes_the_place_of_a_module_of_python(path, manifest):
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest("tests/test_a.py"))

    assert caught.value.rule == "tests-weakened"
    assert "Python would take it for its own module" in str(caught.value)


@pytest.mark.parametrize(
    "path", ["shop/types.py", "src/shop/logging.py", "json.js", "prices.py", "tests/test_json.py"]
)
def test_a_module_in_a_package_may_be_named_like_one_of_python(path, manifest):
    check_path(path, files=manifest("tests/test_a.py"))
