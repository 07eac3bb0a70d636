"""Read log files: the ``file`` source."""

from aiops_source_file.source import FileConfig, FileSource

__all__ = ["FileConfig", "FileSource"]
