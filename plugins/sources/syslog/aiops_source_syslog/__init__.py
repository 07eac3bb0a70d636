"""Take log messages from the network: the ``syslog`` source."""

from aiops_source_syslog.source import SyslogConfig, SyslogSource

__all__ = ["SyslogConfig", "SyslogSource"]
