"""Poll services that hold log entries: what query sources share, so that each entry is read once."""

from aiops_core.polling.config import PollingConfig
from aiops_core.polling.poll import STREAM, Found
from aiops_core.polling.source import PolledSource, parse_retry_after

__all__ = ["STREAM", "Found", "PolledSource", "PollingConfig", "parse_retry_after"]
