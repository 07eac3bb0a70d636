"""Few examples, always the same, in the suite; many, and new ones, with AIOPS_FUZZ=EXAMPLES (`make fuzz`)."""

import os

from hypothesis import HealthCheck, settings

_EXAMPLES = int(os.environ.get("AIOPS_FUZZ", "0"))

settings.register_profile(
    "fuzz",
    max_examples=_EXAMPLES or 20,
    derandomize=not _EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
