"""Read the systemd journal: the ``journald`` source."""

from aiops_source_journald.source import JournaldConfig, JournaldSource

__all__ = ["JournaldConfig", "JournaldSource"]
