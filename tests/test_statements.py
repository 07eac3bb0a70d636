"""What the answer to one incident asks of the database, counted: time would depend on the machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Connection, Engine, event

from aiops_core.cli import cli
from aiops_core.store import Store

TRACE = """\
Traceback (most recent call last):
  File "/srv/{name}.py", line 2, in {name}
    return order["price"]
KeyError: '{name}'
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [python]
    analyzers: [./kinds.py:Sure]
    notifiers: [./kinds.py:Deaf]
    notices: {storm: {incidents: 1000, messages: 1000}}
"""
KINDS = """\
from aiops_core import Analysis, Analyzer, Notifier, Receipt

class Sure(Analyzer):
    def analyze(self, incident, evidence):
        return Analysis("t", "s", "r")

class Deaf(Notifier):
    def notify(self, report):
        return Receipt()
"""
FEW, MANY = 2, 22


class Counted:
    """What the workers asked of the database."""

    statements = transactions = 0


@contextmanager
def counted() -> Iterator[Counted]:
    """Count what the threads that answer do."""
    count = Counted()

    def is_worker() -> bool:
        return threading.current_thread().name.startswith(("run-", "deliver-"))

    def execute(*_: object) -> None:
        count.statements += is_worker()

    def begin(_: Connection) -> None:
        count.transactions += is_worker()

    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "begin", begin)
    try:
        yield count
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
        event.remove(Engine, "begin", begin)


def answered(directory: Path, number: int) -> Counted:
    """Return what it took to answer so many incidents."""
    directory.mkdir()
    names = ("".join(chr(97 + n // 26**place % 26) for place in range(3)) for n in range(number))
    (directory / "shop.log").write_text("".join(TRACE.format(name=name) for name in names))
    (directory / "kinds.py").write_text(KINDS)
    (directory / "pipeline.yaml").write_text(PIPELINE)
    with counted() as count:
        result = CliRunner().invoke(cli, ["run", "--once", str(directory / "pipeline.yaml")])
    with Store.open(directory / "state") as store:
        states = [store.runs.latest(one.id).state for one in store.incidents.list()]
    assert (result.exit_code, states) == (0, ["done"] * number)
    return count


def test_an_incident_costs_few_statements(tmp_path):
    few, many = answered(tmp_path / "few", FEW), answered(tmp_path / "many", MANY)

    of_each = MANY - FEW
    assert (many.statements - few.statements) / of_each <= 70
    assert (many.transactions - few.transactions) / of_each <= 28
