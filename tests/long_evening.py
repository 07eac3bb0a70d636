"""An evening of a pipeline by a clock of its own, which may be killed and begun again: it goes on where it stood.

Who was told of what is appended to `told`, as target and key.
"""

import os
from datetime import datetime, timedelta

from notice_scene import NOON, Clock, Scene

from aiops_core.errors import Retry
from aiops_core.respond import tending

MORE = """\
    notices: {storm: {messages: 3, within: 10m, incidents: 2, analyse: 1}, resolve_after: 90m, cool_down: 1m, remind: 20m, give_up_after: 1h}
"""
TARGETS = ("mail", "moody", "dead")


class Kept(Clock):
    """A clock that stands where it stood when the program was killed."""

    def __init__(self, path):
        self._path = path
        text = path.read_text() if path.exists() else ""
        super().__init__(datetime.fromisoformat(text) if text else NOON)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "now":
            partial = self._path.with_suffix(".partial")
            partial.write_text(value.isoformat())
            partial.replace(self._path)


class Ledger:
    """What a notifier writes down: who takes a message, who refuses it at first, and who never takes one."""

    served, tried = [], []

    def __init__(self, directory, target):
        self._directory, self._target = directory, target
        self.hangs = self
        self.got = self

    def wait(self, seconds):
        return True

    @property
    def trouble(self):
        key = self.tried[-1].key
        if self._target == "mail":
            return None
        path = self._directory / "refused"
        before = path.read_text().splitlines() if path.exists() else []
        line = f"{self._target} {key}"
        if self._target == "moody" and before.count(line) >= 2:
            return None
        self._append("refused", line)
        return Retry("not now")

    def append(self, report):
        self._append("told", f"{self._target} {report.key}")

    def _append(self, name, line):
        file = os.open(self._directory / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{line}\n".encode())
        os.close(file)


def evening(scene):
    """Yield what happens, one step after the other."""
    yield lambda: scene.happen("f1", severity="critical"), timedelta(minutes=3)
    for number in range(2, 8):
        yield (
            lambda number=number: scene.happen(f"f{number}", times=number, service="cart"),
            timedelta(seconds=20),
        )
    yield lambda: None, timedelta(minutes=40)
    yield lambda: scene.happen("f1", times=3), timedelta(minutes=30)
    yield lambda: scene.happen("f3", status="resolved"), timedelta(minutes=50)
    yield lambda: scene.happen("f2"), timedelta(minutes=50)
    for name in ("g1", "g2"):
        yield lambda name=name: scene.happen(name), timedelta(minutes=50)


def main(directory):
    tending.EVERY = timedelta(minutes=10)
    clock = Kept(directory / "clock")
    scene = Scene(directory, MORE, names=TARGETS, clock=clock)
    for name in TARGETS:
        scene.pipeline.step("notifiers", name).component.log = Ledger(directory, name)
    scene.store.deliveries.recover()
    scene.responder.recover()
    due, now = NOON, clock.now
    for happens, time in evening(scene):
        if now <= due:
            clock.now = due
            scene.count = 0
            happens()
        due += time
        if clock.now < due:
            scene.wait(seconds=(due - clock.now).total_seconds())
    scene.close()
