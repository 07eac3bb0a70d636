import os

import pytest

from aiops_core.repair.reports import moment, reports_since
from aiops_core.repair.sandbox import Room, Unprotected
from aiops_core.repair.verify import run_tests

REPORT = (
    '<testsuite name="Cart"><testcase name="adds"/><testcase name="free"><failure/></testcase></testsuite>'
)


@pytest.fixture
def work(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def write(path, text=REPORT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_report_of_the_run_counts_and_an_older_one_does_not(work):
    write(work / "target/surefire-reports/TEST-old.xml", REPORT.replace("Cart", "Old"))
    os.utime(work / "target/surefire-reports/TEST-old.xml", (1, 1))

    run = run_tests(
        f"mkdir -p build/test-results; echo '{REPORT}' > build/test-results/x.xml",
        room=Room(work, work.parent / "home"),
        sandbox=Unprotected(),
        seconds=10,
    )

    assert (run.run.tests, run.run.failed) == (2, ("Cart > free",))
    assert run.results["junit"].passed == ("Cart > adds",)
    assert "<failure/>" in run.said
    assert not list(work.parent.glob("*.now"))


def test_what_is_no_plain_report_is_not_read(work):
    start = moment(work)
    secret = work.parent / "secret.xml"
    write(secret)
    (work / "link.xml").symlink_to(secret)
    (work / "folder").symlink_to(work.parent)
    os.mkfifo(work / "pipe.xml")
    write(work / "pom.xml", "<project/>")
    write(work / "node_modules/a/junit.xml")
    write(work / "/".join("d" * 30) / "deep.xml")
    write(work / "huge.xml", REPORT + " " * (17 << 20))

    assert reports_since(start, work) == ()


def test_a_folder_nobody_may_read_is_passed_by(work):
    start = moment(work)
    write(work / "a/junit.xml")
    (work / "b").mkdir(mode=0)

    assert reports_since(start, work) == (REPORT,)
