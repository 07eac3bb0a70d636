"""Records as JSON, and back."""

import base64
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from aiops_core import Change, ChangedFile, Event, LogBatch, replace
from aiops_core.plain import from_plain, from_text, to_plain, to_text

CONTENT = bytes(range(256)) * 3
CHANGE = Change("0" * 40, "main", (ChangedFile("a.bin", CONTENT), ChangedFile("b.txt", None)), "diff")


AT_ONCE = """
import sys, threading, time
import msgspec._utils as looking
from aiops_core import Event, Frame, RaisedException
from aiops_core.plain import {name}, to_{form}

look = looking._forward_ref
looking._forward_ref = lambda name: time.sleep(0.002) or look(name)
event = Event("E", exceptions=(RaisedException("E", frames=(Frame("a.py", 1),)),))
told = to_{form}(event)

def read(after):
    time.sleep(after)
    assert {name}(Event, told) == event
    sys.stdout.write("read\\n")

for number in range(20):
    threading.Thread(target=read, args=(number * 0.004,)).start()
"""


class Text(str):
    __slots__ = ()


def test_a_record_comes_back_as_it_was():
    assert from_text(Change, to_text(CHANGE)) == CHANGE
    assert from_plain(Change, to_plain(CHANGE)) == CHANGE


def test_a_change_of_the_first_versions_is_read_whose_bytes_stand_in_the_alphabet_of_urls():
    plain = to_plain(CHANGE)
    plain["files"][0]["content"] = base64.urlsafe_b64encode(CONTENT).decode()

    assert "_" in plain["files"][0]["content"]
    assert from_plain(Change, plain) == CHANGE
    assert from_text(Change, to_text(plain)) == CHANGE


def test_plain_values_are_what_json_gives_back():
    batch = LogBatch(
        "a", b"x\n", ((0, {}), (2, {"offset": 2})), attributes=MappingProxyType({"host": Text("h")})
    )

    assert to_plain(batch)["marks"] == [[0, {}], [2, {"offset": 2}]]
    assert to_plain(batch)["attributes"] == {"host": "h"}
    assert to_plain({"at": Path("/srv")}) == {"at": "/srv"}


def test_half_of_a_character_is_kept_as_an_escape():
    event = Event("E", "a\ud800b", attributes={"k": "\udcff"})

    told = from_text(Event, to_text(event))

    assert told == replace(event, message="a\\ud800b", attributes={"k": "\\udcff"})


@pytest.mark.parametrize("form", ["text", "plain"])
def test_threads_may_read_a_type_for_the_first_time_at_once(form):
    code = AT_ONCE.format(name=f"from_{form}", form=form)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "read\n" * 20), done.stderr


@pytest.mark.parametrize("value", [{"message": 3, "type": "E"}, {"message": "no type"}, [], None])
def test_what_is_no_record_is_refused(value):
    with pytest.raises(ValueError, match=r"Expected|missing"):
        from_plain(Event, value)


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError, match="object is no JSON"):
        to_plain(Event("E", attributes={"k": object()}))
