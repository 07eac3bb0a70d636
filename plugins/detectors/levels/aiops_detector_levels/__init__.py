"""Find log lines whose level says that something went wrong."""

from aiops_detector_levels._detector import ErrorLevels, LevelsConfig

__all__ = ["ErrorLevels", "LevelsConfig"]
