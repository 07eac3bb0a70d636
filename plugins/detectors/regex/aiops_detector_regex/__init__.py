"""Find log lines by patterns people write."""

from aiops_detector_regex._detector import PatternConfig, RegexConfig, RegexErrors

__all__ = ["PatternConfig", "RegexConfig", "RegexErrors"]
