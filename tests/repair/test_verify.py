import pytest

from aiops_core.errors import Refused
from aiops_core.records import TestRun
from aiops_core.repair.process import Limits, Result
from aiops_core.repair.results import failures, number_of_tests, read_results
from aiops_core.repair.sandbox import Room, Unprotected
from aiops_core.repair.verify import Checked, compare, run_setup, run_tests


def run(output="", code=0, *, timed_out=False):
    results = read_results(output)
    run = TestRun("test", code, 1.0, output, number_of_tests(results), failures(results), timed_out)
    return Checked(run, results)


def suite(tests, *failed, skipped=0, code=None):
    names = "".join(f"FAIL: {name} (t.X.{name})\n" for name in failed)
    facts = f"failures={len(failed)}, skipped={skipped}"
    end = f"FAILED ({facts})" if failed else f"OK (skipped={skipped})"
    return run(f"{names}Ran {tests} tests in 0.1s\n\n{end}\n", code if code is not None else bool(failed) * 1)


HANGS = run("", 137, timed_out=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (suite(3), suite(3)),
        (suite(3, "test_a"), suite(3)),
        (suite(3, "test_a", "test_b"), suite(3, "test_b")),
        (suite(3, "test_a"), suite(4, "test_a")),
        (suite(3, skipped=1), suite(3, skipped=1)),
        (HANGS, suite(3)),
        (run("fine", 0), run("fine", 0)),
        (run("broken", 1), run("fine", 0)),
        (suite(3, code=2), suite(3, code=2)),
    ],
)
def test_nothing_newly_failing_passes(before, after):
    compare(before, after)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (suite(3), suite(3, "test_a"), "newly failing: t.X.test_a"),
        (suite(3, "test_b"), suite(3, "test_a"), "newly failing: t.X.test_a"),
        (suite(1), suite(0), "1 test ran before and only 0 now"),
        (suite(3), suite(2), "3 tests ran before and only 2 now"),
        (suite(3), suite(0), "3 tests ran before and only 0 now"),
        (suite(3), run("", 0), "3 tests ran before, and none reports now"),
        (suite(3), suite(3, skipped=1), "0 tests skipped before, 1 now"),
        (suite(3), HANGS, "the tests do not end any more"),
        (HANGS, HANGS, "the tests still do not end"),
        (
            HANGS,
            suite(3, "test_a"),
            "the tests end now, but fail, and there is no earlier result to compare with",
        ),
        (run("ok", 0), run("bad", 1), "the test command ended with exit code 0 before and 1 now"),
        (
            run("bad", 1),
            run("bad", 1),
            "the test command fails before and after, and does not say which tests",
        ),
        (suite(3), suite(3, code=1), "the test command ended with exit code 0 before and 1 now"),
        (
            suite(3, "test_a"),
            suite(3, code=139),
            "the test command now ends with exit code 139 and names no test",
        ),
        (run("2 failed, 1 passed in 1s"), run("3 failed in 1s"), "2 tests failed before and 3 now"),
    ],
)
def test_anything_worse_is_refused_with_its_reason(before, after, reason):
    with pytest.raises(Refused) as caught:
        compare(before, after)

    assert caught.value.rule == "tests"
    assert str(caught.value).startswith(f"tests: {reason}. Propose a fix that keeps every test passing.")


def test_the_feedback_holds_the_end_of_the_output():
    with pytest.raises(Refused) as caught:
        compare(
            suite(1),
            run("x" * 50_000 + "\nAssertionError: 1 != 2\nRan 1 test in 0s\n\nFAILED (failures=1)\n", 1),
        )

    assert "AssertionError: 1 != 2" in str(caught.value)
    assert len(str(caught.value)) < 4000


@pytest.fixture
def room(tmp_path):
    (tmp_path / "work").mkdir()
    return Room(tmp_path / "work", tmp_path / "home")


def test_a_run_is_recorded_with_its_results(room):
    command = "echo 'Ran 2 tests in 0.1s'; echo; echo OK"

    result = run_tests(command, room=room, sandbox=Unprotected(), seconds=10).run

    assert (result.tests, result.exit_code, result.passed, result.sandbox) == (2, 0, True, "none")
    assert 0 < result.seconds < 10


def test_s20_a_run_beyond_its_time_says_so(room):
    result = run_tests("sleep 30", room=room, sandbox=Unprotected(), seconds=0.3).run

    assert result.timed_out
    assert not result.passed
    assert result.output.endswith("stopped: it did not end within 0 s (repository.test_timeout)\n")


class Ending:
    name = "ending"

    def __init__(self, stopped):
        self.stopped = stopped

    def available(self):
        return None

    def run(self, command, room, limits, *, network=False):
        return Result(137, 1.0, "", self.stopped)


@pytest.mark.parametrize(
    ("stopped", "reason"),
    [
        ("output", "stopped: it printed more than 64 MB"),
        ("processes", "stopped: it started more than 512 processes"),
        ("memory", "stopped: it used more than 4 GB of memory"),
        ("written", "stopped: it left more than 8 GB on the disk"),
        ("disk", "stopped: the disk was almost full"),
    ],
)
def test_s20_every_limit_is_reported_as_that_limit(room, stopped, reason):
    assert Limits(seconds=1).processes == 512

    assert reason in run_tests("x", room=room, sandbox=Ending(stopped), seconds=1).run.output


def test_a_setup_that_fails_is_refused_with_its_output(room):
    with pytest.raises(Refused) as caught:
        run_setup("echo no such package; exit 9", room=room, sandbox=Unprotected(), seconds=10)

    assert (caught.value.rule, caught.value.setting) == ("setup", "repository.setup")
    assert str(caught.value) == (
        "repository.setup: the command ended with exit code 9 on the base commit. Make it work there.\n"
        "no such package\n"
    )
