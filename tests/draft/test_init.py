"""aiops init: a first pipeline file from what is found, or from the usual variables."""

import json
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.draft.found import from_directory
from aiops_core.draft.testing import test_commands as ways_to_test
from aiops_core.errors import UserError

SECRETS = {
    "GITHUB_TOKEN": "ghp_0123456789abcdef",
    "GITLAB_TOKEN": "glpat-0123456789abcdef",
    "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef",
    "SMTP_PASSWORD": "correct horse battery",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/0123456789abcdef",
}
PLAIN = {
    "LOG_FILE_PATH": "/var/log/shop.log,/var/log/shop/",
    "CLAUDE_COMMAND": "claude",
    "CLAUDE_FIX_MODE": "agentic",
    "CLAUDE_ARGS": "--effort high",
    "SMTP_SERVER": "smtp.example.com",
    "SMTP_PORT": "465",
    "SMTP_USER": "aiops@example.com",
    "RECEIVER_EMAIL": "one@example.com, other@example.com",
}


def init(*arguments, env=None):
    result = CliRunner().invoke(cli, ["init", *arguments], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def shop(tmp_path, monkeypatch):
    directory = tmp_path / "checkout"
    (directory / "logs").mkdir(parents=True)
    (directory / "logs" / "app.log").write_text("2026-11-21 03:00:04,310 ERROR shop: order 4711 failed\n")
    (directory / "deploy").mkdir()
    (directory / "deploy" / "checkout.service").write_text("[Service]\nExecStart=/srv/shop\n")
    (directory / "requirements.txt").write_text("pytest\n")
    git = ["git", "-C", str(directory)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "git@git.example.com:shop/checkout.git"], check=True)
    monkeypatch.chdir(directory)
    return directory


def written(directory, name="pipeline.yaml"):
    document = yaml.safe_load((directory / name).read_text())
    return next(iter(document["pipelines"].items()))


def test_what_is_in_the_directory_becomes_a_pipeline_that_is_fine(shop):
    code, said = init()

    name, pipeline = written(shop)
    assert (code, name) == (0, "checkout")
    assert pipeline["sources"] == [
        {"uses": "file", "with": {"paths": ["./logs/"]}},
        {"uses": "journald", "with": {"units": ["checkout.service"]}},
    ]
    assert pipeline["repository"] == {
        "url": "https://git.example.com/shop/checkout.git",
        "setup": "python3 -m pip install -r requirements.txt",
        "test": "python3 -m pytest -q",
    }
    assert pipeline["analyzers"] == [{"uses": "knowledge"}]
    assert pipeline["actions"] == [{"uses": "local_branch", "mode": "dry_run"}]
    assert pipeline["notifiers"] == [{"uses": "console"}]
    assert "pipeline.yaml: written and fine" in said
    assert CliRunner().invoke(cli, ["check"]).exit_code == 0


def test_it_works_at_once(shop):
    init()
    text = (shop / "pipeline.yaml").read_text()
    (shop / "pipeline.yaml").write_text(
        text.partition("      - uses: journald")[0] + text.partition('checkout.service"]}\n')[2]
    )

    result = CliRunner().invoke(cli, ["replay", "logs/app.log"])

    assert yaml.safe_load(result.output)["checkout"]["totals"]["incidents"] == 1


def test_an_empty_directory_gets_a_file_that_is_fine_and_says_what_is_missing(tmp_path, monkeypatch):
    (tmp_path / "Größe 1").mkdir()
    monkeypatch.chdir(tmp_path / "Größe 1")

    code, said = init("first.yaml")

    assert code == 0
    assert "no logs: name them under 'sources'" in said
    assert written(tmp_path / "Größe 1", "first.yaml")[1]["sources"][0]["with"] == {"paths": ["./app.log"]}


def test_a_file_that_is_there_is_never_overwritten(shop):
    (shop / "pipeline.yaml").write_text("mine")

    with pytest.raises(UserError, match=r"pipeline\.yaml: is there already, and stays as it is"):
        init()
    assert (shop / "pipeline.yaml").read_text() == "mine"


def test_logs_of_the_machine_are_found_by_the_name_of_the_directory(tmp_path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "var/log/checkout").mkdir(parents=True)

    draft = from_directory(tmp_path / "checkout", {}, root=tmp_path)

    assert draft.sources[0].settings == {"paths": [f"{tmp_path}/var/log/checkout/"]}


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://user:pw@git.example.com/a/b.git", "https://git.example.com/a/b.git"),
        ("ssh://git@git.example.com:2222/a/b.git", "https://git.example.com/a/b.git"),
        ("../other", "../other"),
    ],
)
def test_no_login_is_written_with_the_address(shop, remote, url):
    (shop.parent / "other").mkdir()
    subprocess.run(["git", "-C", str(shop), "remote", "set-url", "origin", remote], check=True)

    init()

    assert written(shop)[1]["repository"]["url"] == url


def test_the_forge_of_the_remote_is_used_where_its_token_is_there(shop):
    url = "git@github.com:acme/shop.git"
    subprocess.run(["git", "-C", str(shop), "remote", "set-url", "origin", url], check=True)

    init(env={"GITHUB_TOKEN": SECRETS["GITHUB_TOKEN"]})

    pipeline = written(shop)[1]
    assert pipeline["actions"] == [{"uses": "github_pull_request", "mode": "dry_run"}]
    assert pipeline["repository"]["token"] == "${env:GITHUB_TOKEN}"


@pytest.mark.parametrize(
    ("files", "test"),
    [
        ({"pytest.ini": ""}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "import pytest"}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "def test_a():\n    assert True\n"}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "import unittest"}, "python3 -m unittest discover -s tests"),
        ({"tests/test_a.py": "import unittest", "tests/__init__.py": ""}, "python3 -m unittest"),
        (
            {"test_a.py": "from unittest import TestCase\n\ndef test_suite():\n    pass\n"},
            "python3 -m unittest",
        ),
        ({"package.json": json.dumps({"scripts": {"test": "jest"}})}, "npm test"),
        ({"package.json": json.dumps({"scripts": {"test": "jest"}}), "yarn.lock": ""}, "yarn test"),
        ({"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified"'}})}, None),
        ({"package.json": "no json"}, None),
        ({"pom.xml": ""}, "mvn -q test"),
        ({"build.gradle.kts": "", "gradlew": ""}, "./gradlew test"),
        ({"go.mod": ""}, "go test ./..."),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"Gemfile": "", "spec/a_spec.rb": ""}, "bundle exec rspec"),
        ({"phpunit.xml.dist": ""}, "vendor/bin/phpunit"),
        ({"Shop.sln": ""}, "dotnet test"),
        ({"mix.exs": ""}, "mix test"),
        ({"Makefile": "all:\n\ttrue\ntest:\n\ttrue\n"}, "make test"),
        ({"Makefile": "all:\n\ttrue\n"}, None),
        ({}, None),
    ],
)
def test_the_test_command_is_found(tmp_path, files, test):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    found = [command for _, command in ways_to_test(tmp_path)]

    assert found == ([test] if test else [])


PLAIN_TEST = {"tests/test_a.py": "def test_a():\n    assert True\n"}


@pytest.mark.parametrize(
    ("files", "setup"),
    [
        ({}, "python3 -m pip install pytest"),
        ({"requirements.txt": "flask\n"}, "python3 -m pip install -r requirements.txt pytest"),
        ({"requirements.txt": "pytest\n"}, "python3 -m pip install -r requirements.txt"),
        (
            {"requirements.txt": "flask\n", "requirements-dev.txt": "pytest\n"},
            "python3 -m pip install -r requirements.txt -r requirements-dev.txt",
        ),
        ({"setup.py": ""}, "python3 -m pip install -e . pytest"),
        (
            {"pyproject.toml": "[project.optional-dependencies]\ntest = ['pytest>=8']\n"},
            "python3 -m pip install -e '.[test]'",
        ),
        ({"pyproject.toml": "no toml"}, "python3 -m pip install -e . pytest"),
    ],
)
def test_pytest_is_installed_where_the_tests_need_it(tmp_path, files, setup):
    (tmp_path / "tests").mkdir()
    for name, text in {**PLAIN_TEST, **files}.items():
        (tmp_path / name).write_text(text)

    assert list(ways_to_test(tmp_path)) == [(setup, "python3 -m pytest -q")]


@pytest.mark.parametrize("package", [True, False], ids=["package", "folder"])
def test_the_tests_that_are_found_run(tmp_path, package):
    (tmp_path / "tests").mkdir()
    (tmp_path / "shop.py").write_text("price = 7\n")
    case = "import unittest\nimport shop\nclass T(unittest.TestCase):\n    def test_a(self):\n        assert shop.price\n"
    (tmp_path / "tests" / "test_a.py").write_text(case)
    if package:
        (tmp_path / "tests" / "__init__.py").write_text("")

    [(_, test)] = ways_to_test(tmp_path)
    done = subprocess.run(test, cwd=tmp_path, shell=True, capture_output=True, text=True)

    assert "Ran 1 test" in done.stderr


def test_the_usual_variables_become_a_pipeline_without_a_secret_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = {**SECRETS, **PLAIN, "CODE_HOST": "github", "GITHUB_REPO": "acme/shop"}

    code, said = init("--from-env", env=env)

    text, (_, pipeline) = (tmp_path / "pipeline.yaml").read_text(), written(tmp_path)
    assert (code, [value for value in SECRETS.values() if value in text + said]) == (0, [])
    assert pipeline["sources"][0]["with"] == {"paths": ["/var/log/shop.log", "/var/log/shop/"]}
    assert pipeline["repository"] == {
        "url": "https://github.com/acme/shop.git",
        "token": "${env:GITHUB_TOKEN}",
    }
    assert [step["uses"] for step in pipeline["analyzers"]] == ["claude_cli", "claude", "knowledge"]
    assert pipeline["analyzers"][0]["with"]["arguments"] == ["--effort", "high"]
    assert pipeline["actions"] == [{"uses": "github_pull_request", "mode": "dry_run"}]
    assert [step["uses"] for step in pipeline["notifiers"]] == ["email", "slack"]
    assert pipeline["notifiers"][0]["with"] == {
        "host": "smtp.example.com",
        "to": ["one@example.com", "other@example.com"],
        "port": 465,
        "security": "tls",
        "username": "aiops@example.com",
        "password": "${env:SMTP_PASSWORD}",
    }


def test_a_project_of_gitlab_is_addressed_by_its_base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = {
        "CODE_HOST": "gitlab",
        "GITLAB_BASE_URL": "https://gitlab.acme.example/",
        "GITLAB_PROJECT": "shop/api",
    }

    init("--from-env", env={**env, "GITLAB_TOKEN": SECRETS["GITLAB_TOKEN"]})

    pipeline = written(tmp_path)[1]
    assert pipeline["repository"]["url"] == "https://gitlab.acme.example/shop/api.git"
    assert pipeline["actions"] == [{"uses": "gitlab_merge_request", "mode": "dry_run"}]


def test_arguments_that_would_free_the_agent_are_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    init("--from-env", env={**SECRETS, **PLAIN, "CLAUDE_ARGS": "--dangerously-skip-permissions"})

    assert "arguments" not in written(tmp_path)[1]["analyzers"][0]["with"]
    assert (
        "# CLAUDE_ARGS is left out: '--dangerously-skip-permissions' is refused"
        in (tmp_path / "pipeline.yaml").read_text()
    )


@pytest.mark.parametrize("written_as", ["--model sonnet", "--model=sonnet"])
def test_a_model_among_the_arguments_of_the_agent_becomes_the_setting(tmp_path, monkeypatch, written_as):
    monkeypatch.chdir(tmp_path)

    init("--from-env", env={**SECRETS, **PLAIN, "CLAUDE_ARGS": f"--effort high {written_as}"})

    settings = written(tmp_path)[1]["analyzers"][0]["with"]
    assert (settings["model"], settings["arguments"]) == ("sonnet", ["--effort", "high"])


def test_without_any_variable_there_is_nothing_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match="none of these variables is set: LOG_FILE_PATH, CODE_HOST"):
        init("--from-env")
    assert not (tmp_path / "pipeline.yaml").exists()
