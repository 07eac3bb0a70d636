"""Take log records over HTTP: the ``http`` source."""

from aiops_source_http.source import HttpConfig, HttpSource

__all__ = ["HttpConfig", "HttpSource"]
