"""Corner cases 94 and 95: what C, C++ and the kernel print when something fails."""

import random

import pytest
from corner_scene import only, places


def address_sanitizer():
    shadow = "".join(
        f"{'=>' if row == 5 else '  '}0x0c047fff7f{row:x}0: fa fa fa fa fa fa fa fa fa fa fa fa fa fa fa fa\n"
        for row in range(11)
    )
    return f"""\
=================================================================
==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x55d0c7d0a1b3 bp \
0x7ffd0d0a0d50 sp 0x7ffd0d0a0d48
READ of size 4 at 0x602000000010 thread T0
    #0 0x55d0c7d0a1b2 in charge /srv/shop/pay.c:7:12
    #1 0x55d0c7d0a2c3 in main /srv/shop/main.c:12:3
    #2 0x7f0a11d83d8f in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16
    #3 0x55d0c7c4a324 in _start (/srv/shop/shop+0x1e324) (BuildId: 4d9f3b0c)

0x602000000010 is located 0 bytes inside of 4-byte region [0x602000000010,0x602000000014)
freed by thread T0 here:
    #0 0x55d0c7cc8d02 in free (/srv/shop/shop+0x9cd02) (BuildId: 4d9f3b0c)
    #1 0x55d0c7d0a190 in charge /srv/shop/pay.c:6:3
    #2 0x55d0c7d0a2c3 in main /srv/shop/main.c:12:3

previously allocated by thread T0 here:
    #0 0x55d0c7cc8fae in malloc (/srv/shop/shop+0x9cfae) (BuildId: 4d9f3b0c)
    #1 0x55d0c7d0a180 in charge /srv/shop/pay.c:4:12
    #2 0x55d0c7d0a2c3 in main /srv/shop/main.c:12:3

SUMMARY: AddressSanitizer: heap-use-after-free /srv/shop/pay.c:7:12 in charge
Shadow bytes around the buggy address:
{shadow}Shadow byte legend (one shadow byte represents 8 application bytes):
  Addressable:           00
  Partially addressable: 01 02 03 04 05 06 07 
  Heap left redzone:       fa
  Freed heap region:       fd
  Stack left redzone:      f1
  Stack mid redzone:       f2
  Stack right redzone:     f3
  Stack after return:      f5
  Stack use after scope:   f8
  Global redzone:          f9
  Global init order:       f6
  Poisoned by user:        f7
  Container overflow:      fc
  Array cookie:            ac
  Intra object redzone:    bb
  ASan internal:           fe
  Left alloca redzone:     ca
  Right alloca redzone:    cb
==4711==ABORTING
"""


def test_case_94_a_report_of_the_address_sanitizer_is_one_event():
    event = only(address_sanitizer())

    assert "heap-use-after-free" in event.type + event.message
    assert ("charge", 7) in places(event)[0]


def test_case_94_a_failed_assertion_in_c_is_one_event():
    event = only("shop: pay.c:7: charge: Assertion `card != NULL' failed.\n")

    assert "card != NULL" in event.message
    assert [(frame.file, frame.line, frame.function) for frame in event.frames] == [("pay.c", 7, "charge")]


def test_case_94_an_uncaught_exception_in_cpp_is_one_event():
    event = only("terminate called after throwing an instance of 'std::out_of_range'\n  what():  no card\n")

    assert (event.type, event.message) == ("std::out_of_range", "no card")


OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
PGD 0 P4D 0 
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 PID: 4711 Comm: shopd Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1
Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014
RIP: 0010:till_open+0x1b/0x40 [till]
Code: 90 90 90 90 0f 1f 44 00 00 53 48 89 fb 48 8b 07 <8b> 40 08 5b c3
RSP: 0018:ffffb2c7c0a3fd98 EFLAGS: 00010246
RAX: 0000000000000000 RBX: ffff9a1b05c7a000 RCX: 0000000000000000
FS:  00007f0a11c4e740(0000) GS:ffff9a1b7ed80000(0000) knlGS:0000000000000000
Call Trace:
 <TASK>
 ? __die_body.cold+0x1a/0x1f
 ? page_fault_oops+0xd2/0x2b0
 till_ioctl+0x52/0x90 [till]
 __x64_sys_ioctl+0x90/0xd0
 do_syscall_64+0x5b/0xc0
 entry_SYSCALL_64_after_hwframe+0x64/0xce
RIP: 0033:0x7f0a11d5a17b
 </TASK>
Modules linked in: till nls_ascii nls_cp437
CR2: 0000000000000008
---[ end trace 0000000000000000 ]---
"""


@pytest.mark.parametrize("form", ["dmesg", "syslog", "kern.log"])
def test_case_95_a_kernel_oops_is_one_event_to_the_end_of_its_trace(form):
    clock = random.Random(7)
    stamps = sorted(72.15 + clock.random() / 1000 for _ in OOPS.splitlines())
    heads = {
        "dmesg": "[{stamp:12.6f}] ",
        "syslog": "Nov 21 07:00:00 web-1 kernel: ",
        "kern.log": "Nov 21 07:00:00 web-1 kernel: [{stamp:12.6f}] ",
    }
    pairs = zip(stamps, OOPS.splitlines(), strict=True)
    text = "".join(heads[form].format(stamp=stamp) + line + "\n" for stamp, line in pairs)
    other = heads[form].format(stamp=80.0) + "eth0: link is up\n"

    event = only(text, before=other, after=other)

    assert "NULL pointer dereference" in event.type + event.message
    functions = [function for function, _ in places(event)[0]]
    assert "till_open" in " ".join(functions)
    assert "till_ioctl" in " ".join(functions)
