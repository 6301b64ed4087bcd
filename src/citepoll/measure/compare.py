"""The comparisons of citepoll: what moved, against whom, how fast, and what counts (docs/methodology.md)."""

from citepoll.measure.changes import change, change_of_ratio
from citepoll.measure.contrasts import CONTRAST_METHODS
from citepoll.measure.experiments import DifferenceInDifferences, difference_in_differences, pre_trend
from citepoll.measure.rivals import brands
from citepoll.measure.velocity import slope
from citepoll.measure.verdicts import adjust, verdict
from citepoll.model import Change, Contrast

__all__ = [
    "CONTRAST_METHODS",
    "Change",
    "Contrast",
    "DifferenceInDifferences",
    "adjust",
    "brands",
    "change",
    "change_of_ratio",
    "difference_in_differences",
    "pre_trend",
    "slope",
    "verdict",
]
