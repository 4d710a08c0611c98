"""Where a map can be read, as work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas, Positions
from napari_micromap.layouts import layout_of
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import with_derived
from napari_micromap.statistics.reliability import agreement, copies_as_dense, preserved
from napari_micromap.work import Progress, Work

RELIABLE = "Map reliable here"
OTHER_SEEDS = 2
MOST_LAID_OUT_AGAIN = 30_000  # micrographs; more would take minutes a map


@dataclass(frozen=True, eq=False)
class Reliability:
    """The micrographs with the column *Map reliable here*, and what it says in words."""

    atlas: Atlas
    sentence: str


def look_again(atlas: Atlas, workshop: pipeline.Workshop, seeds: int = OTHER_SEEDS) -> Work[Reliability]:
    """Make the map again from other random starts, and see how much of each neighborhood all of them keep.

    Raises
    ------
    Problem
        If there is no map.
    """
    if atlas.positions is None or atlas.neighbors is None or atlas.features is None:
        raise Problem("Make the map first; then it can be seen where it is reliable.")
    layout: Any = layout_of(atlas.layout) or pipeline.usual_layout(len(atlas))
    others: list[Positions] = []
    if any(field.name == "seed" for field in fields(layout)) and len(atlas) <= MOST_LAID_OUT_AGAIN:
        for number in range(1, seeds + 1):
            yield Progress("Making the map again", number - 1, seeds, note="from another random start")
            other = replace(layout, seed=layout.seed + number)
            again, _ = yield from pipeline.lay_out(atlas, other, workshop, atlas.fitted_to)
            assert again.positions is not None
            others.append(again.positions)
    yield Progress("Comparing the maps")
    return Reliability(with_reliability(atlas, others), sentence(atlas, others))


def with_reliability(atlas: Atlas, others: Sequence[Positions] = ()) -> Atlas:
    """Add how much of each micrograph's neighborhood the map keeps, the mean over this map and others like it."""
    if atlas.positions is None or atlas.neighbors is None:
        raise Problem("Make the map first; then it can be seen where it is reliable.")
    kept = np.mean([preserved(positions, atlas.neighbors.rows) for positions in (atlas.positions, *others)], axis=0)
    return with_derived(atlas, {RELIABLE: np.asarray(kept, np.float64).round(4)})


def sentence(atlas: Atlas, others: Sequence[Positions] = ()) -> str:
    """Say how far the map can be read, whether other random starts give the same, and whether there is structure."""
    assert atlas.positions is not None and atlas.neighbors is not None and atlas.features is not None
    vectors = atlas.features if atlas.embeddings is None else atlas.embeddings
    kept = float(preserved(atlas.positions, atlas.neighbors.rows).mean())
    said = f"Of the 10 most similar images of each, the map keeps {100 * kept:.0f} % near it; about 70 % is usual. "
    if others:
        same = 100 * np.mean([agreement(atlas.positions, other) for other in others])
        said += f"Maps from {len(others)} other random starts have {same:.0f} % of the same neighbors. "
    copies = copies_as_dense(vectors)
    if copies:
        return said + f"No structure: {copies} of 20 copies with shuffled columns lie as close together."
    return said + "Images lie closer together than in each of 20 copies with shuffled columns."
