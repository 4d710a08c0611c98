"""How the pictures were taken, as columns to adjust for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import Problem
from napari_micromap.statistics.units import Units
from napari_micromap.wording import listed, spoken_column


@dataclass(frozen=True, eq=False)
class NuisanceColumn:
    """An acquisition column: instrument, detector, µm per px, session, …

    Parameters
    ----------
    name : str
    values : (n,) of the test's rows
        Numbers are adjusted for by a cubic, texts by category.
    logarithmic : bool
        Take the logarithm first (µm per px, magnification).
    readable : bool
        Whether the values stand so in the table, to be named and chosen by.
    """

    name: str
    values: NDArray[Any]
    logarithmic: bool = False
    readable: bool = True


@dataclass(frozen=True, eq=False)
class Nuisance:
    """The columns as a matrix, for micrographs and for samples, and the projections that remove them.

    Parameters
    ----------
    matrix : (n, r) float
        A constant, and what the columns give; r is its rank.
    sample_matrix : (S, r) float
        Means over each sample's micrographs.
    batch_of : (S,) int
        Batch of each sample, all 0 where there is none: what permutations stay within.
    names : columns that take part
    """

    matrix: NDArray[np.float64]
    sample_matrix: NDArray[np.float64]
    batch_of: NDArray[np.intp]
    names: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """Degrees of freedom that adjusting takes, the mean included, over samples."""
        return int(_basis(self.sample_matrix).shape[1])

    def remove_from_embeddings(self, embeddings: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n, d) embeddings without what the columns account for; each sample weighs the same."""
        root = np.sqrt(weights)[:, None]
        basis = _basis(self.matrix * root)
        return np.asarray(embeddings - basis @ (basis.T @ (embeddings * root)) / root, np.float64)

    @property
    def residual_maker(self) -> NDArray[np.float64]:
        """(S, S) matrix that removes the columns from values of samples."""
        basis = _basis(self.sample_matrix)
        return np.asarray(np.eye(len(basis)) - basis @ basis.T, np.float64)

    def without(self, micrographs: NDArray[np.intp], samples: NDArray[np.intp]) -> Nuisance:
        """Keep those micrographs and samples only."""
        return Nuisance(self.matrix[micrographs], self.sample_matrix[samples], self.batch_of[samples], self.names)


def nuisance_of(
    units: Units, columns: Sequence[NuisanceColumn] = (), batch: NDArray[Any] | None = None, batch_name: str = "batch"
) -> Nuisance:
    """Build what is adjusted for.

    Parameters
    ----------
    units : Units
    columns : NuisanceColumn
        Acquisition columns only; what structure causes (gray, sharpness) must not be adjusted for.
    batch : (n,) texts of the test's rows, optional
        Samples made or imaged together; each sample must lie in one batch.

    Raises
    ------
    Problem
        If a sample lies in two batches, or if there are too many columns for this number of samples.
    """
    parts, names = [np.ones((len(units.rows), 1))], []
    batch_of = np.zeros(len(units), np.intp)
    if batch is not None:
        found, of_micrograph = np.unique([str(b) for b in batch], return_inverse=True)
        if np.any(of_micrograph != of_micrograph[units.starts][units.sample_of]):
            raise Problem(f"Some samples lie in two values of “{batch_name}”, so it cannot be tested within batches.")
        batch_of = of_micrograph[units.starts].astype(np.intp)
        if len(found) > 1:
            parts.append((of_micrograph[:, None] == np.arange(1, len(found))).astype(np.float64))
            names.append(batch_name)
    for column in columns:
        part = columns_of(column, units.weights)
        if part is not None:
            parts.append(part)
            names.append(column.name)
    matrix = np.hstack(parts)
    nuisance = Nuisance(matrix, units.means(matrix), batch_of, tuple(names))
    if names and nuisance.rank > len(units) / 3:
        raise Problem(
            f"Adjusting for {listed(list(map(spoken_column, names)))} takes {nuisance.rank} of {len(units)} samples, "
            "more than a third; adjust for fewer columns."
        )
    return nuisance


def _basis(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, rank) orthonormal columns; two magnifications, say, have no square of their own but for rounding."""
    basis, singular, _ = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(basis[:, singular > 1e-9 * singular.max(initial=0.0)], np.float64)


def columns_of(column: NuisanceColumn, weights: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return (n, r) columns for one: z, z², z³ of numbers, 0/1 a category; None where it says nothing."""
    values = np.asarray(column.values, object)
    texts = [isinstance(v, (str, bool, np.bool_)) for v in values]
    if any(texts):
        found = np.unique([str(v) for v in values])
        if len(found) < 2:
            return None
        return np.asarray(np.array([str(v) for v in values])[:, None] == found[1:], np.float64)
    numbers = np.array([np.nan if v is None else float(v) for v in values])
    if column.logarithmic:
        numbers = np.log(np.where(numbers > 0, numbers, np.nan))
    missing = ~np.isfinite(numbers)
    if missing.all():
        return None
    mean = np.average(numbers[~missing], weights=weights[~missing])
    spread = np.sqrt(np.average((numbers[~missing] - mean) ** 2, weights=weights[~missing]))
    z = np.where(missing, 0.0, (numbers - mean) / spread) if spread > 1e-12 * max(1.0, abs(mean)) else None
    parts = ([] if z is None else [z, z**2, z**3]) + ([missing.astype(np.float64)] if missing.any() else [])
    return np.column_stack(parts) if parts else None
