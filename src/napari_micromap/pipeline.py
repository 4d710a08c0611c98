"""The stages as work: gather, embed, fit, lay out, save."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_micromap.atlas import Atlas, Features, Micrograph, Positions, Rows
from napari_micromap.embedding.preview import Preview as Preview
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.work import Progress, Work
from napari_micromap.workshop import Workshop as Workshop

if TYPE_CHECKING:
    import pandas as pd

    from napari_micromap.backbones import Backbone
    from napari_micromap.layouts import Layout
    from napari_micromap.neighbors import Neighbors
    from napari_micromap.sources import Source
    from napari_micromap.space import Space
    from napari_micromap.store.room import Kept
    from napari_micromap.tables import Match, TablePreview, Wanted

FEWEST_FOR_UMAP = 30  # with fewer micrographs PCA stays the map, and UMAP comes on request
NEIGHBORS_KEPT = 50  # what similar images, Moran's I and the like ask for; layouts may ask for more


@dataclass(frozen=True, eq=False)
class Joined:
    """A table beside the micrographs, what of it matched, and how it was read."""

    atlas: Atlas
    table: pd.DataFrame
    match: Match
    wanted: Wanted
    before: Atlas  # without it

    @property
    def sample_before(self) -> str | None:
        """The column that named the sample before."""
        return self.before.sample_column

    @property
    def sentence(self) -> str:
        """What matched and what did not, and what was taken of several rows."""
        taken = {"mean": "the mean of their numbers is taken", "newest": "the newest is taken"}
        return self.match.told(taken.get(self.wanted.several, "the first is taken"))


@dataclass(frozen=True, eq=False)
class Restored:
    """A session as it was saved."""

    folder: Path
    atlas: Atlas
    state: Mapping[str, Any]


def gather(source: Source) -> Work[Atlas]:
    """List and read the micrographs of a source, and guess which column or piece of the name is the sample."""
    atlas = yield from source()
    return with_guesses(atlas)


def with_guesses(atlas: Atlas) -> Atlas:
    """Say what is guessed of micrographs when they are gathered: which column or piece of the name is the sample."""
    from napari_micromap.tables import with_guessed_sample

    return with_guessed_sample(atlas)


def look_at_table(atlas: Atlas, path: Path, wanted: Wanted | None = None) -> Work[TablePreview]:
    """Read a table and find out how it would be joined."""
    from napari_micromap.tables import preview_table

    yield Progress("Reading the table", note=path.name)
    return preview_table(atlas, path, wanted)


def add_table(atlas: Atlas, path: Path, wanted: Wanted | None = None) -> Work[Joined]:
    """Read a table and join it as wanted; what fits best is taken where nothing is said."""
    from napari_micromap.tables import join

    seen = yield from look_at_table(atlas, path, wanted)
    if seen.match is None:
        raise Problem(seen.problem)
    done = join(atlas, seen.table, seen.match, seen.wanted.several)
    return Joined(done, seen.table, seen.match, seen.wanted, atlas)


def download(backbone: Backbone) -> Work[Path | None]:
    """Download the weights of a backbone, if they are not here; ask for consent before."""
    from napari_micromap.backbones.weights import check_space, fetch

    wanted = backbone.download()
    if wanted is None:
        return None
    check_space(wanted)
    return (yield from fetch(wanted))


def embed(
    atlas: Atlas,
    backbone: Backbone | None,
    recipe: Recipe,
    workshop: Workshop,
    device: str = "auto",
    verify: bool = False,
) -> Work[Atlas]:
    """Embed the micrographs that are not in the cache; previews come with the progress.

    A quick pass with one view gives the preview its dots, a second one makes the embeddings. What turns out to be
    unreadable is taken off the atlas and named in ``unreadable``. Files that have not changed by size, date and place
    are read again only with ``verify``.

    Raises
    ------
    WeightsMissing
        If the weights are not here: they are never downloaded without consent.
    """
    from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
    from napari_micromap.embedding import Run

    network = backbone or EfficientNetLite0()
    run = Run(atlas, network, recipe, workshop.embeddings, workshop.thumbnails, device, verify)
    return (yield from run.embedded())


def take_embeddings(atlas: Atlas, path: Path) -> Work[tuple[Atlas, str]]:
    """Take embeddings that were made elsewhere in place of a backbone's; also says how they found their micrographs.

    Raises
    ------
    Problem
        If not every micrograph has one.
    """
    from napari_micromap.tables.vectors import vectors_of

    yield Progress("Reading embeddings", note=path.name)
    vectors = vectors_of(path, atlas)
    missing = vectors.missing
    if len(missing):
        raise Problem(
            f"{len(missing)} of {len(atlas)} images have no embedding in “{path.name}”, such as "
            f"“{atlas[int(missing[0])].name}”; add them to the file, or open a folder without these images."
        )
    made_by = {"backbone": f"embeddings from {path.name}", "path": str(path.absolute()), "sha256": _sha256(path)}
    return atlas.with_embeddings(vectors.values, made_by), vectors.told


def take_positions(atlas: Atlas, path: Path) -> Work[tuple[Atlas, str, str]]:
    """Take a map that was made elsewhere, with its title; micrographs without a position there are not on it."""
    from napari_micromap.tables.vectors import positions_of, vectors_of

    yield Progress("Reading positions", note=path.name)
    vectors = vectors_of(path, atlas)
    positions = positions_of(vectors, path).copy()
    positions[~np.isfinite(positions).all(axis=1)] = np.nan
    if np.isnan(positions).all():
        raise Problem(f"“{path.name}” holds no position of these images.")
    return atlas.with_positions(positions, f"positions from {path.name}"), path.stem, vectors.told


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents(atlas: Atlas, workshop: Workshop) -> list[str]:
    """Return the hash of the pixels of each micrograph, "" where the cache does not know it."""
    asked = [_question(one) or "" for one in atlas]
    known = workshop.embeddings.recall([question for question in asked if question])
    return [known.get(question, "") for question in asked]


def _question(micrograph: Micrograph) -> str | None:
    from napari_micromap.store.embeddings import file_question

    return file_question(micrograph.path, micrograph.page, micrograph.bar_rows, micrograph.bar_side, micrograph.window)


def remember(atlas: Atlas, made: tuple[Backbone, Recipe], contents: Sequence[str], workshop: Workshop) -> None:
    """Put embeddings that were made elsewhere into the cache, by the hashes of their pixels."""
    from napari_micromap.embedding.keys import Keys, spoken_of

    backbone, recipe = made
    if atlas.embeddings is None or len(contents) != len(atlas) or recipe.precision == "auto":
        return
    keys = Keys(spoken_of(backbone), str(atlas.made_by["weights_sha256"]), recipe, recipe.precision)
    known = [row for row, content in enumerate(contents) if content]
    sizes = atlas.um_per_px
    workshop.embeddings.put(
        (keys.key(contents[row], um_per_px=float(sizes[row])), atlas.embeddings[row]) for row in known
    )
    asked = {row: _question(atlas[row]) for row in known}
    workshop.embeddings.note({question: contents[row] for row, question in asked.items() if question})


def fit(atlas: Atlas, workshop: Workshop, space: Space | None = None, rows: Rows | None = None) -> Work[Atlas]:
    """Make features of the embeddings, and find who is near whom.

    With ``rows`` only these say what the space is; the others get features in it all the same.
    """
    from napari_micromap.neighbors import find_neighbors
    from napari_micromap.space import Standardized

    if atlas.embeddings is None:
        raise Problem("Embed the micrographs before laying them out.")
    yield Progress("Comparing", 0, len(atlas))
    fitted = (space or Standardized()).fit(atlas.embeddings if rows is None else atlas.embeddings[rows])
    features = fitted(atlas.embeddings)
    neighbors = yield from find_neighbors(features, NEIGHBORS_KEPT, workshop.search)
    return atlas.with_features(fitted, features, neighbors, rows)


def lay_out(
    atlas: Atlas,
    layout: Layout | None,
    workshop: Workshop,
    rows: Rows | None = None,
    like: Positions | None = None,
) -> Work[tuple[Atlas, str]]:
    """Place the micrographs on a map; returns the atlas and the layout's title.

    Features and neighbors that the atlas has are used again, so another layout or seed costs only itself. With
    ``rows`` only these take part in space and layout; the others are placed beside them, as new ones would be. With
    ``like``, (n, 2) positions of a map that is known already, the new map is turned the way that one lies.
    """
    from napari_micromap.layouts.aligning import turned_like
    from napari_micromap.layouts.placing import among_nearest
    from napari_micromap.neighbors import neighbors_within

    if rows is not None and len(rows) == len(atlas):
        rows = None
    if len(atlas) == 0 or (rows is not None and len(rows) == 0):
        raise Problem("There are no micrographs to lay out; open a folder, or use and include more of them.")
    if layout is None:
        layout = usual_layout(len(atlas) if rows is None else len(rows))
    if layout.holds_gil:
        workshop.warm()
    if atlas.features is None or not _same_rows(atlas.fitted_to, rows):
        atlas = yield from fit(atlas, workshop, rows=rows)
    assert atlas.features is not None
    if rows is None:
        neighbors = yield from _enough_neighbors(atlas.features, atlas.neighbors, layout.neighbors_needed, workshop)
        positions = yield from _laid_out(layout, atlas.features, neighbors, workshop)
        positions = positions if like is None else turned_like(positions, like)
        return atlas.with_positions(positions, repr(layout)), layout.title
    features = atlas.features[rows]
    known = None if atlas.neighbors is None else neighbors_within(atlas.neighbors, rows, layout.neighbors_needed)
    neighbors = yield from _enough_neighbors(features, known, layout.neighbors_needed, workshop)
    placed = yield from _laid_out(layout, features, neighbors, workshop)
    placed = placed if like is None else turned_like(placed, like[rows])
    positions = np.empty((len(atlas), 2), np.float32)
    positions[rows] = placed
    rest = np.setdiff1d(np.arange(len(atlas)), rows)
    positions[rest] = among_nearest(atlas.features[rest], features, placed)
    return atlas.with_positions(positions, repr(layout)), layout.title


def _laid_out(layout: Layout, features: Features, neighbors: Neighbors | None, workshop: Workshop) -> Work[Positions]:
    if layout.holds_gil:
        return (yield from workshop.layout_process.run(layout, features, neighbors))
    return (yield from layout(features, neighbors))


def _same_rows(one: Rows | None, other: Rows | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def usual_layout(n: int) -> Layout:
    """Return the layout that a collection of n micrographs gets where none is named."""
    from napari_micromap.layouts.pca import Pca
    from napari_micromap.layouts.umap import Umap

    return Umap() if n >= FEWEST_FOR_UMAP else Pca()


def _enough_neighbors(
    features: Features, neighbors: Neighbors | None, needed: int, workshop: Workshop
) -> Work[Neighbors | None]:
    from napari_micromap.neighbors import find_neighbors

    if needed and (neighbors is None or neighbors.rows.shape[1] < min(needed, len(features) - 1)):
        neighbors = yield from find_neighbors(features, needed, workshop.search)
    return neighbors


def save(folder: Path, atlas: Atlas, state: Mapping[str, Any], workshop: Workshop) -> Work[Path]:
    """Save a session folder."""
    from napari_micromap.store.sessions import save_session

    return save_session(folder, atlas, state, workshop.thumbnails)


def restore(folder: Path, workshop: Workshop) -> Work[Restored]:
    """Open a session folder, or the entry file in it."""
    from napari_micromap.store.sessions import load_session

    folder, atlas, state = yield from load_session(folder, workshop.thumbnails)
    return Restored(folder, atlas, state)


def clear_kept(workshop: Workshop) -> Work[Kept]:
    """Let go of the embeddings and thumbnails in the workshop's cache folder."""
    from napari_micromap.store.room import clear

    return clear(workshop.cache)
