"""What carries lines: docker, CRI, syslog, records, and several writers in one stream."""

import json
import random
from itertools import count, zip_longest

import pytest

from aiops_core.catalogue import Catalogue
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.text.blocks import Cutter
from aiops_core.text.carriers import as_written

PYTHON = """Traceback (most recent call last):
  File "/app/shop.py", line 12, in sell
    total = price / {n}
ZeroDivisionError: division by zero in {name}
"""
JAVA = """java.lang.IllegalStateException: no stock in {name}
\tat com.acme.Shop.sell(Shop.java:12)
\tat com.acme.Main.main(Main.java:3)
Caused by: java.io.IOException: closed
\tat com.acme.Store.read(Store.java:7)
\t... 1 more
"""


@pytest.fixture(scope="module")
def detection(tmp_path_factory):
    catalogue = Catalogue()
    names = ("python", "java", "javascript", "go", "php", "kernel", "levels")
    directory = tmp_path_factory.mktemp("plugins")
    return Detection([(name, catalogue.load("detectors", name, directory)()) for name in names])


def detect(detection, text, step=0):
    data = text if isinstance(text, bytes) else text.encode()
    cutter, claims = Cutter(detection.grammar, 0), []
    lines = data.splitlines(keepends=True)
    for at in range(0, len(lines), step or len(lines) or 1):
        claims += cutter.feed(b"".join(lines[at : at + (step or len(lines))]))[0]
    batch = LogBatch("s", data, ((0, {}), (len(data), {})))
    claims = sorted([*claims, *cutter.flush()], key=lambda claim: claim.start)
    return [event for claim in claims for event in detection.events(claim, batch=batch)]


def docker(line, stream="stderr", end="\n"):
    return json.dumps({"log": line + end, "stream": stream, "time": "2026-11-21T07:00:00.1Z"}) + "\n"


def cri(line, stream="stderr", tag="F"):
    return f"2026-11-21T07:00:00.123456789Z {stream} {tag} {line}\n"


def syslog(line, app="shop", pid="12", priority=14):
    return (
        f'<{priority}>1 2026-11-21T07:00:00Z host1 {app} {pid} - [aiops@32473 unit="{app}.service"] {line}\n'
    )


def bsd(line, app="shop", pid="12"):
    return f"Nov 21 07:00:00 host1 {app}[{pid}]: {line}\n"


def hostless(line, app="shop", pid="12"):
    """As docker's syslog driver writes, and any program through libc."""
    return f"<14>Nov 21 07:00:00 docker/{app}[{pid}]: {line}\n"


def pidless(line, app="shop", pid=""):
    return f"<14>Nov 21 07:00:00 {app}: {line}\n"


def yearly(line, app="shop", pid="12"):
    return f"<14>Nov 1 2026 07:00:00.123 host1 {app}[{pid}]: {line}\n"


def full(line, app="shop", pid="12"):
    """As ``journalctl -o short-full`` and ``-o with-unit`` write."""
    return f"Sat 2026-11-21 07:00:00 UTC host1 {app}.service[{pid}]: {line}\n"


def chinese(line, app="shop", pid="12"):
    return f"六 2026-11-21 15:00:00 CST host1 {app}.service[{pid}]: {line}\n"


def monotonic(line, app="shop", pid="12"):
    return f"[ 9000.410000] host1 {app}[{pid}]: {line}\n"


def delta(line, app="shop", pid="12"):
    return f"[ 9000.410000 <    0.010000 >] host1 {app}[{pid}]: {line}\n"


def bracket(line, app="p1", pid=""):
    return f"[{app}] {line}\n"


def compose(line, app="web", pid="1"):
    return f"\x1b[36m{app}-{pid}  | \x1b[0m{line}\n"


def named(line, app="web", pid=""):
    """As compose writes where ``container_name`` is set."""
    return f"{app}    | {line}\n"


def stern(line, app="web", pid=""):
    return f"\x1b[31mshop-6d4b75cb6d-hwx8k\x1b[0m \x1b[32m{app}\x1b[0m {line}\n"


def kubectl(line, app="web", pid="2"):
    return f"[pod/shop-{pid}/{app}] {line}\n"


def foreman(line, app="web", pid="1"):
    return f"10:00:00 {app}.{pid}  | {line}\n"


def heroku(line, app="web", pid="1"):
    return f"2026-11-21T07:00:00.123456+00:00 app[{app}.{pid}]: {line}\n"


def ray(line, app="train", pid="12"):
    return f"({app} pid={pid}, ip=10.0.0.7) {line}\n"


def shipped(line, app="shop", pid="12"):
    """A record of docker as shippers pass it on: the line end is gone, the pod is named."""
    pod = {"pod_name": f"{app}-{pid}", "container_name": app}
    return json.dumps({"log": line, "stream": "stderr", "kubernetes": pod}) + "\n"


def journal(line, app="shop", pid="12"):
    fields = {"__REALTIME_TIMESTAMP": "1795244400000000", "_COMM": app, "_PID": pid, "PRIORITY": "6"}
    return json.dumps({**fields, "MESSAGE": line}) + "\n"


def cloud(line, app="shop", pid="12"):
    labels = {"pod_name": app, "pid": pid}
    return (
        json.dumps({"resource": {"labels": labels}, "severity": "DEFAULT", "textPayload": line + "\n"}) + "\n"
    )


NAMED = {
    "opentelemetry": lambda app: {"resource": {"service.name": app, "host.name": "h"}},
    "pod": lambda app: {"resource": {"k8s.pod.name": app}},
    "flat": lambda app: {"k8s.pod.name": app, "k8s.namespace.name": "shop"},
    "collected": lambda app: {"attributes": {}, "log.file.path": f"/var/log/{app}.log"},
    "filebeat": lambda app: {"log": {"offset": 7, "file": {"path": f"/var/log/{app}.log"}}},
    "filebeat-container": lambda app: {"container": {"id": app, "runtime": "docker"}},
    "vector": lambda app: {"file": f"/var/log/{app}.log", "host": "h"},
    "stern": lambda app: {"podName": app, "namespace": "shop", "nodeName": "n"},
    "cloudwatch": lambda app: {"logGroupName": "shop", "logStreamName": app},
    "insights": lambda app: {"@logStream": app, "@log": "1:shop"},
    "fluentd": lambda app: {"kubernetes": {"pod_id": app}},
}


def recorded(by):
    """Return how lines are carried in records that name their writer ``by`` some field."""

    def carry(line, app="shop", pid="12"):
        return json.dumps({"time": "2026-11-21T07:00:00Z", "message": line, **NAMED[by](app)}) + "\n"

    return carry


def logfmt(line, app="shop", pid="12"):
    return f"ts=2026-11-21T07:00:00Z level=info service={app} pid={pid} msg={json.dumps(line)}\n"


def php_fpm(line, app="www", pid="12"):
    return f'[21-Nov-2026 07:00:00] WARNING: [pool {app}] child {pid} said into stderr: "{line}"\n'


TICKS = count()
PREFIXES = {
    "lerna": "{app}: ",
    "turbo": "@acme/{app}:dev: ",
    "pnpm": "packages/{app} dev: ",
    "angle": "<{app}> ",
    "round": "(worker-{pid}) ",
    "uwsgi": "[uWSGI] worker {pid}: ",
    "aws tail": "2026-11-21T07:00:00.{tick}+00:00 ecs/{app}/0a1b2c{pid} ",
    "awslogs": "/ecs/shop ecs/{app}/0a1b2c{pid} ",
    "stern, all namespaces": "prod shop-6d4b75cb6d-hwx8k {app} 2026-11-21T07:00:00.{tick}Z ",
    "loguru": "2026-11-21 07:00:00.{tick} | INFO     | app.{app}:run:20 - ",
    "grep": "logs/{app}.log:",
    "csv": "2026-11-21 07:00:00,{app},",
    "chinese": "【{app}服务】",
    "klog": "I1121 07:00:00.{tick}       {pid} main.go:20] ",
    "logcat": "11-21 07:00:00.{tick}  {pid}  {pid} I AndroidRuntime: ",
    "celery": "[2026-11-21 07:00:00,{tick}: INFO/ForkPoolWorker-{pid}] ",
    "macos": "2026-11-21 07:00:00.{tick}+0000  localhost {app}[{pid}]: ",
}
"""What stands before each line, where nothing but its coming again shows that it names the writer."""


def prefixed(prefix):
    def carry(line, app="shop", pid="12"):
        return prefix.format(app=app, pid=pid, tick=f"{next(TICKS) % 1000:03}") + line + "\n"

    return carry


def aligned(line, app="shop", pid=""):
    """As overmind writes: the longest name has no spaces but one behind it."""
    return f"{app:<4} | {line}\n"


CARRIERS = {
    one.__name__: one
    for one in (
        docker,
        cri,
        syslog,
        bsd,
        hostless,
        pidless,
        yearly,
        full,
        chinese,
        monotonic,
        delta,
        bracket,
        compose,
        named,
        stern,
        kubectl,
        foreman,
        heroku,
        ray,
        shipped,
        journal,
        cloud,
        logfmt,
        php_fpm,
        aligned,
    )
}
CARRIERS |= {by: recorded(by) for by in NAMED} | {kind: prefixed(prefix) for kind, prefix in PREFIXES.items()}


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize(("trace", "language"), [(PYTHON, "python"), (JAVA, "java")])
def test_a_carried_trace_is_one_event_of_what_its_program_wrote(detection, carry, trace, language):
    trace = trace.format(n=1, name="a")
    bare = detect(detection, trace)[0]

    text = carry("starting") + "".join(map(carry, trace.splitlines())) + carry("going on")
    (event,) = detect(detection, text)

    first, last = len(carry("starting").encode()), len(text.encode()) - len(carry("going on").encode())
    assert (event.language, event.type, event.message) == (language, bare.type, bare.message)
    assert (event.exceptions, event.fingerprint) == (bare.exceptions, bare.fingerprint)
    assert (event.start, event.end) == (first, last)


def interleave(seed, *streams):
    chance, queues, lines = random.Random(seed), [list(stream) for stream in streams], []
    while any(queues):
        queue = chance.choice([queue for queue in queues if queue])
        lines.append(queue.pop(0))
    return "".join(lines)


def writers(kind):
    one, other = PYTHON.format(n=0, name="a").splitlines(), JAVA.format(name="b").splitlines()
    if kind in {"docker", "cri"}:
        carry = docker if kind == "docker" else cri
        return [carry(line, "stderr") for line in one], [carry(line, "stdout") for line in other]
    carry = CARRIERS[kind]
    return [carry(line, "p1", "1") for line in one], [carry(line, "p2", "2") for line in other]


@pytest.mark.parametrize("kind", CARRIERS)
@pytest.mark.parametrize("seed", range(6))
def test_interleaved_writers_give_separate_complete_events(detection, kind, seed):
    text = interleave(seed, *writers(kind))

    events = detect(detection, text)

    found = sorted((event.language, len(event.frames), len(event.exceptions)) for event in events)
    assert found == [("java", 2, 2), ("python", 1, 1)]
    for step in (1, 2, 3):
        again = detect(detection, text, step)
        assert [(event.start, event.end, event.fingerprint) for event in again] == [
            (event.start, event.end, event.fingerprint) for event in events
        ]


@pytest.mark.parametrize("kind", sorted(CARRIERS.keys() - {"docker", "cri", "php_fpm"}))
def test_an_event_of_another_writer_parts_no_trace_from_its_head(detection, kind):
    one, other = writers(kind)
    text = other[0] + "".join(one) + "".join(other[1:])
    events = detect(detection, text * 3)

    found = sorted((event.language, len(event.exceptions)) for event in events)
    assert found == sorted([("java", 2), ("python", 1)] * 3)


PHP = """[21-Nov-2026 07:00:00 UTC] PHP Fatal error:  Uncaught LogicException: no rate in /app/i.php:2
Stack trace:
#0 /app/i.php(3): vat()
#1 {main}
  thrown in /app/i.php on line 2
"""
VIEWERS = {
    "compose": "web-1    | 2026-11-21T07:00:00.{tick}Z ",
    "kubectl": "[pod/shop-2/web] 2026-11-21T07:00:00.{tick}Z ",
    "jenkins": "[2026-11-21T07:00:00.{tick}Z] ",
    "pm2": "0|api      | 2026-11-21T07:00:00: ",
    "maven": "[INFO] ",
    "turbo": "web:dev: ",
}


@pytest.mark.parametrize("prefix", VIEWERS.values(), ids=VIEWERS)
def test_what_a_viewer_put_before_each_line_is_told_from_the_time_of_the_program(detection, prefix):
    carry = prefixed(prefix)

    (event,) = detect(detection, "".join(map(carry, PHP.splitlines())) + carry("going on"))

    assert (event.language, event.type, len(event.frames)) == ("php", "LogicException", 2)


@pytest.mark.parametrize("viewer", ["compose", "kubectl", "pm2", "turbo"])
def test_viewers_of_several_programs_leave_their_own_times_to_them(detection, viewer):
    prefix = VIEWERS[viewer]
    one, other = prefixed(prefix), prefixed(prefix.replace("web", "jobs").replace("0|api ", "1|mail"))
    lines = zip_longest(map(one, PHP.splitlines()), map(other, PYTHON.format(n=0, name="a").splitlines()))
    text = "".join(line or "" for pair in lines for line in pair) + one("going on") + other("going on")

    found = {(event.language, event.type, len(event.frames)) for event in detect(detection, text)}

    assert found == {("php", "LogicException", 2), ("python", "ZeroDivisionError", 1)}


def test_a_word_before_the_first_lines_of_a_report_names_no_writer(detection):
    text = """\
[  599.875361] rcu: INFO: rcu_sched self-detected stall on CPU
[  599.881199] rcu: \t0-....: (105000 ticks this GP) idle=2f6/1/0x4000000000000002 softirq=23001/23001
[  599.896509] NMI backtrace for cpu 0
[  599.896510] Call Trace:
[  599.896511]  dump_stack+0x1c6/0x28c
[  599.896512]  snd_seq_write+0x1a6/0x5c0
"""
    (event,) = detect(detection, text)

    assert len(event.frames) == 2


def test_a_word_before_the_lines_of_a_trace_alone_is_taken_off(detection):
    lines = "".join(f"stderr: {line}\n" for line in PYTHON.format(n=0, name="a").splitlines())

    (event,) = detect(detection, f"starting\n{lines}it failed\n")

    assert (event.type, event.message, len(event.frames)) == ("ZeroDivisionError", "division by zero in a", 1)


@pytest.mark.parametrize("quoted", ["> ", "# ", "* "])
def test_what_quotes_a_trace_names_no_writer(detection, quoted):
    assert (
        detect(detection, "".join(f"{quoted}{line}\n" for line in PYTHON.format(n=0, name="a").splitlines()))
        == []
    )


def test_only_the_first_line_of_a_record_in_a_container_names_its_process(detection):
    lines = f"2026/11/21 07:00:00 [error] 4711#4711: *3 said {JAVA.format(name='a')}".splitlines()
    text = "".join(docker(line) + docker("fine", stream="stdout") for line in lines)

    (event,) = detect(detection, text)

    assert (event.type, len(event.frames), len(event.exceptions)) == ("java.lang.IllegalStateException", 2, 2)


@pytest.mark.parametrize("carry", [docker, cri, compose, stern, kubectl])
def test_what_a_message_says_before_a_trace_names_no_writer(detection, carry):
    lines = f"2026-11-21 07:00:00 ERROR SQLSTATE[HY000] [2002] refused {JAVA.format(name='a')}".splitlines()

    (event,) = detect(detection, "".join(map(carry, lines)))

    assert (event.type, len(event.frames), len(event.exceptions)) == ("java.lang.IllegalStateException", 2, 2)


@pytest.mark.parametrize("file", ["shop.py", "/app/shop.py:{n}", "/app/shop.go:{n})"])
def test_the_place_in_the_code_that_logged_names_no_writer(detection, file):
    trace = PYTHON.format(n=0, name="a").splitlines()
    lines = ({"message": line, "file": file.format(n=n)} for n, line in enumerate(trace))

    (event,) = detect(detection, "".join(json.dumps(line) + "\n" for line in lines))

    assert (event.type, len(event.frames)) == ("ZeroDivisionError", 1)


def test_an_event_has_the_service_and_the_release_of_the_records_that_carried_its_lines(detection):
    lines = PYTHON.format(n=0, name="a").splitlines()
    records = ({"message": line, "service": {"name": "shop", "version": "1.4.2"}} for line in lines)

    (event,) = detect(detection, "".join(json.dumps(record) + "\n" for record in records))

    assert (event.attributes["service"], event.attributes["service.version"]) == ("shop", "1.4.2")


def test_a_trace_each_line_of_which_is_a_record_of_an_error_is_one_event(detection):
    trace = PYTHON.format(n=0, name="a").splitlines()
    lines = ["cannot sell", *trace, "cannot sell again"]

    events = detect(detection, "".join(json.dumps({"level": "error", "msg": line}) + "\n" for line in lines))

    assert [(event.type, event.message) for event in events] == [
        ("ZeroDivisionError", "division by zero in a"),
        ("LogError", "cannot sell again"),
    ]
    assert events[0].start == 0


@pytest.mark.parametrize("carry", [docker, cri])
def test_the_pieces_of_a_split_line_are_joined(detection, carry):
    trace = PYTHON.format(n=0, name="x" * 50).splitlines()
    split = (docker(trace[3][:30], end="") if carry is docker else cri(trace[3][:30], tag="P")) + carry(
        trace[3][30:]
    )

    (event,) = detect(detection, "".join(map(carry, trace[:3])) + split + carry("next"))

    assert event.message == "division by zero in " + "x" * 50


RECORDS = {
    "exc_info": {"level": "ERROR", "message": "cannot sell", "exc_info": PYTHON.format(n=0, name="a")},
    "pino": {"level": 50, "msg": "cannot sell", "err": {"type": "E", "stack": PYTHON.format(n=0, name="a")}},
    "ecs": {
        "log.level": "ERROR",
        "message": "cannot sell",
        "error.stack_trace": PYTHON.format(n=0, name="a"),
    },
    "list": {
        "level": "ERROR",
        "message": "cannot sell",
        "exception": PYTHON.format(n=0, name="a").splitlines(),
    },
    "inside": {"severity": "ERROR", "message": "cannot sell\n" + PYTHON.format(n=0, name="a")},
    "structlog": {
        "level": "error",
        "event": "cannot sell",
        "exception": [
            {
                "exc_type": "ZeroDivisionError",
                "exc_value": "division by zero in a",
                "frames": [{"filename": "/app/shop.py", "lineno": 12, "name": "sell"}],
            }
        ],
    },
}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("carry", [str, docker, cri, syslog])
def test_a_trace_inside_a_record_is_one_event_with_its_message_as_headline(detection, name, carry):
    line = json.dumps(RECORDS[name])
    carried = line + "\n" if carry is str else carry(line)

    (event,) = detect(detection, "before\n" + carried + "after\n")

    assert (event.type, event.message) == ("ZeroDivisionError", "division by zero in a")
    assert (event.start, event.end) == (7, 7 + len(carried))
    assert event.headline == "cannot sell"
    assert event.severity == "error"
    assert [frame.file for frame in event.frames] == ["/app/shop.py"]


def test_a_record_spread_over_lines_is_one_event(detection):
    text = json.dumps(RECORDS["exc_info"], indent=2) + "\n"

    for step in (0, 1):
        (event,) = detect(detection, "before\n" + text + "after\n", step)

        assert (event.type, event.headline) == ("ZeroDivisionError", "cannot sell")
        assert (event.start, event.end) == (7, 7 + len(text))


def test_a_trace_inside_logfmt_is_one_event(detection):
    trace = PYTHON.format(n=0, name="a").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    line = f'time=2026-11-21T07:00:00Z level=error msg="cannot sell" exc_info="{trace}"\n'

    (event,) = detect(detection, line)

    assert (event.type, event.headline, event.severity) == ("ZeroDivisionError", "cannot sell", "error")


def test_a_headline_is_joined_inside_a_carrier(detection):
    lines = ["2026-11-21 07:00:00,000 ERROR shop: cannot sell", *PYTHON.format(n=0, name="a").splitlines()]

    for carry in (docker, cri, syslog, bsd):
        (event,) = detect(detection, "".join(map(carry, lines)))

        assert event.headline.endswith("cannot sell"), carry
        assert event.start == 0


def test_a_syslog_line_of_error_priority_is_an_event_whatever_its_facility(detection):
    lines = [syslog("cannot sell", priority=number) for number in (11, 14, 27)]
    lines.append("<187>Nov 21 07:00:00 host1 sw: link down\n")

    events = detect(detection, "".join(lines))

    assert [(event.message, event.severity) for event in events] == [
        ("cannot sell", "error"),
        ("cannot sell", "error"),
        ("link down", "error"),
    ]


def test_the_level_a_program_writes_comes_before_that_of_its_carrier(detection):
    told = [
        "10:00:00 ERROR [till] cannot sell",
        "10:00:00 INFO [till] sold",
        '{"level":"error","msg":"cannot sell"}',
    ]
    data = "".join(syslog(line, priority=number) for line in told for number in (11, 14))

    events = detect(detection, data)

    assert [(event.severity, event.message) for event in events] == [("error", "cannot sell")] * 4


def test_a_message_below_its_level_is_found_behind_what_a_carrier_writes(detection):
    data = "".join(syslog(line) for line in ("fail: shop.till[0]", "      cannot sell", "info: shop.till[0]"))

    (event,) = detect(detection, data)

    assert (event.type, event.message) == ("shop.till", "cannot sell")


def test_a_syslog_header_without_a_host_is_none_of_the_message(detection):
    lines = [
        "<131>Nov 21 07:00:00 haproxy[2710]: backend shop has no server\n",
        "<11>Nov 21 07:00:00 cart: ERROR cannot sell\n",
        "<11>Nov 21 07:00:00 TimeoutError: none came\n",
    ]

    events = detect(detection, "".join(lines))

    assert [(event.message, dict(event.attributes)) for event in events] == [
        ("backend shop has no server", {"service": "haproxy", "pid": "2710"}),
        ("cannot sell", {"service": "cart"}),
        ("TimeoutError: none came", {}),
    ]


@pytest.mark.parametrize("header", ["<14>shop[{}]: ", "<14>Nov 21 07:00:00 host1 my shop[{}]: "])
def test_two_programs_that_send_no_time_or_have_a_blank_in_their_name_are_told_apart(detection, header):
    traces = [
        [f"{header.format(pid)}{line}\n" for line in PYTHON.format(n=0, name=f"shop {pid}").splitlines()]
        for pid in (7, 8)
    ]

    events = detect(detection, "".join(line for pair in zip(*traces, strict=True) for line in pair))

    assert [(event.message, len(event.frames)) for event in events] == [
        ("division by zero in shop 7", 1),
        ("division by zero in shop 8", 1),
    ]


def test_a_trace_whose_lines_have_a_priority_alone_is_one_event(detection):
    trace = [*PYTHON.format(n=0, name="a").splitlines()[:-1], "requests.exceptions.ConnectTimeout: no answer"]

    (event,) = detect(detection, "".join(f"<14>{line}\n" for line in trace))

    assert (event.type, event.message) == ("requests.exceptions.ConnectTimeout", "no answer")


DEVICES = [
    "<187>237: *Nov 21 07:00:00.123: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<187>237: host1: *Nov 21 07:00:00.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<187>45: 3d4h: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "*Nov 21 07:00:00.123: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "Nov 21 07:00:00 host1 45: Nov 21 07:00:00.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "2026-11-21T07:00:00+00:00 host1 45: Nov 21 07:00:00.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<163>Nov 21 2026 07:00:00: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<163>Nov 21 2026 07:00:00 host1 : %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<163>:Nov 21 07:00:00 UTC: %LINK-3-UPDOWN: Interface Gi0/1 is down",
    "<163>%LINK-3-UPDOWN: Interface Gi0/1 is down",
]


@pytest.mark.parametrize("line", DEVICES)
def test_what_a_router_or_firewall_reports_is_an_event_of_the_level_in_its_code(detection, line):
    (event,) = detect(detection, line + "\n")
    fine = detect(
        detection, line.replace("-3-", "-6-").replace("<187>", "<190>").replace("<163>", "<166>") + "\n"
    )

    assert (event.message, event.severity) == ("%LINK-3-UPDOWN: Interface Gi0/1 is down", "error")
    assert event.attributes.get("host", "host1") == "host1"
    assert fine == []


def test_prose_about_the_code_of_a_router_is_no_error(detection):
    lines = ["we saw %LINK-3-UPDOWN: on the switch", "INFO net: %LINK-3-UPDOWN: 4 times", "100%-3-x: y"]

    assert detect(detection, "\n".join(lines) + "\n") == []


def test_a_trace_whose_lines_have_priority_and_time_alone_is_one_event(detection):
    trace = PYTHON.format(n=0, name="a").splitlines()

    (event,) = detect(detection, "".join(f"<14>Nov 21 07:00:00 {line}\n" for line in trace))

    assert event.type == "ZeroDivisionError"


def test_the_level_and_time_of_a_record_are_those_of_its_event(detection):
    fields = {
        "time": "2026-11-21T07:00:00Z",
        "level": "fatal",
        "msg": "x",
        "stack": PYTHON.format(n=0, name="a"),
    }

    (event,) = detect(detection, json.dumps(fields) + "\n")

    assert (event.severity, event.occurred_at.isoformat()) == ("critical", "2026-11-21T07:00:00+00:00")


@pytest.mark.parametrize("end", ["#012", "\\n"])
def test_a_trace_whose_line_ends_were_written_out_is_one_event(detection, end):
    trace = "ERROR shop: cannot sell\n" + PYTHON.format(n=0, name="a").rstrip()
    line = bsd(trace.replace("\n", end))

    (event,) = detect(detection, bsd("before") + line + bsd("after"))

    assert (event.type, event.start, len(event.frames)) == ("ZeroDivisionError", len(bsd("before")), 1)
    assert event.headline == "ERROR shop: cannot sell"


def test_rsyslog_writes_line_ends_out_in_the_newer_format_too(detection):
    trace = "ERROR shop: cannot sell\n" + PYTHON.format(n=0, name="a").rstrip()
    before = "<14>1 2026-11-21T07:00:00Z host1 shop 12 - - "

    (event,) = detect(detection, f"{before}fine\n{before}{trace.replace(chr(10), '#012')}\n{before}fine\n")

    assert (event.type, len(event.frames)) == ("ZeroDivisionError", 1)
    assert event.headline == "ERROR shop: cannot sell"


def test_a_block_is_told_to_people_as_its_program_wrote_it():
    pieces = docker("  half a ", end="") + docker("line")
    raw = docker("Boom:") + pieces + cri("ended") + syslog("here") + "not carried\n"

    assert as_written(raw) == "Boom:\n  half a line\nended\nhere\nnot carried\n"
    assert as_written("no end") == "no end"


def test_what_the_line_above_says_is_read_of_each_block(detection):
    """AWS Lambda names the exception above, and the calls alone below."""
    calls = [
        "Traceback (most recent call last):",
        '  File "/app/shop.py", line 12, in sell',
        "    take(order)",
    ]
    texts = [
        cri(f"[ERROR] {name}: {number}") + "".join(map(cri, calls))
        for number, name in enumerate(("KeyError", "ValueError", "KeyError"))
    ]

    events = detect(detection, "".join(texts) + cri("INFO bye"))

    assert [(event.type, event.message) for event in events] == [
        ("KeyError", "0"),
        ("ValueError", "1"),
        ("KeyError", "2"),
    ]
