"""Read what containers wrote, from docker's JSON log files: the ``docker`` source."""

from aiops_source_docker.source import DockerConfig, DockerSource

__all__ = ["DockerConfig", "DockerSource"]
