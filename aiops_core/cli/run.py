"""aiops run."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.errors import AiopsError

if TYPE_CHECKING:
    from aiops_core.pipeline import Loaded

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("pipeline.yaml"))
DISABLE = click.option(
    "--disable",
    metavar="NAME",
    multiple=True,
    help="Leave out what has this name, or comes from this distribution; it is not imported. KIND/NAME, "
    "as in notifiers/file, where two kinds have the name; again for more.",
)


_SWITCH = 0.001
"""Seconds a busy thread keeps the interpreter from one that waits: reading waits for it at each hit of a scan."""


@click.command()
@FILE
@click.option("--once", is_flag=True, help="Process what is there, from the beginning, and exit.")
@click.option("--verbose", "-v", is_flag=True, help="Log details, whatever the file says.")
@DISABLE
def run(file: Path, once: bool, verbose: bool, disable: tuple[str, ...]) -> None:
    """Watch, detect, answer and tell until stopped.

    FILE is the pipeline file (default: pipeline.yaml). SIGTERM or Ctrl-C stops within ten
    seconds, SIGHUP or 'aiops reload' reads the file again; nothing that was read is lost. A run
    with --once whose sources or plugins failed exits with 1.

    With OTEL_EXPORTER_OTLP_ENDPOINT set, every step of an answer is a span that goes there (extra
    'otel'); spans hold names, tokens and costs, never what logs or models say.
    """
    from aiops_core import logs
    from aiops_core.memory import settle_memory, share_memory
    from aiops_core.pipeline import Surroundings, load
    from aiops_core.runner import Runner, stop_on_signals
    from aiops_core.tracing import start_tracing

    share_memory()
    sys.setswitchinterval(_SWITCH)
    logger, secrets = logging.getLogger("aiops"), set[str]()

    def read() -> Loaded:
        loaded = load(file, surroundings=Surroundings(once=once, logger=logger, disabled=frozenset(disable)))
        settings = loaded.document.logging
        if verbose:
            settings = settings.model_copy(update={"level": "debug"})
        secrets.update(loaded.secrets)  # of files that were in charge before, too
        logs.configure(settings, directory=loaded.path.parent, secrets=secrets)
        return loaded

    start_tracing(logger)
    stopping, reloading = threading.Event(), threading.Event()
    loaded = read()
    stop_on_signals(stopping, reloading)
    settle_memory()
    runner = Runner(loaded, stopping, once=once, logger=logger, load=read, reloading=reloading)
    runner.run()
    if once and runner.faults:
        causes = "; ".join(f"{pipeline}: {cause}" for pipeline, cause in sorted(runner.faults))
        raise AiopsError(f"not all went well: {causes}. The log says more")
