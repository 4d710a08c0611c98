"""Acquisition columns that the map knows and that the property follows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import StructureTest, standardized
from napari_micromap.statistics.nuisance import NuisanceColumn, columns_of, nuisance_of
from napari_micromap.statistics.permutations import arrangements
from napari_micromap.statistics.units import Units, units_of

MOST_SETTINGS = 6  # a column of more different values is no list of settings
NEAREST = 10
MOST_ASKED = 2_000  # micrographs whose neighbors are looked at, to tell whether a map is sorted


@dataclass(frozen=True)
class Setting:
    """One value of an acquisition column, such as a magnification, and how many samples have images taken so."""

    value: Hashable
    samples: int


@dataclass(frozen=True)
class Pattern:
    """Which values of a property go with which way of imaging.

    Of a number: samples below ``threshold`` were mostly imaged at ``low``, the others at ``high``. Of categories:
    those of ``first`` at ``low``, those of ``second`` at ``high``. ``about`` says that these are medians.
    """

    low: Hashable
    high: Hashable
    threshold: float | None = None
    first: str = ""
    second: str = ""
    about: bool = False


@dataclass(frozen=True)
class Suspect:
    """An acquisition column, and whether it can account for what is found.

    Parameters
    ----------
    map_p : float or None
        Of the primary test with the column in place of the property, over samples.
    property_p : float
        That the property follows the column.
    sorted_p : float or None
        That micrographs of other samples taken alike lie nearest; where the column varies within samples.
    settings : few values that images were taken at, the commonest first; () where there are many
    balanced : bool
        Whether all samples have images at all settings.
    pattern : Pattern or None
        Which values of the property go with which setting.
    """

    name: str
    map_p: float | None
    property_p: float
    sorted_p: float | None = None
    settings: tuple[Setting, ...] = ()
    balanced: bool = False
    pattern: Pattern | None = None

    @property
    def known_to_map(self) -> bool:
        """Whether similar micrographs were imaged alike."""
        return any(p is not None and p <= 0.05 for p in (self.map_p, self.sorted_p))

    @property
    def confounds(self) -> bool:
        """Whether the map knows it and the property follows it."""
        return self.known_to_map and not self.balanced and self.property_p <= 0.10

    @property
    def asked(self) -> bool:
        """Whether there were samples enough to ask if the map knows it."""
        return self.map_p is not None or self.sorted_p is not None

    @property
    def cleared(self) -> bool:
        """Whether it cannot account for the finding; where the map could not be asked, only if nothing follows it."""
        return not self.confounds and (self.asked or self.balanced or self.property_p > 0.10)


def suspect(
    embeddings: NDArray[Any], units: Units, column: NuisanceColumn, permutations: int = 1_999, seed: int = 0
) -> Suspect:
    """Ask whether the map knows an acquisition column, and whether the property goes with it.

    Parameters
    ----------
    embeddings : (n, d)
        Of ``units.rows``.
    units : Units
        Of the property.
    column : NuisanceColumn
        (n,) values of ``units.rows``.
    """
    values = _logarithms(column)
    by_sample = np.array([units.samples[s] for s in units.sample_of], object)
    as_property = units_of(values, by_sample)
    test = StructureTest(permutations, seed, influence=False)
    known = test.only_p(embeddings[as_property.rows], as_property, nuisance_of(as_property))
    settings = _settings(units, column)
    return Suspect(
        column.name,
        known.p,
        follows(units, column, permutations, seed),
        sorts(embeddings, units, values, seed) if as_property.varies_within else None,
        settings if column.readable else (),
        bool(settings) and all(setting.samples == len(units) for setting in settings),
        _pattern(units, column, settings) if column.readable else None,
    )


def follows(units: Units, column: NuisanceColumn, permutations: int = 1_999, seed: int = 0) -> float:
    """Return p by permuting samples that the property follows the column: a cubic of numbers, means of categories."""
    expanded = columns_of(column, units.weights)
    if expanded is None:
        return 1.0
    matrix = units.means(expanded)
    z = units.values - units.values.mean(axis=0)
    orders = arrangements(units.values, np.zeros(len(units), np.intp), permutations, seed)
    basis, singular, _ = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    basis = basis[:, singular > 1e-9 * max(float(singular.max(initial=0)), 1e-300)]
    permuted = np.moveaxis(z[orders], 0, 1)  # (S, P + 1, c)
    explained = np.einsum("sk,spc->pkc", basis, permuted)
    strength = (explained**2).sum(axis=(1, 2))
    return float(np.mean(strength >= strength[0] * (1 - 1e-9)))


def sorts(
    embeddings: NDArray[Any], units: Units, values: NDArray[Any], seed: int = 0, permutations: int = 199
) -> float:
    """Return p, by exchanging images within samples, that images of other samples taken alike are the most similar."""
    rng = np.random.default_rng(seed)
    codes = _codes(values)
    left = standardized(embeddings, units.weights).astype(np.float32)
    left /= np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-12)
    asked = np.sort(rng.permutation(len(left))[:MOST_ASKED])
    cosine = left[asked] @ left.T
    cosine[units.sample_of[asked][:, None] == units.sample_of] = -2.0
    k = min(NEAREST, len(left) - int(units.counts.max()))
    if k < 1:
        return 1.0
    nearest = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
    alike = np.empty(permutations + 1)
    for way in range(permutations + 1):
        order = np.arange(len(left)) if way == 0 else np.lexsort((rng.random(len(left)), units.sample_of))
        shown = codes[order]
        alike[way] = -np.abs(shown[asked][:, None, :] - shown[nearest]).mean()
    return float(np.mean(alike >= alike[0] - 1e-12))


def _codes(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return (n, c) numbers whose differences say how unlike values are: ranks, or one column a category."""
    known = [v is not None and v == v for v in values]
    if any(isinstance(v, str) for v in values):
        texts = np.array([str(v) for v in values])
        return np.asarray(texts[:, None] == np.unique(texts), np.float64)
    numbers = np.array([float(v) if k else np.nan for v, k in zip(values, known)])
    numbers = np.where(np.isfinite(numbers), numbers, np.nanmedian(numbers))
    return np.asarray(np.searchsorted(np.unique(numbers), numbers), np.float64)[:, None]


def _logarithms(column: NuisanceColumn) -> NDArray[Any]:
    values = np.asarray(column.values, object)
    if not column.logarithmic or any(isinstance(v, str) for v in values):
        return values
    return np.array([np.log(float(v)) if v is not None and v == v and v > 0 else np.nan for v in values], object)


def _settings(units: Units, column: NuisanceColumn) -> tuple[Setting, ...]:
    """Count the samples that have images at each value, where there are few values."""
    values = [v if v is not None and v == v else None for v in column.values]
    found: dict[Hashable, set[int]] = {}
    for value, sample in zip(values, units.sample_of.tolist()):
        if value is not None:
            found.setdefault(_rounded(value), set()).add(sample)
    if not 2 <= len(found) <= MOST_SETTINGS:
        return ()
    return tuple(sorted((Setting(v, len(s)) for v, s in found.items()), key=lambda s: (-s.samples, str(s.value))))


def _rounded(value: Any) -> Hashable:
    """Round to what a person would read, so that 0.02041 and 0.02043 are one setting."""
    return str(value) if isinstance(value, (str, bool, np.bool_)) else float(f"{float(value):.3g}")


def _pattern(units: Units, column: NuisanceColumn, settings: tuple[Setting, ...]) -> Pattern | None:
    """Find which values of the property were imaged how: by the commonest setting, else by the median."""
    shown = [None if v is None or v != v else _rounded(v) for v in column.values]
    few = bool(settings)
    if not few and any(isinstance(v, str) for v in shown):
        return None
    of_sample = [_middle([v for v, s in zip(shown, units.sample_of) if s == i and v is not None], few)
                 for i in range(len(units))]  # fmt: skip
    if units.categories:
        return _between_categories(units, of_sample, few)
    known = [i for i, v in enumerate(of_sample) if v is not None]
    order = sorted(known, key=lambda i: float(units.values[i, 0]))
    best: tuple[float, Pattern] | None = None
    fewest = max(2, len(order) // 5)
    for cut in range(fewest, len(order) - fewest + 1):
        below, above = order[:cut], order[cut:]
        edge = (float(units.values[below[-1], 0]), float(units.values[above[0], 0]))
        if edge[0] == edge[1]:
            continue
        sides = [[of_sample[i] for i in side] for side in (below, above)]
        strength, low, high = _apart(sides[0], sides[1], few)
        if low != high and (best is None or strength > best[0]):
            best = strength, Pattern(low, high, threshold=sum(edge) / 2, about=not few)
    return best[1] if best is not None and best[0] >= 0.6 else None


def _between_categories(units: Units, of_sample: list[Hashable], few: bool) -> Pattern | None:
    kinds = units.values.argmax(axis=1)
    best: tuple[float, Pattern] | None = None
    for first in range(len(units.categories)):
        for second in range(first + 1, len(units.categories)):
            sides = [[v for v, k in zip(of_sample, kinds) if k == kind and v is not None] for kind in (first, second)]
            if min(map(len, sides)) < 2:
                continue
            strength, low, high = _apart(sides[0], sides[1], few)
            size = strength * sum(map(len, sides))
            if low != high and strength >= 0.6 and (best is None or size > best[0]):
                best = size, Pattern(low, high, None, units.categories[first], units.categories[second], not few)
    return None if best is None else best[1]


def _apart(one: list[Any], other: list[Any], few: bool) -> tuple[float, Hashable, Hashable]:
    """Return how well two groups differ in the column, 0.5 to 1, and what each mostly has."""
    low, high = _middle(one, few), _middle(other, few)
    if few:
        return (one.count(low) / len(one) + other.count(high) / len(other)) / 2, low, high
    numbers = np.array(one, float)[:, None] - np.array(other, float)[None, :]
    return float(max((numbers > 0).mean(), (numbers < 0).mean())), low, high


def _middle(values: list[Any], few: bool) -> Hashable:
    """Return the commonest of few different values, the median of many; None of none."""
    if not values:
        return None
    if few:
        return max(sorted(set(values), key=str), key=values.count)  # type: ignore[no-any-return]
    return float(f"{float(np.median(np.array(values, float))):.2g}")
