"""How sure one can be of a solve rate, and how much repeats differ."""

from __future__ import annotations

import math
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """Bounds of a share, from 0 to 1."""

    low: float
    high: float


class Spread(NamedTuple):
    """Mean and standard deviation of a sample; the deviation of a single value is not known."""

    mean: float
    deviation: float | None


def wilson(share: float, count: int) -> Interval:
    """Return the interval that holds the true share in 95 of 100 samples.

    It is Wilson's score interval (https://doi.org/10.1080/01621459.1927.10502953), which also holds for few
    tasks and for shares near 0 and 1, where the usual one does not.

    Args:
        share: of the sample, from 0 to 1.
        count: size of the sample.
    """
    if not count:
        return Interval(0.0, 1.0)
    square = _Z * _Z / count
    centre = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    # Rounding must not keep a share of none or all out of its own interval.
    return Interval(min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))


def spread(values: Sequence[float]) -> Spread | None:
    """Return mean and deviation; None without values."""
    if not values:
        return None
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)
