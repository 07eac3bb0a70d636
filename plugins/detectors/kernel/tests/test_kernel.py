"""Reports of kernels become events."""

import random

import pytest
from aiops_detector_kernel import KernelConfig, KernelErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find

OOPS = """\
[   72.150000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   72.150001] #PF: supervisor read access in kernel mode
[   72.150002] Oops: 0000 [#1] SMP
[   72.150003] CPU: 1 PID: 4711 Comm: shop Tainted: G           O      6.1.0 #1
[   72.150004] RIP: 0010:basket_total+0x1a/0x40 [shop]
[   72.150005] Call Trace:
[   72.150006]  <TASK>
[   72.150007]  basket_read+0x1a/0x40 [shop]
[   72.150008]  vfs_read+0x9c/0x1a0
[   72.150009]  do_syscall_64+0x5c/0x90
[   72.150010]  entry_SYSCALL_64_after_hwframe+0x63/0xcd
[   72.150011]  </TASK>
[   72.150012] ---[ end trace 0000000000000000 ]---
"""
OUT_OF_MEMORY = """\
[  300.000000] shop invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
[  300.000001] CPU: 0 PID: 4711 Comm: shop Not tainted 6.1.0 #1
[  300.000002] Call Trace:
[  300.000003]  dump_stack_lvl+0x44/0x5c
[  300.000004]  oom_kill_process+0xc0/0x1b0
[  300.000005] Mem-Info:
[  300.000006] active_anon:100 inactive_anon:200 isolated_anon:0
[  300.000007] Tasks state (memory values in pages):
[  300.000008] [   4711]     0  4711   250000   200000  2000000        0             0 shop
[  300.000009] Out of memory: Killed process 4711 (shop) total-vm:1000000kB, anon-rss:800000kB, file-rss:0kB
"""
HUNG = """\
[  400.000000] INFO: task shop:4711 blocked for more than 120 seconds.
[  400.000001]       Not tainted 6.1.0 #1
[  400.000002] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
[  400.000003] task:shop            state:D stack:0     pid:4711  ppid:1      flags:0x00000002
[  400.000004] Call Trace:
[  400.000005]  <TASK>
[  400.000006]  __schedule+0x351/0xa20
[  400.000007]  schedule+0x5d/0xe0
[  400.000008]  basket_lock+0x30/0x50 [shop]
[  400.000009]  </TASK>
"""
SANITIZER = """\
[   10.000000] ==================================================================
[   10.000001] BUG: KASAN: slab-use-after-free in basket_free+0x10/0x20 [shop]
[   10.000002] Read of size 8 at addr ffff888100000000 by task shop/4711
[   10.000003] 
[   10.000004] CPU: 0 PID: 4711 Comm: shop Not tainted 6.1.0 #1
[   10.000005] Call Trace:
[   10.000006]  <TASK>
[   10.000007]  dump_stack_lvl+0x44/0x5c
[   10.000008]  kasan_report+0xb9/0xe0
[   10.000009]  basket_free+0x10/0x20 [shop]
[   10.000010]  </TASK>
[   10.000011] ==================================================================
"""
PANIC = """\
[    3.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
[    3.000001] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1
[    3.000002] Call Trace:
[    3.000003]  <TASK>
[    3.000004]  panic+0x118/0x2d0
[    3.000005]  mount_root_generic+0x1a2/0x2f0
[    3.000006]  </TASK>
[    3.000007] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---
"""
SEGFAULT = (
    "[   99.000000] shop[4711]: segfault at 10 ip 000055d0aa10 sp 00007ffd error 4 in shop[55d0a000+1000]\n"
)
OPENBSD = """\
kernel: page fault trap, code=0
Stopped at      pool_do_get+0x1ce:      cmpq    0x8(%r15),%rax
ddb{1}> trace
pool_do_get(ffffffff82570a88,9,ffff800020b1a3c4) at pool_do_get+0x1ce
basket_read(ffffffff82570a88,9) at basket_read+0x8f
"""
NETBSD = """\
[  55.1234567] panic: kernel diagnostic assertion "solocked(so)" failed: file "kern/uipc_socket2.c", line 123
[  55.1234567] cpu0: Begin traceback...
[  55.1334567] vpanic() at netbsd:vpanic+0x2f3
[  55.1534567] basket_read() at netbsd:basket_read+0x1e9
[  55.1634567] cpu0: End traceback...
[  55.1634567] fatal breakpoint trap in supervisor mode
[  55.1634567] trap type 1 code 0 rip 0xffffffff80220a3d cs 0x8 rflags 0x246 cr2 0 ilevel 0 rsp 0xffff
"""
DARWIN = """\
panic(cpu 1 caller 0xffffff8012a3b4c5): "a freed zone element has been modified"@kern/zalloc.c:123
Backtrace (CPU 1), Frame : Return Address
0xffffff81f2a1b2c0 : 0xffffff8012a1b2c3 mach_kernel : _zfree + 0x3dd
0xffffff81f2a1b310 : 0xffffff8012b1c2d3 mach_kernel : _basket_read + 0x143
"""
REPORTS = {
    "openbsd": OPENBSD,
    "netbsd": NETBSD,
    "darwin": DARWIN,
    "oops": OOPS,
    "memory": OUT_OF_MEMORY,
    "hung": HUNG,
    "sanitizer": SANITIZER,
    "panic": PANIC,
    "segfault": SEGFAULT,
}
BETWEEN = "[  900.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n"


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    found = find(KernelErrors(), text=f"{BETWEEN}{report}{BETWEEN * 30}{report}", step=step)

    assert [one.text for one in found] == [report, report]
    assert found[0].event.language == "kernel"


@pytest.mark.parametrize(
    ("report", "name", "severity"),
    [
        (OOPS, "BUG: unable to handle kernel NULL pointer dereference", "critical"),
        (OUT_OF_MEMORY, "Out of memory", "error"),
        (SANITIZER, "KASAN: slab-use-after-free Read", "error"),
        (PANIC, "kernel panic: VFS: Unable to mount root fs", "critical"),
        (SEGFAULT, "segfault", "error"),
        (OPENBSD, "Fatal trap: page fault", "critical"),
        (NETBSD, "panic", "critical"),
        (DARWIN, "panic", "critical"),
    ],
)
def test_the_kind_of_report_and_its_weight_are_told(report, name, severity):
    (found,) = find(KernelErrors(), text=report)

    assert (found.event.type, found.event.severity) == (name, severity)


@pytest.mark.parametrize(
    ("report", "function"),
    [(OOPS, "basket_total"), (SANITIZER, "basket_free"), (HUNG, "basket_lock")],
)
def test_the_one_to_blame_is_marked_among_the_frames(report, function):
    (found,) = find(KernelErrors(), text=report)

    assert [frame.function for frame in found.event.frames if frame.in_app] == [function]


def test_frames_run_from_the_outermost_call():
    (found,) = find(KernelErrors(), text=OOPS)

    functions = [frame.function for frame in found.event.frames]
    assert functions.index("vfs_read") < functions.index("basket_read") < functions.index("basket_total")


@pytest.mark.parametrize("report", [OPENBSD, NETBSD, DARWIN], ids=["openbsd", "netbsd", "darwin"])
def test_stacks_of_other_kernels_are_read(report):
    (found,) = find(KernelErrors(), text=report)

    assert found.event.frames[0].function == "basket_read"


def test_functions_that_are_never_to_blame_can_be_named():
    config = KernelConfig(not_in_app=["basket_total"])

    (found,) = find(KernelErrors(config), text=OOPS)

    assert [frame.function for frame in found.event.frames if frame.in_app] == ["basket_read"]


@pytest.mark.parametrize("names", [["vfs_"], ["vfs_read", "none"]])
def test_functions_that_are_your_own_code_can_be_named(names):
    (found,) = find(KernelErrors(KernelConfig(in_app=names)), text=OOPS)

    assert [frame.function for frame in found.event.frames if frame.in_app] == ["vfs_read"]


def test_a_module_that_is_your_own_code_can_be_named():
    (found,) = find(KernelErrors(KernelConfig(in_app=["shop"], not_in_app=["basket_total"])), text=OOPS)

    assert [frame.function for frame in found.event.frames if frame.in_app] == ["basket_total"]


@pytest.mark.parametrize("report", [OOPS, OUT_OF_MEMORY, SEGFAULT])
def test_the_process_is_told(report):
    (found,) = find(KernelErrors(), text=report)

    assert (found.event.attributes["process"], found.event.attributes["pid"]) == ("shop", "4711")


@pytest.mark.parametrize("zone", ["", " +0000 UTC"])
def test_a_report_whose_lines_were_logged_at_different_levels_is_one_event(zone):
    words = [line.partition("] ")[2] for line in OOPS.splitlines()]
    levels = ["alert", *["warn"] * len(words)]
    log = [
        f"2026-01-15 10:00:00{zone} kern.{level} kernel: {line}\n"
        for level, line in zip(levels, words, strict=False)
    ]

    (found,) = find(KernelErrors(), text="".join(log))

    assert [frame.function for frame in found.event.frames] == [
        frame.function for frame in find(KernelErrors(), text=OOPS)[0].event.frames
    ]


def test_an_out_of_memory_kill_says_whom_it_killed():
    (found,) = find(KernelErrors(), text=OUT_OF_MEMORY)

    assert found.event.message == "Killed process 4711 (shop)"


@pytest.mark.parametrize("first", [0, 8, 9], ids=["whole", "its end", "its last line"])
def test_each_out_of_memory_kill_is_one_event(first):
    report = "".join(OUT_OF_MEMORY.splitlines(keepends=True)[first:])
    again = report.replace("4711", "5822").replace("[  300", "[  600")

    found = find(KernelErrors(), text=report + again + again.replace("5822", "6933"))

    assert [one.event.attributes["pid"] for one in found] == ["4711", "5822", "6933"]


def test_all_that_are_killed_with_their_group_are_one_event():
    killed = "[  300.00002{0}] Memory cgroup out of memory: Killed process 50{0} (shop) total-vm:1kB, anon-rss:8kB\n"
    told = "[  300.000011] Tasks in /shop are going to be killed due to memory.oom.group set\n"

    found = find(KernelErrors(), text=OUT_OF_MEMORY + told + killed.format(1) + killed.format(2))

    assert len(found) == 1


@pytest.mark.parametrize(
    "prefix", ["Jan  2 03:04:05 host kernel: ", "2026-01-02T03:04:05.678901+00:00 host kernel: ", "<4>"]
)
def test_what_carries_the_lines_changes_nothing(prefix):
    carried = "".join(f"{prefix}{line}\n" for line in OOPS.splitlines())

    (found,), (plain,) = find(KernelErrors(), text=carried), find(KernelErrors(), text=OOPS)

    assert (found.event.type, found.event.frames) == (plain.event.type, plain.event.frames)
    assert found.text == carried


def test_two_reports_one_after_the_other_are_two_events():
    assert len(find(KernelErrors(), text=SANITIZER + BETWEEN * 30 + HUNG + BETWEEN * 30 + OOPS)) == 3


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(KernelErrors(), text="".join(OOPS.splitlines(keepends=True)[:6]))

    assert [frame.function for frame in found.event.frames] == ["basket_total"]


def test_the_fence_of_the_next_report_is_not_of_the_one_above():
    report = (
        "==================================================================\n"
        "BUG: KASAN: slab-out-of-bounds in till_write+0x9c/0x110 [till]\n"
        "Write of size 1 at addr ffff888104e1d40a by task sell/612\n"
        "Call Trace:\n till_write+0x9c/0x110 [till]\n do_write+0x10/0x40\n"
    )

    found = find(KernelErrors(), text=report * 2)

    assert [one.text for one in found] == [report, report]


def test_what_a_program_dies_with_ends_the_report_above_it():
    report = (
        "BUG: unable to handle page fault for address: 0000000000000010\nCall Trace:\n till_open+0x20/0x80\n"
    )
    traceback = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\nKeyError: 17\n'

    (one,) = find(KernelErrors(), text=report + traceback)

    assert one.text == report


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "[    0.000000] BUG reports go to the list",
        "[    1.000000] EXT4-fs (sda1): mounted filesystem",
        "[    1.000000] EDAC MC: Ver: 3.0.0",
        "[    1.000000] Kernel command line: panic=10 oops=panic",
        "WARNING: the disk is getting full at /srv",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(KernelErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(KernelErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for report in [*REPORTS.values()] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(KernelErrors(), text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(KernelErrors, good=[OOPS, OUT_OF_MEMORY], bad=["started, 0 errors found\n"])
