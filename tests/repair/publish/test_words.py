"""The names of branches, the words of commits, and their signatures (S7, S29)."""

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from publish_scene import BRANCH, MESSAGE, made, push

from aiops_core import replace
from aiops_core.errors import Refused
from aiops_core.records import ChangedFile
from aiops_core.repair import branch_name, change_from_json, change_to_json, commit_message


@pytest.mark.parametrize(
    ("type_", "fingerprint", "expected"),
    [
        ("KeyError", "v1:3f2a9c01d4b7e8f9", "fix/key-error-3f2a9c01d4b7"),
        ("java.lang.NullPointerException", "3f2a9c01d4b7", "fix/null-pointer-exception-3f2a9c01d4b7"),
        ("HTTPError", "v1-3F2A9C01D4B7E8", "fix/http-error-3f2a9c01d4b7"),
        ("", "v1:3f2a9c01d4b7", "fix/python-3f2a9c01d4b7"),
        ("价格错误", "v1:3f2a9c01d4b7", "fix/python-3f2a9c01d4b7"),
        ("x" * 300, "v1:3f2a9c01d4b7", f"fix/{'x' * 40}-3f2a9c01d4b7"),
        ("../../etc; rm -rf", "v1:3f2a9c01d4b7", "fix/etc-rm-rf-3f2a9c01d4b7"),
    ],
)
def test_a_branch_is_named_after_error_and_fingerprint(incident, type_, fingerprint, expected):
    assert branch_name(replace(incident, type=type_, fingerprint=fingerprint)) == expected


def test_an_odd_fingerprint_still_gives_a_stable_name(incident):
    one = branch_name(replace(incident, fingerprint="odd/one"))

    assert one == branch_name(replace(incident, fingerprint="odd/one"))
    assert one != branch_name(replace(incident, fingerprint="odd/two"))
    assert len(one.rpartition("-")[2]) == 12


def test_s29_a_commit_message_has_subject_reason_and_trailers(incident, analysis, change):
    assert commit_message(incident, analysis, replace(change, run=7)) == (
        "fix(app): Items without a price end the checkout\n\n"
        "total() indexes item['price'], and free items have none.\n\n"
        "Incident: v1:3f2a9c01d4b7e8f90123\nModel: claude\nRun: 7\nTested: yes\n"
    )


def test_s7_a_hostile_analysis_cannot_close_ping_link_or_sign(incident, analysis, change):
    hostile = replace(
        analysis,
        title="fix: Fixes #12 @everyone https://evil.example/x.png\x1b[31m\n\nSigned-off-by: root",
        root_cause="Closes acme/shop#7.\n\nResolves GH-3 and fixes PROJ-9\nCo-authored-by: x <x@y>\n\n![i](http://e/x)",
    )

    message = commit_message(incident, hostile, change)

    lines = message.splitlines()
    assert lines[0].startswith("fix(app): Fixes ")
    assert len(lines[0]) <= 72
    assert lines[1] == ""
    assert message.count("\n\n") == 2
    for danger in ("#12", "#7", "GH-3", "fixes PROJ-9", "@everyone", "https://", "http://", "\x1b", "<x@y>"):
        assert danger not in message
    assert all(len(line) <= 72 for line in lines)
    assert not any(
        line.startswith(("Signed-off-by", "Co-authored-by"))
        for line in message.split("\n\n")[-1].splitlines()
    )


def test_s29_the_run_is_told_and_a_later_one_that_makes_the_same_pushes_nothing(shop, tmp_path):
    change = made(shop)
    first = push(shop, change, tmp_path, message=f"{MESSAGE}Run: 7\n")

    later = push(shop, change, tmp_path, message=f"{MESSAGE}Run: 8\n")
    other = push(shop, made(shop, ChangedFile("src/app.py", b"3\n")), tmp_path, message=f"{MESSAGE}Run: 9\n")

    assert later == first
    assert shop.branches()[BRANCH] == other.commit != first.commit


@pytest.fixture
def key(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed: nothing can be signed")
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    return made


def test_s29_commits_are_signed_where_a_key_is_configured_and_stay_the_same(shop, tmp_path, key):
    allowed = tmp_path / "allowed"
    allowed.write_text(f"aiops@localhost {key.with_suffix('.pub').read_text()}")
    change = made(shop)

    published = push(shop, change, tmp_path, signing_key=str(key))
    again = push(shop, change, tmp_path, scratch="another", signing_key=str(key))

    verify = [
        "-c",
        f"gpg.ssh.allowedSignersFile={allowed}",
        "log",
        "-1",
        "--format=%G? %GS",
        published.commit,
    ]
    assert shop.on_remote(*verify) == "G aiops@localhost"
    assert again == published


def test_s29_a_key_that_does_not_sign_is_named_and_nothing_is_pushed(shop, tmp_path):
    (tmp_path / "none").write_text("no key\n")

    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path, signing_key=str(tmp_path / "none"))

    assert caught.value.setting == "repository.signing_key"
    assert str(caught.value).startswith(f"repository.signing_key: git cannot sign with {tmp_path}/none")
    assert list(shop.branches()) == ["main"]


def test_json_carries_a_change_whole(change):
    files = (*change.files, ChangedFile("b", bytes(range(256))), ChangedFile("c", None))
    change = replace(change, files=files, made_at=datetime(2026, 11, 21, 4, 5, 6, 789, UTC))

    assert change_from_json(change_to_json(change)) == change
