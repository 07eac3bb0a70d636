"""Reports of the Linux kernel become events."""

import random

import pytest
from aiops_detector_kernel import KernelErrors

from aiops_core.testing.detecting import find

REPORT = """\
[   72.150000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   72.150001] Oops: 0000 [#1] SMP
[   72.150002] RIP: 0010:sell+0x1a/0x40
[   72.150003] Call Trace:
[   72.150004]  <TASK>
[   72.150005]  sell+0x1a/0x40
[   72.150006]  do_syscall_64+0x5c/0x90
[   72.150007]  </TASK>
[   72.150008] ---[ end trace 0000000000000000 ]---
"""


def test_a_report_is_one_event():
    (found,) = find(KernelErrors(), text="before\n" + REPORT + "after\n")

    assert found.event.language == "kernel"
    assert "NULL pointer dereference" in f"{found.event.type} {found.event.message}"
    assert (found.start, found.end) == (1, 1 + REPORT.count("\n"))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_it_does_not_matter_in_which_pieces_a_report_arrives(step):
    text = "before\n" + REPORT + "after\n" + REPORT

    whole, pieces = find(KernelErrors(), text=text), find(KernelErrors(), text=text, step=step)

    assert [(one.event, one.start, one.end) for one in pieces] == [
        (one.event, one.start, one.end) for one in whole
    ]
    assert len(whole) == 2


@pytest.mark.parametrize("line", ["0 errors found", "no exception was raised", "done: 12 tests, 0 failed"])
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(KernelErrors(), text=line + "\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(KernelErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for _ in range(200):
        lines = REPORT.splitlines(keepends=True)
        chance.shuffle(lines)
        cut = chance.randrange(len(REPORT))
        find(KernelErrors(), text="".join(lines)[:cut])
