"""All installed detectors over a text, as a pipeline that names none has them."""

import json
from functools import cache

from aiops_core.catalogue import Catalogue
from aiops_core.detection import Detection
from aiops_core.records import LogBatch
from aiops_core.text.blocks import Cutter

PLAIN = "INFO shop up\n"
PYTHON = """\
Traceback (most recent call last):
  File "/srv/shop/cart.py", line 41, in checkout
    charge(order)
  File "/srv/shop/pay.py", line 7, in charge
    raise CardRefused(f"card of {order.name} refused")
shop.errors.CardRefused: card of ada refused
"""
JAVA = """\
java.lang.IllegalStateException: shelf is empty
\tat com.acme.shop.Shelf.take(Shelf.java:31)
\tat com.acme.shop.Main.main(Main.java:9)
Caused by: java.io.IOException: disk is gone
\tat com.acme.shop.Disk.read(Disk.java:77)
\t... 1 more
"""
NODE = """\
TypeError: order is undefined
    at charge (/srv/shop/pay.js:7:11)
    at checkout (/srv/shop/cart.js:41:3)
"""
DOTNET = """\
System.InvalidOperationException: Sequence contains no elements
   at Shop.Cart.Total(Order order) in /src/Cart.cs:line 41
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9
"""


@cache
def all_detectors():
    """Return every installed detector, compiled once."""
    catalogue = Catalogue(discovers=False)
    names = catalogue.unnamed_detectors()
    return Detection([(name, catalogue.find("detectors", name).load()()) for name in names])


def find(text):
    """Return the events in a text, which have to be the same however it is fed."""
    whole = _fed(text, 0)
    for step in (1, 3):
        assert [_seen(event) for event in _fed(text, step)] == [_seen(event) for event in whole], step
    return whole


def only(text, before="INFO shop up\n", after="INFO shop goes on\n"):
    """Return the one event in a text among other lines; all of the text has to be its block."""
    (event,) = find(before + text + after)
    assert (event.start, event.end) == (len(before.encode()), len((before + text).encode())), event.block
    assert event.block == text
    return event


def chain(event):
    """Return how each exception hangs on another, its type and its message."""
    return [(raised.link, raised.parent, raised.type, raised.message) for raised in event.exceptions]


def places(event):
    """Return function and line of every frame, exception by exception."""
    return [[(frame.function, frame.line) for frame in raised.frames] for raised in event.exceptions]


def _fed(text, step):
    detection = all_detectors()
    data = text if isinstance(text, bytes) else text.encode()
    cutter, claims = Cutter(detection.grammar, 0), []
    lines = data.splitlines(keepends=True)
    for at in range(0, len(lines), step or len(lines) or 1):
        claims += cutter.feed(b"".join(lines[at : at + (step or len(lines))]))[0]
    claims = sorted([*claims, *cutter.flush()], key=lambda claim: claim.start)
    batch = LogBatch("s", data, ((0, {}), (len(data), {})))
    return [event for claim in claims for event in detection.events(claim, batch=batch)]


def _seen(event):
    return event.start, event.end, event.type, event.message, event.severity, event.fingerprint


def docker(log, stream="stdout", time="2026-11-21T07:00:00.123456789Z"):
    return json.dumps({"log": log, "stream": stream, "time": time}) + "\n"


def cri(text, stream="stdout", tag="F"):
    return f"2026-11-21T07:00:00.123456789Z {stream} {tag} {text}\n"
