import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiops_source_command import CommandConfig, CommandSource

from aiops_core import LONGEST_LINE, Context, UserError
from aiops_core.store import Store
from aiops_core.testing import SourceRun, run_pipeline


class Follow(SourceRun):
    """One run of one configured source."""

    def __init__(self, directory, command, *, once=False, **settings):
        config = CommandConfig(command=command, **{"backoff": 0.02, **settings})
        super().__init__(lambda context: CommandSource(config, context), directory, name="command")
        self.start(once=once)

    def of(self, name):
        return [batch for batch in list(self.batches) if batch.attributes["stream"] == name]

    def said(self, name="stdout"):
        return b"".join(batch.data for batch in self.of(name))


@pytest.fixture
def follow(tmp_path):
    made = []

    def make(*command, **settings):
        made.append(Follow(tmp_path, list(command), **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def shell(text):
    return ("sh", "-c", text)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_until(is_so):
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_both_outputs_are_followed_as_streams_of_their_own(follow):
    source = follow(*shell("echo one; echo wrong >&2; echo two"), once=True).join()

    assert (source.said(), source.said("stderr")) == (b"one\ntwo\n", b"wrong\n")
    assert {batch.path for batch in source.of("stderr")} == {"sh (stderr)"}
    assert len({batch.stream for batch in source.batches}) == 2
    assert [batch.ended for batch in source.of("stdout")][-1] is True
    assert source.messages == ["command: sh ended."]


def test_the_standard_error_may_be_left_out(follow):
    source = follow(*shell("echo one; echo wrong >&2; exit 4"), once=True, stderr="ignore").join()

    assert {batch.attributes["stream"] for batch in source.batches} == {"stdout"}
    assert source.messages == ["command: sh ended with exit code 4 and said last: wrong."]


def test_output_is_passed_on_while_the_program_runs(follow):
    source = follow(*shell("echo one; exec sleep 60"))

    source.wait(lambda: source.said() == b"one\n").stop()


def test_no_shell_reads_the_arguments(follow):
    source = follow("printf", "%s\n", "$HOME; *", once=True).join()

    assert source.said() == b"$HOME; *\n"


def test_case_7_an_unterminated_last_line_comes_when_the_program_ends(follow):
    source = follow(*shell("printf 'one\\ntorn'"), once=True).join()

    assert [(b.data, b.attributes.get("partial")) for b in source.of("stdout")] == [
        (b"one\n", None),
        (b"torn\n", "true"),
        (b"", None),
    ]


def test_case_36_of_an_over_long_line_the_head_is_kept_and_its_neighbours_are_whole(follow):
    text = f"print('first'); print('x' * {3 * LONGEST_LINE}); print('last')"
    source = follow(sys.executable, "-c", text, once=True).join()

    assert source.said() == b"first\n" + b"x" * LONGEST_LINE + b"\nlast\n"
    cut = [batch for batch in source.batches if "truncated" in batch.attributes]
    assert [len(batch.data) for batch in cut] == [LONGEST_LINE + 1]
    assert source.messages[0] == (
        f"command: a line of {Path(sys.executable).name} (stdout) is longer than {LONGEST_LINE} bytes; "
        "of such lines only the beginning is read."
    )


def test_a_program_that_fails_is_told_with_its_last_words_and_started_again_after_growing_pauses(follow):
    text = 'echo run; for i in 1 2 3 4 5 6; do echo "trouble $i\t!" >&2; done; exit 3'

    source = follow(*shell(text), longest_backoff=0.06)

    source.wait(lambda: len(source.messages) >= 4).stop()
    words = "trouble 2 ! | trouble 3 ! | trouble 4 ! | trouble 5 ! | trouble 6 !"
    assert source.messages[:4] == [
        f"command: sh ended with exit code 3 and said last: {words}. It is started again in {pause} s."
        for pause in ("0.02", "0.04", "0.06", "0.06")
    ]
    assert source.said().startswith(b"run\nrun\nrun\n")


def test_people_are_told_once_of_a_program_that_does_nothing_but_fail(follow):
    source = follow(*shell("echo no access >&2; exit 3"), longest_backoff=0.02)

    source.wait(lambda: len(source.messages) >= 12).stop()
    told = [message for message in source.messages if "in a row" in message]
    assert told == [
        "command: sh failed 5 times in a row, the last time it ended with exit code 3 and said last: no access. "
        "It is tried on. Run it by hand to see what it lacks."
    ]


def test_a_program_that_ends_well_is_started_again_after_the_same_pause(follow):
    source = follow("echo", "run")

    source.wait(lambda: len(source.messages) >= 3).stop()
    assert source.messages[:3] == ["command: echo ended. It is started again in 0.02 s."] * 3


def test_offsets_go_on_over_runs_with_a_gap_between_them(follow):
    source = follow(*shell("echo one; printf torn"))

    source.wait(lambda: len(source.of("stdout")) >= 4).stop()
    assert [(b.offset, b.data) for b in source.of("stdout")][:4] == [
        (0, b"one\n"),
        (4, b"torn\n"),
        (10, b"one\n"),
        (14, b"torn\n"),
    ]
    assert len({batch.stream for batch in source.of("stdout")}) == 1


def test_every_start_of_the_source_has_streams_of_its_own(follow):
    streams = [follow("echo", "x", once=True).join().batches[0].stream for _ in range(2)]

    assert streams[0] != streams[1]


@pytest.mark.parametrize(
    ("restart", "code", "runs"), [("never", 3, 1), ("on_failure", 0, 1), ("on_failure", 3, 3)]
)
def test_the_setting_says_when_it_is_started_again(follow, tmp_path, restart, code, runs):
    text = f"echo x >> count; [ $(wc -l < count) -lt 3 ] && exit {code}; exit 0"

    follow(*shell(text), restart=restart).join()

    assert len((tmp_path / "count").read_text()) == 2 * runs


def test_a_signal_that_ends_the_program_is_told(follow):
    source = follow(*shell("kill -9 $$"), once=True).join()

    assert source.messages == ["command: sh was ended by signal 9."]


def test_a_program_that_vanished_is_told_and_tried_again(follow, tmp_path):
    program = tmp_path / "program"
    program.write_text("not a program")
    program.chmod(0o755)

    source = follow("./program")

    source.wait(lambda: len(source.messages) >= 2).stop()
    assert source.messages[0] == (
        "command: program could not be started (Exec format error). It is started again in 0.02 s."
    )


def test_a_stop_ends_the_whole_group_within_a_second(follow, tmp_path):
    source = follow(
        *shell("trap '' TERM; (trap '' TERM; sleep 61; sleep 62) & echo $$ $!; sleep 60; sleep 63")
    )
    source.wait(lambda: source.said().endswith(b"\n"))
    pids = [int(pid) for pid in source.said().split()]
    assert all(map(is_alive, pids))
    began = time.monotonic()

    source.stop()

    assert time.monotonic() - began < 30  # it would take a minute
    source.wait(lambda: not any(map(is_alive, pids)))


def test_a_program_may_tidy_up_when_it_is_stopped(follow, tmp_path):
    source = follow(*shell("trap 'touch tidy; exit' TERM; echo ready; while :; do sleep 0.02; done"))
    source.wait(lambda: source.said() == b"ready\n")

    source.stop()

    assert (tmp_path / "tidy").exists()


def test_what_a_program_leaves_behind_is_ended_with_it(follow):
    source = follow(*shell("sleep 60 & echo $!; exit 0"), once=True).join()

    source.wait(lambda: not is_alive(int(source.said())))


def test_a_program_that_closes_its_outputs_is_waited_for(follow, tmp_path):
    source = follow(*shell("exec >&- 2>&-; sleep 0.1; touch done; exit 5"), once=True).join()

    assert (tmp_path / "done").exists()
    assert source.messages == ["command: sh ended with exit code 5."]


def test_the_environment_holds_what_is_set_and_no_secrets_of_this_process(follow, monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "s3cret")
    monkeypatch.setenv("LC_TIME", "C")
    source = follow("env", env={"KUBECONFIG": "/etc/kube"}, once=True).join()

    names = {line.partition(b"=")[0] for line in source.said().splitlines()}
    assert {b"PATH", b"HOME", b"LC_TIME", b"KUBECONFIG"} <= names
    assert b"SERVICE_TOKEN" not in names


def test_values_of_the_environment_are_secret():
    config = CommandConfig(command=["env"], env={"TOKEN": "s3cret"})

    assert "s3cret" not in repr(config)


def test_it_runs_beside_the_pipeline_file_or_where_it_is_told(follow, tmp_path):
    (tmp_path / "sub").mkdir()
    script = tmp_path / "where"
    script.write_text("#!/bin/sh\npwd -P\n")
    script.chmod(0o755)

    assert follow("./where", once=True).join().said() == f"{tmp_path.resolve()}\n".encode()
    assert follow("./where", once=True, cwd="sub").join().said() == f"{tmp_path.resolve()}/sub\n".encode()


def start(tmp_path, **settings):
    source = CommandSource(CommandConfig(**settings), Context(directory=tmp_path))
    with pytest.raises(UserError) as raised:
        source.start()
    assert source.problem() == str(raised.value)
    return str(raised.value)


def test_what_cannot_work_is_told_before_the_start(tmp_path):
    remedy = "no such program. Name one that is on the PATH, or its path"

    assert start(tmp_path, command=["no-such-program"]) == f"no-such-program: {remedy}"
    assert start(tmp_path, command=["./none"]) == f"./none: {remedy}"
    (tmp_path / "plain").write_text("echo run")
    assert start(tmp_path, command=["./plain"]) == (
        "./plain: it may not be executed. Allow it, with 'chmod +x', or name what runs it"
    )
    assert start(tmp_path, command=["env"], env={"PATH": "/none"}) == f"env: {remedy}"
    assert (
        start(tmp_path, command=["sh"], cwd="none")
        == f"{tmp_path}/none: no such directory. Set 'cwd' to one that exists"
    )


def test_a_command_that_is_a_text_is_refused_with_the_remedy(tmp_path):
    yaml = "pipelines: {shop: {sources: [{uses: command, with: {command: tail -F x}}]}}"

    assert (
        "a command is a list, as in [kubectl, logs, -f, deploy/shop]; no shell reads it"
        in run_pipeline(yaml, {}, tmp_path).error
    )


@pytest.mark.parametrize("setting", ["backoff", "longest_backoff"])
def test_a_pause_of_nothing_is_refused(setting):
    with pytest.raises(ValueError, match=setting):
        CommandConfig(command=["true"], **{setting: 0})


def test_numbers_are_arguments_too():
    assert CommandConfig(command=["sleep", 5]).command == ["sleep", "5"]


def test_much_output_is_whole(follow):
    source = follow("seq", "1", "300000", once=True).join()

    assert source.said() == b"".join(b"%d\n" % number for number in range(1, 300_001))
    offsets = [batch.offset for batch in source.of("stdout")]
    assert offsets == sorted(offsets)


def test_case_55_a_trace_before_the_end_of_the_program_is_one_event(tmp_path):
    crash = "import sys; print('starting', flush=True); raise ValueError('no price')"
    yaml = f"""\
pipelines:
  shop:
    sources:
      - uses: command
        with: {{command: ["{sys.executable}", "-c", "{crash}"]}}
    detectors: [python]
"""

    result = run_pipeline(yaml, {}, tmp_path)

    assert [(event.type, event.message) for event in result.events] == [("ValueError", "no price")]
    event = result.events[0]
    assert (event.attributes["stream"], event.start) == ("stderr", 0)
    assert "ended with exit code 1 and said last: Traceback (most recent call last): |" in result.log


def test_case_50_a_program_killed_by_its_reader_s_stop_is_no_failure(follow):
    source = follow("yes")
    source.wait(lambda: len(source.said()) > 1 << 20)

    source.stop()

    assert source.messages == []
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN


def test_the_last_words_of_a_program_that_ended_while_this_was_stopped_are_read(tmp_path):
    script = "touch begun; sleep 0.5; echo '2026-11-21 03:00:00,000 ERROR app: last words'; touch ended"
    (tmp_path / "pipeline.yaml").write_text(f"""\
state: ./state
pipelines:
  p:
    sources: [{{uses: command, with: {{command: {json.dumps(["sh", "-c", script])}}}}}]
    detectors: [levels]
""")
    aiops = Path(sys.executable).parent / "aiops"
    run = subprocess.Popen([aiops, "run", "--once", "pipeline.yaml"], cwd=tmp_path)

    wait_until((tmp_path / "begun").exists)
    run.send_signal(signal.SIGSTOP)
    wait_until((tmp_path / "ended").exists)
    time.sleep(0.3)  # longer than one wait for output
    run.send_signal(signal.SIGCONT)

    assert run.wait(60) == 0
    with Store.open(tmp_path / "state") as store:
        assert [one.count for one in store.incidents.list()] == [1]
