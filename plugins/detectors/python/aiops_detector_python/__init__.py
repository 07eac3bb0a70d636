"""Find Python tracebacks."""

from aiops_detector_python._detector import PythonConfig, PythonErrors

__all__ = ["PythonConfig", "PythonErrors"]
