"""What the work clone leaves behind: nothing that is committed, nothing that runs (R1, S21)."""

import json

from propose_scene import FIX, RUN, edit, refusal

from aiops_core.records import Edit
from aiops_core.repair import publish
from aiops_core.settings import Repository


def test_a_path_that_was_mapped_is_noted(attempt):
    polluted = Edit("replace", "/app/app.py", search="item['price']", replace="item.get('price', 0)")

    change = attempt(polluted, test="", paths={"/app/": "shop/"})

    assert change.notes[0] == "/app/app.py was taken to mean shop/app.py"


def test_a_later_round_on_the_same_commit_reuses_the_baseline(attempt, shop):
    refusal(attempt, edit("len(items)", "0"))
    runs = sum(line == f"tests before the change: {RUN}" for line in attempt.log)
    attempt.log.clear()

    attempt(FIX)
    assert f"tests before the change: {RUN}" not in attempt.log
    assert runs >= 1
    shop.commit({"README.md": "new\n"})
    attempt(FIX)

    assert f"tests before the change: {RUN}" in attempt.log


def test_s21_what_the_tests_write_never_reaches_the_change(attempt):
    vandal = (
        "for f in shop/app.py .git/config .git/hooks/pre-commit; do mkdir -p $(dirname $f); echo evil >> $f; done; "
        + RUN
    )

    change = attempt(FIX, test=f"sh -c '{vandal}' || true")

    assert [file.path for file in change.files] == ["shop/app.py"]
    assert b"evil" not in change.files[0].content
    assert "evil" not in change.diff


def test_r1_s21_what_tests_plant_for_git_never_runs(attempt, shop, tmp_path):
    marker, plant = tmp_path / "planted", tmp_path / "plant.sh"
    plant.write_text(
        f"""for hook in pre-commit pre-push post-checkout post-index-change reference-transaction; do
  mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch {marker}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook
done
for key in core.fsmonitor core.sshCommand core.pager diff.external filter.x.clean filter.x.smudge; do
  git config $key 'touch {marker}'
done
echo '* filter=x diff=x' > .gitattributes
ln -s /etc shop/escape
{RUN}
"""
    )

    change = attempt(FIX, test=f"sh {plant}")
    config = Repository(url=str(shop.remote))
    places = {"mirrors": tmp_path / "mirrors", "scratch": tmp_path / "push"}
    published = publish(change, branch="fix/x-1", message="fix: x\n", repository=config, **places)

    assert not marker.exists()
    listed = shop.on_remote("diff", "--name-only", change.base_commit, published.commit)
    assert listed == "shop/app.py"


def test_s19_a_sandbox_that_does_not_work_is_refused_and_nothing_runs(attempt, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/bwrap").write_text("#!/bin/sh\necho 'bwrap: no' >&2; exit 1\n")
    (tmp_path / "bin/bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    error = refusal(attempt, FIX, sandbox="bubblewrap")

    assert (error.rule, error.setting) == ("sandbox", "repository.sandbox")
    assert len(attempt.log) == 1


def test_the_work_directory_is_cleared_and_a_killed_round_leaves_no_trouble(attempt, tmp_path):
    left = tmp_path / "scratch/run/work"
    left.mkdir(parents=True)
    (left / "junk").write_text("x")
    (tmp_path / "scratch/base-000000000000").mkdir()

    attempt(FIX)

    names = [path.name for path in (tmp_path / "scratch").iterdir()]
    assert len(names) == 1 and names[0].startswith("base-") and names[0] != "base-000000000000"
    record = json.loads((tmp_path / "scratch" / names[0] / "before.json").read_text())
    assert record["run"]["tests"] == 4


def test_crlf_files_and_modes_come_through(attempt, shop):
    (shop.path / "tool").write_bytes(b"#!/bin/sh\r\necho 1\r\n")
    (shop.path / "tool").chmod(0o755)
    shop.commit_all()

    change = attempt(Edit("replace", "tool", search="echo 1\n", replace="echo 2\n"), test="")

    (file,) = change.files
    assert (file.content, file.mode) == (b"#!/bin/sh\r\necho 2\r\n", "100755")
