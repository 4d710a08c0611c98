"""Differences between two groups on sample means: effect size, Welch's interval, shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 3  # samples a side, in effect, for an interval


@dataclass(frozen=True)
class Contrast:
    """How one quantity differs.

    Parameters
    ----------
    mean_a, mean_b, difference : float
        Of sample means; the difference is A − B.
    effect : float
        Hedges' g: the difference in spreads between samples, corrected for few of them; NaN where there is none.
    low, high : float
        Welch's 95 % interval of the difference; NaN where there are too few samples.
    effect_low, effect_high : float
        The same ends in spreads.
    samples_a, samples_b : int
        That have a value.
    """

    mean_a: float
    mean_b: float
    difference: float
    effect: float
    low: float
    high: float
    effect_low: float
    effect_high: float
    samples_a: int
    samples_b: int

    @property
    def few(self) -> bool:
        """Whether there are too few samples for an interval."""
        return bool(np.isnan(self.low))

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return not self.few and (self.low > 0 or self.high < 0)


def contrast_of(
    values: NDArray[np.float64],
    samples: NDArray[np.intp],
    inside_a: NDArray[np.bool_],
    inside_b: NDArray[np.bool_],
    period: float | None = None,
) -> Contrast:
    """Compare (n,) values of images of two groups by their samples.

    A sample in both groups counts in each by its share of images. The interval is Welch's (1947) on weighted sample
    means; the effect is Hedges' g.

    Parameters
    ----------
    values : (n,)
        NaN where missing.
    samples : (n,)
        Numbers from 0; images with −1 belong to none and are left out.
    period : float, optional
        Of directions: 180 for lines in degrees.

    References
    ----------
    Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28; Hedges 1981, https://doi.org/10.3102/10769986006002107
    """
    known = np.isfinite(values) & (samples >= 0) & (inside_a | inside_b)
    middle = 0.0
    if period is not None and known.any():
        middle = _direction(values[known], period)
        values = _turned(values - middle, period)
    sides = [_side(values, samples, known & inside, known) for inside in (inside_a, inside_b)]
    (mean_a, var_a, n_a, count_a), (mean_b, var_b, n_b, count_b) = sides
    difference = mean_a - mean_b
    if period is not None:
        difference = float(_turned(np.array(difference), period))
        mean_a, mean_b = ((mean + middle) % period for mean in (mean_a, mean_b))
    free = n_a + n_b - 2
    pooled = sum((n - 1) * var for var, n in ((var_a, n_a), (var_b, n_b)) if np.isfinite(var))
    spread = float(np.sqrt(pooled / free)) if free > 0.5 else float("nan")
    effect = low = high = effect_low = effect_high = float("nan")
    if free > 0.5 and spread > 0:
        effect = float(difference / spread * (1 - 3 / (4 * free - 1)))
    if min(n_a, n_b) >= FEWEST - 1e-9:
        reach = _welch(var_a / n_a, var_b / n_b, n_a, n_b)
        low, high = difference - reach, difference + reach
        if spread > 0:
            effect_low, effect_high = (float(end / spread * (1 - 3 / (4 * free - 1))) for end in (low, high))
    return Contrast(
        mean_a, mean_b, difference, effect, low, high, effect_low, effect_high, count_a, count_b
    )  # fmt: skip


def shares_of(
    texts: NDArray[np.object_],
    different: Sequence[str],
    samples: NDArray[np.intp],
    inside_a: NDArray[np.bool_],
    inside_b: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return how often each of some texts occurs in A and in B, samples weighing equally; "" is missing."""
    known = (texts != "") & (samples >= 0) & (inside_a | inside_b)
    if not (known & inside_a).any() or not (known & inside_b).any():
        return None
    found = [
        [_side((texts == value).astype(np.float64), samples, known & inside, known)[0] for value in different]
        for inside in (inside_a, inside_b)
    ]
    return np.array(found[0]), np.array(found[1])


def _side(
    values: NDArray[np.float64], samples: NDArray[np.intp], inside: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[float, float, float, int]:
    """Return mean, variance between samples, effective number and number of the samples of one side."""
    if not inside.any():
        return float("nan"), float("nan"), 0.0, 0
    size = int(samples.max()) + 1
    here = np.bincount(samples[inside], minlength=size)
    present = here > 0
    means = np.bincount(samples[inside], weights=values[inside], minlength=size)[present] / here[present]
    weights = here[present] / np.bincount(samples[known], minlength=size)[present]
    total = float(weights.sum())
    mean = float(weights @ means) / total
    effective = total**2 / float(weights @ weights)
    loose = total - float(weights @ weights) / total
    variance = float(weights @ (means - mean) ** 2) / loose if loose > 1e-9 else float("nan")
    return mean, variance, effective, int(present.sum())


def _welch(error_a: float, error_b: float, n_a: float, n_b: float) -> float:
    """Return half of Welch's 95 % interval."""
    from scipy.stats import t

    both = error_a + error_b
    if both <= 0:
        return 0.0
    free = both**2 / (error_a**2 / (n_a - 1) + error_b**2 / (n_b - 1))
    return float(t.ppf(0.975, free) * np.sqrt(both))


def _direction(values: NDArray[np.float64], period: float) -> float:
    angle = 2 * np.pi * values / period
    return float(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * period / (2 * np.pi))


def _turned(values: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Bring differences of directions to the shorter way round."""
    return (values + period / 2) % period - period / 2
