"""The worked vectors of the specification, to four decimals: value, low, high, n* for each target."""

import numpy as np
import pytest

from citepoll.measure.counts import read_panel
from citepoll.measure.intervals import blended, share, share_of_voice
from citepoll.measure.shares import category_n, fixed_set_n

SHARES = {
    "V1": ([0] * 19 + [3], [3] * 20, (0.05, 0.0183, 0.1099, 90.0), (0.05, 0.0047, 0.2259, 17.5379)),
    "V2": ([0] * 30, [5] * 30, (0.0, 0.0, 0.0243, 150.0), (0.0, 0.0, 0.0864, 27.5507)),
    "V3": (
        [3, 3, 2, 0, 0, 1, 0, 0, 0, 0], [3] * 10, (0.3, 0.1915, 0.4289, 55.0485), (0.3, 0.0804, 0.6359, 8.1835)
    ),
    "V4": ([1] * 6 + [0] * 14, [1] * 20, (0.3, 0.1361, 0.5172, 20.0), (0.3, 0.128, 0.5321, 17.5379)),
    "V5": ([3] * 20, [3] * 20, (1.0, 0.9404, 1.0, 60.0), (1.0, 0.8683, 1.0, 17.5379)),
    "V6": ([2, 0, 1, 5, 0, 0], [3, 1, 3, 5, 2, 0], (0.4, 0.168, 0.6746, 11.8922), (0.4, 0.0549, 0.8659, 2.8567)),
    "V7": ([2], [5], (0.4, 0.0944, 0.7906, 5.0), (0.4, 0.0, 1.0, None)),
}  # fmt: skip

SHRINKAGE = {
    "V1": (0.6667, 1.0, 1),
    "V2": (1.0, 1.0, 0),
    "V3": (0.545, 0.9173, 4),
    "V4": (1.0, 1.0, 6),
    "V5": (1.0, 1.0, 0),
    "V6": (0.8883, 0.8722, 3),
}


def four(estimate):
    return tuple(
        None if x is None else round(x, 4)
        for x in (estimate.value, estimate.low, estimate.high, estimate.n_effective)
    )  # fmt: skip


@pytest.mark.parametrize("name", SHARES)
def test_single_share(name):
    cited, runs, fixed_set, category = SHARES[name]
    assert four(share(cited, runs, target="fixed_set")) == fixed_set
    assert four(share(cited, runs, target="category")) == category


@pytest.mark.parametrize("name", SHRINKAGE)
def test_theta_kappa_and_informative_queries(name):
    cited, runs, *_ = SHARES[name]
    panel = read_panel([cited], runs, None)
    floor = np.mean(1 / panel.runs)
    fixed, category = fixed_set_n(panel), category_n(panel.cited / panel.runs, panel.weights, floor, 0.025)
    assert (round(fixed.ratio[0], 4), round(category.ratio[0], 4), fixed.informative[0]) == SHRINKAGE[name]
    assert category.informative[0] == fixed.informative[0]


V9 = ({"a": [3, 3, 0, 0, 1, 0, 0, 0, 0, 0], "b": [3, 2, 1, 0, 0, 0, 0, 0, 0, 0]}, {"a": [3] * 10, "b": [3] * 10})


def test_v9_blended():
    weights = {"a": 0.7, "b": 0.3}
    assert four(blended(*V9, weights, target="fixed_set")) == (0.2233, 0.1518, 0.3157, None)
    assert four(blended(*V9, weights, target="category")) == (0.2233, 0.0458, 0.5614, 8.1523)


def test_v10_share_of_voice():
    brand = [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    total = [[2, 3, 1], [1, 1, 1], [2, 1, 2], [0, 0, 0], [1, 2, 2]]
    assert four(share_of_voice(brand, total, target="fixed_set")) == (0.1579, 0.0405, 0.3886, 15.6178)
    assert four(share_of_voice(brand, total, target="category")) == (0.1579, 0.0079, 0.6884, 3.1616)
