"""The intervals of citepoll: every public function that turns counts into an `Estimate` (docs/methodology.md)."""

from citepoll.measure.blend import blend_estimates, blended
from citepoll.measure.means import mean_per_answer, overlap
from citepoll.measure.methods import METHODS
from citepoll.measure.ratios import share_of_voice
from citepoll.measure.shares import share, share_many

__all__ = [
    "METHODS",
    "blend_estimates",
    "blended",
    "mean_per_answer",
    "overlap",
    "share",
    "share_many",
    "share_of_voice",
]
