"""Corner cases 66 to 68: traces in records, and coloured ones."""

import json

import pytest
from corner_scene import DOTNET, JAVA, NODE, PLAIN, PYTHON, find, only


def logfmt(**fields):
    return " ".join(f"{name}={json.dumps(value)}" for name, value in fields.items()) + "\n"


RECORDS = {
    "python logging": (json.dumps({"level": "ERROR", "message": "order lost", "exc_info": PYTHON}), PYTHON),
    "stack": (json.dumps({"level": "error", "message": "order lost", "stack": NODE}), NODE),
    "err and stack": (
        json.dumps({"level": 50, "msg": "order lost", "err": {"type": "TypeError", "stack": NODE}}),
        NODE,
    ),
    "logfmt": (logfmt(level="error", msg="order lost", err="order is undefined", stack=NODE), NODE),
    "clef": (
        json.dumps(
            {"@t": "2026-11-21T07:00:00Z", "@l": "Error", "@m": "order lost", "@x": DOTNET.rstrip("\n")}
        ),
        DOTNET,
    ),
    "ecs": (
        json.dumps({"log.level": "ERROR", "message": "order lost", "error": {"stack_trace": JAVA}}),
        JAVA,
    ),
    "ecs, flat": (
        json.dumps({"log.level": "ERROR", "message": "order lost", "error.stack_trace": JAVA}),
        JAVA,
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_case_66_a_record_with_a_trace_in_a_field_is_one_event(name):
    record, trace = RECORDS[name]
    (bare,) = find(trace)

    event = only(record.rstrip("\n") + "\n")

    assert (event.type, event.message, event.exceptions) == (bare.type, bare.message, bare.exceptions)
    assert event.frames
    assert (event.headline, event.severity) == ("order lost", "error")
    assert event.fingerprint == bare.fingerprint


@pytest.mark.parametrize("indent", [1, 2, 4, "\t"])
def test_case_67_a_record_printed_over_several_lines_is_one_event(indent):
    record = {
        "level": "ERROR",
        "context": {"order": {"id": 7, "note": "a } in a text {"}, "tags": ["x", "y"]},
        "message": "order lost",
        "exc_info": PYTHON,
        "host": {"name": "web-1"},
    }

    event = only(json.dumps(record, indent=indent) + "\n")

    assert (event.type, event.message) == ("shop.errors.CardRefused", "card of ada refused")
    assert (event.headline, len(event.frames)) == ("order lost", 2)


def test_case_66_a_stack_that_is_a_list_is_written_under_its_error():
    calls = [
        '  File "/var/task/app.py", line 5, in handler\n    return event["x"]\n',
        '  File "/var/task/b.py", line 9, in f\n',
    ]
    python = {"level": "ERROR", "errorType": "KeyError", "errorMessage": "'x'", "stackTrace": calls}
    java = {"class": "com.acme.NoPrice", "message": "lamp", "frames": ["\tat com.acme.A.b(A.java:3)"]}

    of_python = only(json.dumps(python) + "\n")
    of_java = only(json.dumps({"level": "ERROR", "message": "order lost", "exception": java}) + "\n")

    assert (of_python.type, of_python.message, len(of_python.frames)) == ("KeyError", "'x'", 2)
    assert (of_java.type, of_java.message, len(of_java.frames)) == ("com.acme.NoPrice", "lamp", 1)


def test_case_67_records_printed_over_several_lines_are_an_event_each():
    one = json.dumps({"level": "ERROR", "msg": "first", "stack": NODE}, indent=2) + "\n"
    other = json.dumps({"level": "ERROR", "msg": "second", "exc_info": PYTHON}, indent=2) + "\n"

    events = find(one + other)

    assert [(event.headline, event.block) for event in events] == [("first", one), ("second", other)]


COLOURED = {
    "python 3.13": (
        "Traceback (most recent call last):\n"
        '  File \x1b[35m"/srv/shop/cart.py"\x1b[0m, line \x1b[35m41\x1b[0m, in \x1b[35mcheckout\x1b[0m\n'
        "    \x1b[31mcharge\x1b[0m\x1b[1;31m(order)\x1b[0m\n"
        "    \x1b[31m~~~~~~\x1b[0m\x1b[1;31m^^^^^^^\x1b[0m\n"
        "\x1b[1;35mValueError\x1b[0m: \x1b[35mno such card\x1b[0m\n",
        ("ValueError", "no such card"),
    ),
    "ruby full_message": (
        "/srv/shop/pay.rb:7:in `charge': \x1b[1mno such card (\x1b[1;4mArgumentError\x1b[m\x1b[1m)\x1b[m\n"
        "\tfrom /srv/shop/cart.rb:41:in `checkout'\n"
        "\tfrom /srv/shop/app.rb:3:in `<main>'\n",
        ("ArgumentError", "no such card"),
    ),
    "color-eyre": (
        "Error: \n"
        "   0: \x1b[91mcannot charge the order\x1b[0m\n"
        "   1: \x1b[91mno such card\x1b[0m\n"
        "\n"
        "Location:\n"
        "   \x1b[35msrc/pay.rs\x1b[0m:\x1b[35m7\x1b[0m\n"
        "\n"
        "Backtrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.\n"
        "Run with RUST_BACKTRACE=full to include source snippets.\n",
        None,
    ),
    "color-eyre panic": (
        "The application panicked (crashed).\n"
        "Message:  \x1b[36mno such card\x1b[0m\n"
        "Location: \x1b[35msrc/pay.rs\x1b[0m:\x1b[35m7\x1b[0m\n"
        "\n"
        "Backtrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.\n"
        "Run with RUST_BACKTRACE=full to include source snippets.\n",
        None,
    ),
    "node inspect": (
        "\x1b[31merror\x1b[39m: TypeError: no such card\n"
        "    at charge (/srv/shop/pay.js:7:11)\n"
        "\x1b[90m    at node:internal/main/run_main_module:28:49\x1b[39m\n",
        ("TypeError", "no such card"),
    ),
}


@pytest.mark.parametrize("name", COLOURED)
def test_case_68_a_coloured_trace_is_one_event_and_its_raw_text_is_kept(name):
    text, wanted = COLOURED[name]

    event = only(text)

    if wanted:
        assert (event.type, event.message) == wanted
    assert "\x1b" in event.block
    assert "\x1b" not in event.type + event.message + "".join(frame.file for frame in event.frames)
    assert "no such card" in " ".join(raised.message for raised in event.exceptions)


def test_case_68_a_coloured_failure_of_pytest_is_one_event_and_its_raw_text_is_kept():
    text = (
        "\x1b[31m\x1b[1m_______________________________ test_charge ________________________________\x1b[0m\n"
        "\n"
        "    \x1b[0m\x1b[94mdef\x1b[39;49;00m \x1b[92mtest_charge\x1b[39;49;00m():\x1b[90m\x1b[39;49;00m\n"
        ">       charge(\x1b[94mNone\x1b[39;49;00m)\x1b[90m\x1b[39;49;00m\n"
        "\n"
        "\x1b[1m\x1b[31mtests/test_pay.py\x1b[0m:9: \n"
        "_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ \n"
        "\n"
        "    \x1b[0m\x1b[94mdef\x1b[39;49;00m \x1b[92mcharge\x1b[39;49;00m(order):\x1b[90m\x1b[39;49;00m\n"
        ">       \x1b[94mraise\x1b[39;49;00m \x1b[96mValueError\x1b[39;49;00m(\x1b[33mno such card\x1b[39;49;00m)\n"
        "\x1b[1m\x1b[31mE       ValueError: no such card\x1b[0m\n"
        "\n"
        "\x1b[1m\x1b[31mshop/pay.py\x1b[0m:7: ValueError\n"
    )

    events = find(PLAIN + text)

    assert [(event.type, event.message) for event in events] == [("ValueError", "no such card")]
    assert "\x1b[31mE       ValueError" in events[0].block
