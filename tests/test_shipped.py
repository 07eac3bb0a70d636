"""Lines as shippers, viewers and runners of programs write them: what the program printed is found in them."""

import json

import pytest
from corner_scene import DOTNET, JAVA, NODE, PYTHON, docker, find

TERMINATED = """\
terminate called after throwing an instance of 'std::out_of_range'
  what():  no such shelf
Aborted (core dumped)
"""


def in_record(line, **more):
    return json.dumps({**more, "log": line}, separators=(",", ":"))


def arrows(line):
    return in_record(line, stream="stderr").replace('":', '"=>')


WRITTEN = {
    "docker logs --timestamps": lambda line: f"2026-11-21T07:00:00.123456789Z {line}",
    "kubectl logs --prefix --timestamps": lambda line: (
        f"[pod/web-7d4b9c6f5-x2x4z/web] 2026-11-21T07:00:00.123456789Z {line}"
    ),
    "fluentd on standard output": lambda line: (
        f"2026-11-21 07:00:00.000000000 +0000 docker.web: {in_record(line, stream='stderr')}"
    ),
    "fluentd in a file": lambda line: f"2026-11-21T07:00:00+00:00\tkube.web\t{in_record(line)}",
    "Fluent Bit on standard output": lambda line: (
        f"[0] kube.web: [[1795244400.100200300, {{}}], {arrows(line)}]"
    ),
    "Fluent Bit 1 on standard output": lambda line: f"[0] kube.web: [1795244400.100200300, {arrows(line)}]",
    "Fluent Bit in a file": lambda line: f"kube.web: [1795244400.100200300, {in_record(line)}]",
    "supervisor": lambda line: f"web_00                           | {line}",
    "docker's builder": lambda line: f"#12 1.234 {line}",
    "docker service logs": lambda line: f"shop_web.1.x2x4z0a1b2c3@node1    | {line}",
    "GitLab's runner": lambda line: f"2026-11-21T07:00:00.123456Z 01O {line}",
    "logcli": lambda line: f'2026-11-21T07:00:00Z {{app="web", pod="web-1"}} {line}',
    "multilog": lambda line: f"@4000000068fb1f0a1b2c3d04 {line}",
    "mpirun": lambda line: f"[1,0]<stderr>:{line}",
    "torchrun": lambda line: f"[default0]:{line}",
    "a worker that names itself": lambda line: f"[pid: 77] {line}",
    "a program that names itself": lambda line: f"shop[31]: {line}",
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("text", [PYTHON, JAVA, NODE], ids=["python", "java", "javascript"])
def test_a_trace_is_one_event_whoever_wrote_its_lines(name, text):
    write = WRITTEN[name]
    lines = [f"{write(line)}\n" for line in ["INFO shop up", *text.splitlines(), "INFO shop goes on"]]
    (bare,) = find(text)

    (event,) = find("".join(lines))

    assert event.block == "".join(lines[1:-1])
    assert (event.type, event.message, event.fingerprint) == (bare.type, bare.message, bare.fingerprint)


@pytest.mark.parametrize("name", [name for name in WRITTEN if "torchrun" not in name])
def test_the_level_of_a_line_is_found_whoever_wrote_it(name):
    write = WRITTEN[name]
    lines = [f"{write(line)}\n" for line in ["INFO up", "2026-11-21 07:00:00,123 ERROR shop.cart disk full"]]

    (event,) = find("".join(lines))

    assert event.block == lines[1]
    assert event.message.endswith("disk full")


@pytest.mark.parametrize("text", [PYTHON, NODE.replace("    at", "\tat")], ids=["python", "javascript"])
def test_a_program_may_log_each_line_of_a_trace_by_a_logger_of_one_word(text):
    lines = "".join(f"2026-11-21 07:00:00,123 ERROR shop {line}\n" for line in text.splitlines())

    (event,) = find(lines)

    assert event.block == lines
    assert event.exceptions[0].frames


@pytest.mark.parametrize("carry", [str, docker], ids=["bare", "docker"])
@pytest.mark.parametrize("word", ["stderr ", "stderr: ", "stderr | ", "shop[31] ", "shop> "])
@pytest.mark.parametrize("text", [PYTHON, JAVA, NODE, DOTNET, TERMINATED], ids=lambda text: text.split()[0])
def test_a_word_before_each_line_of_a_trace_is_no_part_of_it(text, word, carry):
    own = [f"{word}{line}\n" for line in text.splitlines()]
    lines = [carry(line) for line in ["INFO up\n", *own, f"{word}INFO on\n"]]

    (event,) = find("".join(lines))

    assert event.block == "".join(lines[1:-1])
    assert (event.type, len(event.exceptions)) == (find(text)[0].type, len(find(text)[0].exceptions))


AGGREGATE = """\
[AggregateError: All promises were rejected] {
  [errors]: [
    Error: shelf is empty
        at take (/srv/shop/shelf.js:1:29),
    TypeError: order is undefined
        at charge (/srv/shop/pay.js:7:11)
  ]
}
"""


APACHE = "[Sat Nov 21 07:00:00.123456 2026] [wsgi:error] [pid 31:tid 1] [client 10.0.0.7:53422] "
LEADS = [APACHE, "ERROR:    ", "07:00:00.123 [http-1] ERROR c.acme.Shop - "]


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        *((text, lead) for text in (PYTHON, JAVA, NODE, DOTNET) for lead in LEADS),
        *((AGGREGATE, lead) for lead in LEADS[1:]),
    ],
)
def test_a_trace_each_line_of_which_is_logged_as_an_error_is_one_event(text, lead):
    lines = "".join(f"{lead}{line}\n" for line in text.splitlines())
    (bare,) = find(text)

    (event,) = find(lines)

    assert event.block == lines
    assert (event.type, event.message) == (bare.type, bare.message)
    assert len(event.exceptions) == len(bare.exceptions)


def test_blanks_at_the_end_of_its_lines_change_nothing():
    text = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    run()\nKeyboardInterrupt\n'

    (event,) = find(text.replace("\n", "  \n"))

    assert (event.type, event.message) == ("KeyboardInterrupt", "")


def test_of_two_readings_of_a_record_the_one_of_more_lines_counts():
    text = "Error: no such file\n    at Object.<anonymous> (/srv/my shop/index.js:2:9)\n    at /srv/my shop/a.js:3:1\n"

    (event,) = find(json.dumps({"level": "error", "message": "failed", "stack": text}) + "\n")

    assert (event.language, event.type, event.message) == ("javascript", "Error", "no such file")


@pytest.mark.parametrize("sign", ["> ", "# ", "// ", "* ", "+ ", "see "])
def test_what_quotes_a_trace_is_no_word_before_its_lines(sign):
    first, *rest = PYTHON.splitlines(keepends=True)
    quoted = f"{sign}{first}" + "".join(rest if sign == "see " else [f"{sign}{line}" for line in rest])

    assert find(quoted) == []


def test_a_record_that_tells_a_level_is_believed():
    assert find(in_record("ERROR is but a word here", level="info") + "\n") == []


def test_a_record_without_words_is_no_event():
    assert find('{"severity":"ERROR","textPayload":"","insertId":"a"}\n') == []


def test_blank_lines_of_a_program_do_not_part_what_its_carrier_calls_an_error():
    text = f"/srv/shop/pay.js:7\n  order.total\n        ^\n\n{NODE}\nNode.js v22.11.0\n"
    lines = "".join(f"<11>1 2026-11-21T07:00:00Z web1 shop 31 - - {line}\n" for line in text.splitlines())

    (event,) = find(lines)

    assert event.block == lines
