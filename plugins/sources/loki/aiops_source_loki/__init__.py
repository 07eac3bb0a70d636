"""Read logs out of Grafana Loki: the ``loki`` source."""

from aiops_source_loki.source import LokiConfig, LokiSource

__all__ = ["LokiConfig", "LokiSource"]
