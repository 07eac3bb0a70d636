"""aiops run."""

from __future__ import annotations

import threading
from pathlib import Path

import click

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("pipeline.yaml"))


@click.command()
@FILE
@click.option("--once", is_flag=True, help="Process what is there, from the beginning, and exit.")
@click.option("--verbose", "-v", is_flag=True, help="Log details, whatever the file says.")
def run(file: Path, once: bool, verbose: bool) -> None:
    """Watch, detect, answer and tell until stopped.

    FILE is the pipeline file (default: pipeline.yaml). SIGTERM or Ctrl-C stops within ten
    seconds; nothing that was read is lost.
    """
    from aiops_core import logs
    from aiops_core.memory import share_memory
    from aiops_core.pipeline import Surroundings, load
    from aiops_core.runner import Runner, stop_on_signals

    share_memory()
    surroundings = Surroundings(stopping=threading.Event(), once=once)
    loaded = load(file, surroundings=surroundings)
    settings = loaded.document.logging
    if verbose:
        settings = settings.model_copy(update={"level": "debug"})
    logs.configure(settings, directory=loaded.path.parent, secrets=loaded.secrets)
    stop_on_signals(surroundings.stopping)
    Runner(loaded, surroundings.stopping, once=once, logger=surroundings.logger).run()
