"""What a period was like: patterns among its incidents, and figures about the work on them."""

from aiops_core.hindsight.figures import Figures, figures
from aiops_core.hindsight.insights import Cascade, Correlation, Escalation, Insights, insights
from aiops_core.hindsight.period import Occurrences, Period, look_back

__all__ = [
    "Cascade",
    "Correlation",
    "Escalation",
    "Figures",
    "Insights",
    "Occurrences",
    "Period",
    "figures",
    "insights",
    "look_back",
]
