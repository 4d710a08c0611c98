"""The map scanned for regions that differ, as work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Positions, Rows
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import batch_column, batch_labels, blocked, tested, words_for
from napari_micromap.statistics.evidence import FEWEST_SAMPLES
from napari_micromap.statistics.nuisance import Nuisance, nuisance_of
from napari_micromap.statistics.regions import Region, RegionScan, ScanResult
from napari_micromap.statistics.units import Units
from napari_micromap.statistics.verdict import Words, said_p
from napari_micromap.wording import spoken_column
from napari_micromap.work import Progress, Work


@dataclass(frozen=True, eq=False)
class MapScan:
    """The scan of a map for regions whose samples differ in a property, kept for lassos.

    Parameters
    ----------
    neighbors : (n, k) int
        Nearest micrographs among the test's rows, −1 for none.
    batch : str
        Column of batches that samples are compared within, "" for none.
    """

    property: str
    units: Units
    words: Words
    result: ScanResult
    neighbors: NDArray[np.intp]
    batch: str = ""

    def sentence(self, selected: NDArray[np.bool_]) -> str:
        """Say what a lasso, (N,) selected micrographs of the atlas, may claim."""
        answer = self.result.lasso(selected[self.units.rows], self.neighbors)
        words = self.words
        if answer.p is None:
            if min(answer.samples_inside, answer.samples_outside) < 3:
                return f"No test: it needs 3 {words.samples} inside and 3 outside."
            if len(self.result.maxima) == 0:
                return f"No test: there are too few {words.samples} with {words.quantity}."
            return "No test: these images lie together on the map, but are not alike."
        share = f"{100 * answer.p:.2g}" if answer.p < 0.1 else f"{100 * answer.p:.0f}"
        more = "higher" if answer.difference > 0 else "lower"
        within = f", compared within each {spoken_column(self.batch)}" if self.batch else ""
        return (
            f"{words.quantity} is {words.amount(abs(answer.difference))} {more} inside{within}. "
            f"In {share} % of reshuffles some region as large differs at least as much."
        )

    def outlined(self) -> Region | None:
        """The best disc, where reshuffles hardly reach it; None where nothing may be pointed at."""
        best = self.result.best
        return best if best is not None and best.p <= 0.05 else None

    def outline_words(self) -> str:
        """What stands beside the outlined disc."""
        region = self.outlined()
        if region is None:
            return ""
        return f"{self.words.quantity} {'higher' if region.difference > 0 else 'lower'} here, {said_p(region.p)}"


def scan(atlas: Atlas, name: str, positions: Positions, scope: Rows | None = None, seed: int = 0) -> Work[MapScan]:
    """Scan a map for regions whose samples differ in a number, within batches where they allow it.

    Raises
    ------
    Problem
        If the property is none, or not a number.
    """
    yield Progress("Scanning the map", note=name)
    placed = np.flatnonzero(np.isfinite(positions).all(axis=1))
    rows = placed if scope is None else np.intersect1d(placed, scope)
    _, units = tested(atlas, name, rows.astype(np.intp))
    if units.categories:
        raise Problem(f"{name} is no number, so regions are not compared.")
    batch = batch_column(atlas, name)
    within = _within(atlas, units, batch)
    result = RegionScan(seed=seed)(positions[units.rows], units, within or nuisance_of(units))
    near = np.full((len(units.rows), 0), -1, np.intp)
    if atlas.neighbors is not None:
        where = np.full(len(atlas), -1, np.intp)
        where[units.rows] = np.arange(len(units.rows))
        near = where[atlas.neighbors.rows[units.rows]]
    return MapScan(name, units, words_for(name, atlas), result, near, batch if within is not None else "")


def _within(atlas: Atlas, units: Units, batch: str) -> Nuisance | None:
    """Return the batches as the primary test takes them; None where there are none, or where they forbid a test."""
    labels = batch_labels(atlas, units, batch)
    if labels is None:
        return None
    try:
        nuisance = blocked(units, labels, batch)
    except Problem:
        return None
    return nuisance if len(units) - nuisance.rank + 1 >= FEWEST_SAMPLES else None
