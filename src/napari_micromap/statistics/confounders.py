"""Acquisition columns that the map knows and that the property follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import StructureTest
from napari_micromap.statistics.nuisance import NuisanceColumn, columns_of
from napari_micromap.statistics.permutations import arrangements
from napari_micromap.statistics.units import Units, units_of


@dataclass(frozen=True)
class Suspect:
    """An acquisition column, and whether it can account for what is found.

    ``map_p`` says whether the structure knows the column, ``property_p`` whether the property follows it; ``confounds``
    is true where both do.
    """

    name: str
    map_p: float | None
    property_p: float

    @property
    def known_to_map(self) -> bool:
        """Whether similar micrographs were imaged alike."""
        return self.map_p is not None and self.map_p <= 0.05

    @property
    def confounds(self) -> bool:
        """Whether the map knows it and the property follows it."""
        return self.known_to_map and self.property_p <= 0.10


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
    values = column.values
    if column.logarithmic:
        values = np.array([np.log(v) if v is not None and v == v and v > 0 else np.nan for v in values], object)
    by_sample = np.array([units.samples[s] for s in units.sample_of], object)
    as_property = units_of(values, by_sample)
    known = StructureTest(permutations, seed, influence=False)(embeddings[as_property.rows], as_property)
    return Suspect(column.name, known.p, follows(units, column, permutations, seed))


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
