import sys
from time import process_time

import pytest
from aiops_detector_regex import PatternConfig, RegexConfig, RegexErrors
from aiops_detector_regex._engine import MAX_FALLBACK, compile_search
from aiops_detector_regex._literals import triggers_of

from aiops_core import Context, UserError
from aiops_core.testing import contract


def detector(*patterns, file="", directory=None):
    config = RegexConfig(patterns=[PatternConfig(**pattern) for pattern in patterns], file=file)
    return RegexErrors(config, Context(directory=directory) if directory else None)


def complaint(*patterns, file="", directory=None):
    with pytest.raises(UserError) as raised:
        detector(*patterns, file=file, directory=directory)
    return str(raised.value)


def only(found):
    assert len(found) == 1, [item.text for item in found]
    return found[0].event


def test_a_matching_line_is_an_event_with_its_groups(find):
    pattern = {
        "regex": r"payment (?P<payment>\d+) declined by (?P<bank>\w+)",
        "name": "PaymentDeclined",
        "severity": "warning",
        "language": "go",
    }

    [found] = find(detector(pattern), text="ok\n2026-01-01 10:00:00 INFO payment 42 declined by acme\nok\n")

    event = found.event
    assert (event.type, event.message) == ("PaymentDeclined", "payment 42 declined by acme")
    assert (event.severity, event.language) == ("warning", "go")
    assert event.attributes == {"payment": "42", "bank": "acme"}
    assert found.text == "2026-01-01 10:00:00 INFO payment 42 declined by acme\n"


def test_the_group_message_is_the_message(find):
    pattern = {"regex": "upstream said: (?P<message>.*)", "name": "Upstream"}

    event = only(find(detector(pattern), text="x upstream said: no\n"))

    assert (event.message, event.attributes, event.severity) == ("no", {}, "error")


def test_a_caret_means_the_start_of_the_line_or_of_its_message(find):
    found = find(
        detector({"regex": "^disk full", "name": "DiskFull"}),
        text="disk full\n2026-01-01 10:00:00 ERROR disk full\nthe disk full of data\n",
    )

    assert [item.text for item in found] == ["disk full\n", "2026-01-01 10:00:00 ERROR disk full\n"]


def test_the_literal_text_alone_is_no_match(find):
    assert find(detector({"regex": r"payment \d+ declined", "name": "P"}), text="payment x declined\n") == []


def test_a_number_that_decides_does_so_each_time(find):
    pattern = {"regex": r"request \d+ .*code=[5-9]\d\d", "name": "Refused"}
    codes = [(200, 503, 404, 500)[number // 5 % 4] for number in range(200)]
    lines = [f"2026-01-01 10:00:00 INFO request {number} code={code}\n" for number, code in enumerate(codes)]

    found = find(detector(pattern), text="".join(lines))

    assert [int(item.event.message[-3:]) for item in found] == [code for code in codes if code >= 500]


def test_the_first_pattern_that_matches_names_the_event(find):
    patterns = {"regex": "timeout of .* ms", "name": "Slow"}, {"regex": "timeout", "name": "Timeout"}

    found = find(detector(*patterns), text="timeout of 5 ms\ntimeout\n")

    assert [item.event.type for item in found] == ["Slow", "Timeout"]


def test_case_may_be_ignored(find):
    found = find(detector({"regex": "(?i)disk full", "name": "D"}), text="DISK FULL\nDisk full\n")

    assert len(found) == 2


def test_a_file_holds_patterns_by_language(find, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "python:\n  - regex: 'queue (?P<queue>\\w+) is full'\n    name: QueueFull\n    severity: fatal\n"
        "go: [{regex: deadlock, name: Deadlock}]\n"
    )

    found = find(detector(file="mine.yaml", directory=tmp_path), text="queue jobs is full\ndeadlock\n")

    assert [(item.event.type, item.event.language, item.event.severity) for item in found] == [
        ("QueueFull", "python", "critical"),
        ("Deadlock", "go", "error"),
    ]


def test_patterns_come_before_those_of_the_file(find, tmp_path):
    (tmp_path / "mine.yaml").write_text("go: [{regex: deadlock, name: FromFile}]\n")
    pattern = {"regex": "dead", "name": "FromSettings"}

    found = find(detector(pattern, file="mine.yaml", directory=tmp_path), text="deadlock\n")

    assert only(found).type == "FromSettings"


@pytest.mark.parametrize(
    ("line", "name", "attributes"),
    [
        ("django.db.utils.OperationalError: no such table: shop", "DatabaseError", {}),
        (
            "[2026-01-01 10:00:00 +0000] [7] [ERROR] Worker (pid:9) was sent SIGKILL! Perhaps out of memory?",
            "GunicornWorkerKilled",
            None,
        ),
        (
            "sys:1: RuntimeWarning: coroutine 'pay' was never awaited",
            "CoroutineNeverAwaited",
            {"coroutine": "pay"},
        ),
        ("APPLICATION FAILED TO START", "ApplicationFailedToStart", {}),
        (
            "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
            "ConnectionPoolExhausted",
            {"pool": "HikariPool-1", "waited": "30000"},
        ),
        ("npm ERR! code ELIFECYCLE", "NpmError", {"code": "ELIFECYCLE"}),
        ("connect ECONNREFUSED 127.0.0.1:5432", "ConnectionRefused", {"address": "127.0.0.1:5432"}),
        (
            "2026/01/01 10:00:00 dial tcp 10.0.0.1:5432: connect: connection refused",
            "ConnectionRefused",
            {"address": "10.0.0.1:5432"},
        ),
        ("2026/01/01 10:00:00 dial tcp: lookup db on 1.1.1.1:53: no such host", "DialFailed", {"host": "db"}),
        ("listen tcp :80: bind: address already in use", "PortInUse", {}),
    ],
)
def test_the_patterns_it_brings_along_find_well_known_problems(find, line, name, attributes):
    event = only(find(RegexErrors(), text=f"{line}\n"))

    assert event.type == name
    assert attributes is None or event.attributes == attributes


@pytest.mark.parametrize("line", ["connect to the server", "the code 7 is fine", "worker was sent to sleep"])
def test_the_patterns_it_brings_along_leave_ordinary_lines_alone(find, line):
    assert find(RegexErrors(), text=f"{line}\n") == []


def test_logs_of_nine_systems_hold_few_of_those_problems(corpora, find):
    lines = found = 0
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        data = path.read_bytes()
        lines += data.count(b"\n")
        found += len(find(RegexErrors(), text=data))

    assert found < lines / 1000


def test_a_bad_expression_is_named_with_its_entry():
    assert complaint({"regex": "(disk full", "name": "DiskFull"}) == (
        "patterns[0] (DiskFull): regex '(disk full': missing ), unterminated subpattern at position 0. "
        "Write a valid regular expression without look-around and back-references"
    )


def test_look_around_is_refused():
    assert complaint({"regex": "disk(?= full)", "name": "DiskFull"}) == (
        "patterns[0] (DiskFull): regex 'disk(?= full)': invalid perl operator: (?=. "
        "Write a valid regular expression without look-around and back-references"
    )


def test_an_expression_without_literal_text_is_refused():
    assert complaint({"regex": r"\d+ .*", "name": "Any"}) == (
        "patterns[0] (Any): regex '\\\\d+ .*': no 3 literal characters in a row that every match has. "
        "Add some, or the whole log would be looked at line by line"
    )


def test_an_unknown_severity_is_named_with_its_entry():
    assert complaint({"regex": "disk full", "name": "DiskFull", "severity": "bad"}) == (
        "patterns[0] (DiskFull): unknown severity 'bad': write one of critical, error, warning, info"
    )


def test_all_mistakes_of_a_file_are_told_at_once_with_their_lines(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "python:\n"
        "  - {regex: disk full, name: DiskFull, color: red}\n"
        "  - {name: Nameless}\n"
        "  - just text\n"
        "go: nothing\n"
        "python: []\n"
    )

    assert complaint(file="mine.yaml", directory=tmp_path).splitlines() == [
        "mine.yaml:2: python[0]: unknown key 'color'. Use regex, name, severity",
        "mine.yaml:3: python[1]: no regex. Add one",
        "mine.yaml:4: python[2]: no pattern. Write it as language: [{regex: ..., name: ..., severity: error}]",
        "mine.yaml:5: go: no list. Write it as language: [{regex: ..., name: ..., severity: error}]",
        "mine.yaml:6: python: stands here twice. Join the two lists",
    ]


def test_a_bad_expression_of_a_file_is_named_with_its_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("python:\n  - regex: '(disk'\n    name: DiskFull\n")

    assert complaint(file="mine.yaml", directory=tmp_path).startswith(
        "mine.yaml:2: python[0] (DiskFull): regex"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [\n", "mine.yaml:2: not YAML: "),
        (b"\xff\xfe", "mine.yaml: not YAML: it is not UTF-8. "),
        (b"", "mine.yaml: no mapping. Write it as language: "),
        (b"- a\n", "mine.yaml:1: no mapping. Write it as language: "),
    ],
)
def test_a_file_that_holds_no_patterns_is_a_mistake(tmp_path, content, message):
    (tmp_path / "mine.yaml").write_bytes(content)

    assert complaint(file="mine.yaml", directory=tmp_path).startswith(message)


def test_a_missing_file_is_a_mistake(tmp_path):
    assert complaint(file="mine.yaml", directory=tmp_path) == (
        "mine.yaml: cannot be read: No such file or directory. Give a path relative to the pipeline file"
    )


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("(a|bcd)efg", ("efg",)),
        ("(?:one|two) of", ("one", "two")),
        (r"a\d disk", (r"\ disk",)),
        ("(?:abc)+d?", ("abc",)),
        ("(?:abc)*", ()),
        ("é.é", ()),
        ("éa", ("éa",)),
    ],
)
def test_every_match_holds_one_of_the_triggers(regex, expected):
    assert triggers_of(regex) == expected


def test_both_engines_find_the_same():
    for engine in ("", "re"):
        search = compile_search(r"queue (?P<queue>\w+)(?P<more> and)? is full", engine=engine)

        assert search("the queue jobs is full") == {"queue": "jobs"}
        assert search("the queue is full of") is None


def test_without_re2_the_standard_engine_does_the_same(find, monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)

    found = find(detector({"regex": "disk (?P<disk>[a-z]+) full", "name": "D"}), text="disk sda full\n")

    assert only(found).attributes == {"disk": "sda"}
    assert complaint({"regex": "disk (", "name": "D"}).startswith(
        "patterns[0] (D): regex 'disk (': missing )"
    )


def test_the_standard_engine_looks_at_the_start_of_a_line_only():
    search = compile_search("needle", engine="re")

    assert search("x" * (MAX_FALLBACK - 6) + "needle") == {}
    assert search("x" * MAX_FALLBACK + "needle") is None


def test_a_hostile_line_takes_linear_time(find):
    nasty = detector({"regex": "(x+x+)+y and more", "name": "Nasty"})
    started = process_time()

    find(nasty, text="x" * 50_000 + " and more\n")

    assert process_time() - started < 5


test_contract = contract(
    RegexErrors,
    {"patterns": [{"regex": r"payment \d+ declined", "name": "PaymentDeclined"}]},
    good=["payment 42 declined by acme\n"],
    bad=["started, 0 errors found\n"],
)
