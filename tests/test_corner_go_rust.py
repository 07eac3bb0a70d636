"""Corner cases 85 to 90: what Go and Rust print when something fails."""

import pytest
from corner_scene import PLAIN, chain, find, only, places

GO_FRAMES = """\
goroutine 18 [running]:
main.charge(...)
\t/srv/shop/pay.go:7
main.work({0x4b1f20, 0xc000012345})
\t/srv/shop/work.go:31 +0x1d
created by main.main in goroutine 1
\t/srv/shop/main.go:12 +0x5c
"""


GO_WAITING = """\
goroutine 1 [chan receive, 2 minutes]:
main.main()
\t/srv/shop/main.go:14 +0x9d
"""


@pytest.mark.parametrize(
    "head",
    [
        "panic: no card\n",
        "panic: no card [recovered]\n\tpanic: no card\n",
        "panic: no card [recovered, repanicked]\n",
        "panic: runtime error: invalid memory address or nil pointer dereference\n"
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x4932a7]\n",
    ],
    ids=["basic", "recovered", "repanicked", "signal"],
)
@pytest.mark.parametrize("tail", ["", f"\n{GO_WAITING}", f"\n{GO_WAITING}exit status 2\n", "exit status 2\n"])
def test_case_85_a_go_panic_is_one_event(head, tail):
    event = only(f"{head}\n{GO_FRAMES}{tail}")

    message = "runtime error: invalid memory" if "SIGSEGV" in head else "no card"
    assert event.message.startswith(message)
    assert [line for _, line in places(event)[0]][-2:] == [31, 7]


def test_case_85_a_go_panic_in_a_panic_is_one_event():
    event = only(f"panic: no card\n\tpanic: no drawer\n\n{GO_FRAMES}")

    assert "no card" in " ".join(message for *_, message in chain(event))
    assert "no drawer" in " ".join(message for *_, message in chain(event))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("fatal error: all goroutines are asleep - deadlock!\n", "all goroutines are asleep - deadlock!"),
        ("fatal error: concurrent map writes\n", "concurrent map writes"),
        ("fatal error: concurrent map iteration and map write\n", "concurrent map iteration and map write"),
    ],
)
def test_case_86_a_go_fatal_error_is_one_event(head, message):
    event = only(f"{head}\n{GO_FRAMES}\n{GO_WAITING}exit status 2\n")

    assert event.message == message
    assert [line for _, line in places(event)[0]][-2:] == [31, 7]


def test_case_86_a_go_dump_on_sigquit_is_one_event():
    event = only(
        f"""\
SIGQUIT: quit
PC=0x46d7a1 m=0 sigcode=0

goroutine 0 gp=0x5c1e60 m=0 mp=0x5c2c00 [idle]:
runtime.futex(0x5c2d40, 0x80, 0x0, 0x0, 0x0, 0x0)
\t/usr/local/go/src/runtime/sys_linux_amd64.s:558 +0x21 fp=0x7ffd0d0a0d58 sp=0x7ffd0d0a0d50 pc=0x46d7a1

{GO_WAITING}
rax    0xca
rbx    0x0
rcx    0x46d7a3
rip    0x46d7a1
rflags 0x286
cs     0x33
fs     0x0
gs     0x0
exit status 2
"""
    )

    assert "SIGQUIT" in event.type + event.message


def data_race(line):
    return f"""\
==================
WARNING: DATA RACE
Write at 0x00c000014098 by goroutine 7:
  main.add()
      /srv/shop/main.go:{line} +0x44
  main.main.func1()
      /srv/shop/main.go:20 +0x2e

Previous read at 0x00c000014098 by main goroutine:
  main.main()
      /srv/shop/main.go:24 +0x9d

Goroutine 7 (running) created at:
  main.main()
      /srv/shop/main.go:19 +0x8e
==================
"""


def test_case_87_two_go_data_races_are_two_events():
    one, other = data_race(12), data_race(13)

    events = find(PLAIN + one + other + "Found 2 data race(s)\n")

    assert [event.block for event in events] == [one, other]
    assert [event.frames[-1].line for event in events] == [12, 13]


@pytest.mark.parametrize(
    "line", ["goroutine 5 started processing", "panic!", "don't panic: all is well", "threads are running"]
)
def test_case_88_words_of_panics_are_no_panics(line):
    assert find(f"{PLAIN}{line}\n{PLAIN}") == []


NOTE = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"


SHORT = """\
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: core::panicking::panic_fmt
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/core/src/panicking.rs:74:14
   2: shop::pay::charge
             at ./src/pay.rs:7:5
   3: shop::main
             at ./src/main.rs:3:5
   4: core::ops::function::FnOnce::call_once
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/core/src/ops/function.rs:250:5
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
"""


FULL = """\
stack backtrace:
   0:     0x55d0c7d2b5fa - std::backtrace_rs::backtrace::libunwind::trace::h5a8e6e2c3b1b1f3c
                               at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/backtrace.rs:116:5
   1:     0x55d0c7d0a1b3 - shop::pay::charge::h0d2c6b1f3a4e5d6c
                               at /srv/shop/src/pay.rs:7:5
   2:     0x55d0c7d0a2c4 - shop::main::h9a8b7c6d5e4f3a2b
                               at /srv/shop/src/main.rs:3:5
   3:                0x0 - <unknown>
"""


RUST_HEADS = {
    "old": "thread 'main' panicked at 'no card', src/pay.rs:7:5\n",
    "new": "thread 'main' panicked at src/pay.rs:7:5:\nno card\n",
    "with its number": "thread 'main' (4711) panicked at src/pay.rs:7:5:\nno card\n",
    "without a name": "thread '<unnamed>' panicked at src/pay.rs:7:5:\nno card\n",
}


@pytest.mark.parametrize("head", RUST_HEADS)
@pytest.mark.parametrize("tail", [NOTE, SHORT, FULL], ids=["0", "1", "full"])
def test_case_89_a_rust_panic_is_one_event(head, tail):
    event = only(RUST_HEADS[head] + tail)

    assert event.message == "no card"
    assert (event.frames[-1].file.removeprefix("./"), event.frames[-1].line) in {
        ("src/pay.rs", 7),
        ("/srv/shop/src/pay.rs", 7),
        ("/rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs", 665),
        ("/rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/backtrace.rs", 116),
    }


@pytest.mark.parametrize("tail", [NOTE, SHORT, FULL], ids=["0", "1", "full"])
def test_case_89_a_rust_panic_with_a_message_of_many_lines_is_one_event(tail):
    event = only(
        f"thread 'main' panicked at src/pay.rs:7:5:\ncannot charge:\n  no card\n\n  no address\n{tail}"
    )

    assert event.message == "cannot charge:\n  no card\n\n  no address"


def test_case_89_a_rust_panic_while_another_unwinds_is_one_event_of_both():
    event = only(
        f"""\
thread 'main' panicked at src/pay.rs:7:5:
no card
{NOTE}thread 'main' panicked at src/drawer.rs:19:9:
drawer is open
{SHORT}thread 'main' panicked at library/core/src/panicking.rs:229:5:
panic in a destructor during cleanup
thread caused non-unwinding panic. aborting.
"""
    )

    messages = [message for *_, message in chain(event)]
    assert {"no card", "drawer is open"} <= set(messages)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Error: ParseIntError { kind: InvalidDigit }", "ParseIntError"),
        ('Error: Os { code: 2, kind: NotFound, message: "No such file or directory" }', "Os"),
    ],
)
def test_case_90_what_a_rust_main_returns_is_one_event(line, kind):
    event = only(f"{line}\n")

    assert event.type == kind
