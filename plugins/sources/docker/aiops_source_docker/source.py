"""The docker source: docker's log files, each named after its container."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiops_source_file import FileConfig, FileSource
from pydantic import Field

from aiops_core import LogBatch, Position, Signal, replace

_SERVICE_LABELS = ("com.docker.compose.service", "com.docker.swarm.service.name")


class DockerConfig(FileConfig):
    """Which containers' logs are read."""

    paths: list[str] = Field(["/var/lib/docker/containers/*/*-json.log"], min_length=1)
    """Docker's log files of the ``json-file`` driver, as globs. The file ``config.v2.json`` beside
    each tells the container's name."""
    containers: list[str] = Field(default=[])
    """Names of the containers that are read; all of them when empty."""


class DockerSource(FileSource):
    """Follow the log files of docker's ``json-file`` driver."""

    config_type = DockerConfig
    config: DockerConfig

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        known: dict[str, dict[str, str]] = {}
        for signal in super().source(positions):
            if isinstance(signal, LogBatch) and signal.path:
                container = known.get(signal.path, {})
                if "container" not in container:  # its name may not be told yet
                    is_news = not container
                    container = known[signal.path] = container_of(Path(signal.path))
                    if is_news:
                        self._tell_nameless(signal.path, container)
                signal = self._named(signal, container)  # noqa: PLW2901 - the same signal, named
            yield signal

    def _tell_nameless(self, path: str, container: dict[str, str]) -> None:
        if self.config.containers and "container" not in container:
            self.context.logger.warning(
                "%s: %s is left out as long as nobody knows whose it is: the file config.v2.json beside it is not "
                "there or may not be read. Let aiops read it, or leave out 'containers'.",
                self.context.name,
                path,
            )

    def _named(self, batch: LogBatch, container: dict[str, str]) -> LogBatch:
        if self.config.containers and container.get("container") not in self.config.containers:
            # Nothing of it is wanted, but the position moves on.
            return replace(batch, data=b"", marks=((0, batch.end),), offset=batch.offset + len(batch.data))
        return replace(batch, attributes={**container, **batch.attributes})


def container_of(log: Path) -> dict[str, str]:
    """Return what is known of the container that wrote a log: id, name, image, service."""
    found = {"container_id": log.name.removesuffix("-json.log")[:12]}
    try:
        config: Any = json.loads((log.parent / "config.v2.json").read_bytes())  # Any: docker's own shape
        labels = config["Config"].get("Labels") or {}
        found["container"] = str(config["Name"]).lstrip("/")
        found["image"] = str(config["Config"].get("Image", ""))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return found
    service = next((str(labels[label]) for label in _SERVICE_LABELS if label in labels), found["container"])
    return {**found, "service": service}
