"""One value a sample: what a test may count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import Problem

_LIMIT = re.compile(r"[<>≤≥~≈]\s*[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)  # below or above what could be measured


@dataclass(frozen=True, eq=False)
class Units:
    """The micrographs and samples that take part in a test.

    Parameters
    ----------
    rows : (n,) int
        Rows that have a property, a known sample and an embedding, grouped by sample.
    sample_of : (n,) int
        Sample of each of those rows, 0 … S − 1, ascending.
    samples : S names
    values : (S, c) float
        The property: one column of numbers, or one 0/1 column a category.
    categories : names of the c categories, () for numbers
    varies_within : bool
        Whether micrographs of one sample differ in the property (then ``values`` are sample means).
    """

    rows: NDArray[np.intp]
    sample_of: NDArray[np.intp]
    samples: tuple[str, ...]
    values: NDArray[np.float64]
    categories: tuple[str, ...] = ()
    varies_within: bool = False

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def starts(self) -> NDArray[np.intp]:
        """(S,) where each sample's micrographs begin among ``rows``."""
        return np.searchsorted(self.sample_of, np.arange(len(self))).astype(np.intp)

    @property
    def counts(self) -> NDArray[np.intp]:
        """(S,) micrographs of each sample."""
        return np.bincount(self.sample_of, minlength=len(self)).astype(np.intp)

    @property
    def weights(self) -> NDArray[np.float64]:
        """(n,) 1 / micrographs of its sample: samples weigh equally."""
        return 1.0 / self.counts[self.sample_of]

    def means(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the (S, …) sample means of (n, …) values of the rows."""
        sums = np.add.reduceat(np.asarray(values, np.float64), self.starts, axis=0)
        return sums / self.counts.reshape(-1, *(1,) * (sums.ndim - 1))

    def without(self, sample: int) -> tuple[Units, NDArray[np.intp], NDArray[np.intp]]:
        """Leave one sample out; returns the rest, and which micrographs and which samples it keeps."""
        kept = np.flatnonzero(self.sample_of != sample)
        others = np.delete(np.arange(len(self)), sample)
        sample_of = self.sample_of[kept]
        rest = Units(
            self.rows[kept],
            (sample_of - (sample_of > sample)).astype(np.intp),
            tuple(np.delete(self.samples, sample)),
            self.values[others],
            self.categories,
            self.varies_within,
        )
        return rest, kept.astype(np.intp), others.astype(np.intp)


def units_of(
    values: Sequence[Any] | NDArray[Any], samples: Sequence[Any] | NDArray[Any], usable: NDArray[np.bool_] | None = None
) -> Units:
    """Gather the micrographs and samples that can take part.

    Parameters
    ----------
    values : (N,) numbers or texts
        The property of each micrograph; missing ones (None, NaN, "") are out.
    samples : (N,) texts
        A micrograph whose sample has no name is out: neither merged with the others nor each its own.
    usable : (N,) bool, optional
        Micrographs that have an embedding and are not excluded.

    Raises
    ------
    Problem
        If no micrograph is left.
    """
    values, samples = _measured(np.asarray(values, object)), np.asarray(samples, object)
    known = np.array([_known(v) and _known(s) for v, s in zip(values, samples)], bool)
    if usable is not None:
        known &= usable
    rows = np.flatnonzero(known)
    if not len(rows):
        raise Problem("No micrograph has both this property and a known sample; check the sample column and the table.")
    names = np.array([str(s) for s in samples[rows]])
    unique, sample_of = np.unique(names, return_inverse=True)
    order = np.argsort(sample_of, kind="stable")
    rows, sample_of = rows[order], sample_of[order].astype(np.intp)
    numbers = _as_numbers(values[rows])
    categories: tuple[str, ...] = ()
    if numbers is not None:
        per_image = numbers[:, None]
    else:
        texts = np.array([str(v) for v in values[rows]])
        found = np.unique(texts)
        per_image, categories = (texts[:, None] == found).astype(np.float64), tuple(map(str, found))
    units = Units(rows.astype(np.intp), sample_of, tuple(map(str, unique)), np.zeros((len(unique), 0)), categories)
    means = units.means(per_image)
    spread = np.abs(per_image - means[sample_of]).max()
    tolerance = 1e-9 * max(1.0, float(np.abs(per_image).max()))
    return Units(units.rows, sample_of, units.samples, means, categories, bool(spread > tolerance))


def _measured(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers where a column holds numbers and limits such as "<0.1"; a limit is no value."""
    texts = [str(v).strip() if _known(v) else "" for v in values]
    if not any(_LIMIT.fullmatch(t) for t in texts):
        return values
    numbers = [_number(t) for t in texts]
    if any(number is None and t and not _LIMIT.fullmatch(t) for number, t in zip(numbers, texts)):
        return values
    return np.array(numbers, object)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _known(value: Any) -> bool:
    """Say whether something was measured; infinity was not, and comparing pandas' NA with itself says nothing."""
    return value is not None and str(value).strip().lower() not in ("", "nan", "<na>", "nat", "inf", "-inf")


def _as_numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    if any(isinstance(v, (str, bool, np.bool_)) for v in values):
        return None
    numbers = np.asarray([float(v) for v in values], np.float64)
    return numbers if np.isfinite(numbers).all() else None
