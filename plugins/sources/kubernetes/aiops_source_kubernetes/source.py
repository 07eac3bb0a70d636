"""The kubernetes source: the container logs of one node, each named after its pod."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aiops_source_file import FileConfig, FileSource
from pydantic import Field

from aiops_core import LogBatch, Position, Signal, replace

# The kubelet's names: its links in /var/log/containers, and the directories in /var/log/pods.
_LINK = re.compile(
    r"(?P<pod>[^/_]+)_(?P<namespace>[^/_]+)_(?P<container>[^/]+)-(?P<container_id>[0-9a-f]{12,64})\.log[^/]*$"
)
_POD = re.compile(
    r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_(?P<pod_id>[^/_]+)/(?P<container>[^/]+)/(?P<restarts>\d+)\.log[^/]*$"
)


class KubernetesConfig(FileConfig):
    """Which pods' logs are read."""

    paths: list[str] = Field(["/var/log/containers/*.log"], min_length=1)
    """The kubelet's log files on this node, as globs: ``/var/log/containers/*.log`` or
    ``/var/log/pods/*/*/*.log``."""
    namespaces: list[str] = Field(default=[])
    """Namespaces that are read; all of them when empty."""


class KubernetesSource(FileSource):
    """Follow the container logs of a Kubernetes node."""

    config_type = KubernetesConfig
    config: KubernetesConfig

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        for signal in super().source(positions):
            yield self._named(signal) if isinstance(signal, LogBatch) else signal

    def _named(self, batch: LogBatch) -> LogBatch:
        pod = pod_of(batch.path)
        if self.config.namespaces and pod.get("namespace") not in self.config.namespaces:
            # Nothing of it is wanted, but the position moves on.
            return replace(batch, data=b"", marks=((0, batch.end),), offset=batch.offset + len(batch.data))
        return replace(batch, attributes={**pod, **batch.attributes})


def pod_of(path: str) -> dict[str, str]:
    """Return what a log's path tells: pod, namespace, container; the container is the service."""
    found = _LINK.search(path) or _POD.search(path)
    if found is None:
        return {}
    named = found.groupdict()
    if "container_id" in named:
        named["container_id"] = named["container_id"][:12]
    return {**named, "service": named["container"]}
