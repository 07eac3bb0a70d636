"""Secrets at rest: systemd credentials, and the encrypted file beside the pipeline file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_core.errors import DocumentError, UserError
from aiops_core.pipeline import load
from aiops_core.vault import Vault

PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [a]}}]
    repository: {url: ./r, token: "${%s}"}
"""
VALUE = "sesame-open-4711"


@pytest.fixture
def environment(tmp_path):
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home")}


@pytest.fixture
def typed(tmp_path, environment):
    place = tmp_path / "conf"
    place.mkdir()

    def run(*words, given=""):
        command = [Path(sys.executable).parent / "aiops", "secrets", *words]
        done = subprocess.run(
            command, cwd=place, input=given, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    run.place = place
    return run


def token(place, reference, environment):
    (place / "pipeline.yaml").write_text(PIPELINE % reference)
    return load(place / "pipeline.yaml", environment=environment)


def told(place, reference, environment):
    with pytest.raises(DocumentError) as caught:
        token(place, reference, environment)
    return str(caught.value)


def test_a_secret_is_kept_encrypted_and_read_by_the_pipeline(typed, environment, tmp_path):
    code, output, _ = typed("set", "forge", given=f"{VALUE}\n")
    built = token(
        typed.place, "secret:forge", {**environment, "XDG_CONFIG_HOME": str(tmp_path / "home/.config")}
    )

    key = tmp_path / "home/.config/aiops/secrets.key"
    assert (code, built.pipelines[0].config.repository.token.get_secret_value()) == (0, VALUE)
    assert built.secrets == {VALUE}
    assert str(key) in output
    for file in (key, typed.place / "aiops.secrets"):
        assert file.stat().st_mode & 0o777 == 0o600
        assert VALUE not in file.read_text()
    assert typed("list") == (0, "forge\n", "")
    assert typed("remove", "forge") == (0, "forge is forgotten\n", "")
    assert typed("list") == (0, "no secrets\n", "")
    assert typed("remove", "forge")[0] == 2


@pytest.mark.parametrize(("name", "given"), [("for/ge", "x"), ("forge", " \n")])
def test_a_bad_name_or_nothing_is_refused(typed, name, given):
    code, _, error = typed("set", name, given=given)

    assert (code, error.count("\n")) == (2, 1)
    assert not (typed.place / "aiops.secrets").exists()


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path, {"AIOPS_SECRETS_KEY": str(tmp_path / "keys/one")})
    vault.set("forge", VALUE)
    vault.set("mail", "another")
    return vault


def test_a_secret_is_readable_with_its_key_and_under_its_name_only(vault, tmp_path):
    assert vault.get("forge") == VALUE
    tokens = json.loads(vault.path.read_text())
    vault.path.write_text(json.dumps({"forge": tokens["mail"], "mail": tokens["mail"]}))

    with pytest.raises(UserError, match="secret forge was not written with the key"):
        vault.get("forge")

    assert vault.get("mail") == "another"
    vault.key_path.write_bytes(b"A" * 43 + b"=")
    with pytest.raises(UserError, match="was not written with the key"):
        vault.get("mail")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda vault: vault.key_path.unlink(), "cannot be read"),
        (lambda vault: vault.key_path.write_text("short"), "is no key"),
        (lambda vault: vault.key_path.chmod(0o644), "others may read the key"),
        (lambda vault: vault.path.write_text("{"), "cannot be read"),
        (lambda vault: vault.path.write_text("[]"), "is no file of secrets"),
    ],
)
def test_what_is_wrong_with_key_or_file_is_told_with_a_remedy(vault, spoil, message):
    spoil(vault)

    with pytest.raises(UserError, match=message):
        vault.get("forge")


def test_an_unknown_secret_is_a_mistake_at_its_line(tmp_path, environment):
    said = told(tmp_path, "secret:forge", environment)

    assert said.startswith("pipeline.yaml:4:28: repository.token: ")
    assert "Set it with 'aiops secrets set forge'" in said


def test_a_credential_comes_from_the_directory_systemd_names(tmp_path, environment):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/forge").write_text(f"{VALUE}\n")
    environment["CREDENTIALS_DIRECTORY"] = str(tmp_path / "credentials")

    built = token(tmp_path, "credential:forge", environment)

    assert built.pipelines[0].config.repository.token.get_secret_value() == VALUE
    assert "No such file" in told(tmp_path, "credential:mail", environment)
    assert "LoadCredential" in told(tmp_path, "credential:../x", environment)
    del environment["CREDENTIALS_DIRECTORY"]
    assert "LoadCredential=forge:PATH" in told(tmp_path, "credential:forge", environment)
