"""What stands on figures of a shared map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Rows
from napari_micromap.colors import Coloring, colors_of, plain
from napari_micromap.figures.exemplars import Exemplar, typical_rows
from napari_micromap.figures.gallery import GalleryToDraw, Tile, pixels_wanted, save_gallery
from napari_micromap.figures.legends import counting
from napari_micromap.figures.map import MapToDraw, save_map
from napari_micromap.montage.captions import captions
from napari_micromap.montage.small import small_picture
from napari_micromap.problems import Problem
from napari_micromap.sharing.snapshot import Snapshot
from napari_micromap.wording import counts_of, picture_noun, sample_noun, unit_of
from napari_micromap.work import Progress, Work

What = Literal["map", "gallery"]
EXEMPLARS = (8, 12)  # on one column of a journal, on two
MOST_TILES = 60  # that fit on a page


def save_figure_of(
    shared: Snapshot,
    path: Path | str,
    what: What = "map",
    width_mm: float = 85.0,
    pictures: bool = False,
    dpi: int = 600,
) -> Work[Path]:
    """Save the map, or the selected micrographs, as a figure: PNG, SVG or PDF by the ending of the name.

    Parameters
    ----------
    what : "map" or "gallery"
    width_mm : float
        85 for one column of a journal, 170 for two.
    pictures : bool
        Typical micrographs around the map.
    dpi : int
        Of what is pixels.
    """
    path = Path(path)
    if what == "gallery":
        gallery = yield from gallery_of(shared, width_mm=width_mm, dpi=dpi)
        yield Progress("Drawing", note=path.name)
        return save_gallery(path, gallery, width_mm, dpi)
    drawn = yield from map_of(shared, EXEMPLARS[width_mm > 120] if pictures else 0)
    yield Progress("Drawing", note=path.name)
    return save_map(path, drawn, width_mm, dpi=dpi)


def map_of(shared: Snapshot, exemplars: int = 0) -> Work[MapToDraw]:
    """Take the map as it is shown, with so many typical micrographs around it."""
    atlas = shared.atlas
    positions = np.where(shared.shown[:, None], shared.positions, np.nan).astype(np.float32)
    drawn = MapToDraw(
        positions,
        _coloring(shared, shared.used),
        layout=shared.title,
        samples=None if atlas.samples is None else int(atlas.samples.iloc[shared.used].nunique()),
        synthetic=shared.color_by in atlas.synthetic,
        excluded=np.array(list(shared.reasons), np.intp),
        nouns=(picture_noun(atlas), sample_noun(atlas)),
    )
    if not exemplars:
        return drawn
    used = np.full_like(positions, np.nan)
    used[shared.used] = positions[shared.used]
    rows = typical_rows(used, exemplars, atlas.samples)
    shown: list[Exemplar] = []
    unit = unit_of(shared.color_by or "")
    for row, label in zip(rows.tolist(), _captions(shared, rows)):
        yield Progress("Reading", len(shown), len(rows))
        picture = small_picture(atlas[row], shared.thumbnails)
        if picture is not None:  # the unit, and that values are made up, stand in the legend
            shown.append(Exemplar(row, picture, label.removesuffix(" · synthetic").removesuffix(f" {unit}")))
    return replace(drawn, exemplars=shown)


def gallery_of(
    shared: Snapshot, rows: Rows | None = None, width_mm: float = 170.0, dpi: int = 600
) -> Work[GalleryToDraw]:
    """Take the selected micrographs, or some rows, at the resolution that the figure needs."""
    chosen = shared.selected if rows is None else np.asarray(rows, np.intp)
    if not len(chosen):
        raise Problem("Select some images first; then a figure can show them.")
    if len(chosen) > MOST_TILES:
        raise Problem(f"A figure has room for {MOST_TILES} images and {len(chosen):,} are selected; select fewer.")
    atlas, coloring = shared.atlas, _coloring(shared, chosen)
    side = pixels_wanted(len(chosen), width_mm, dpi)
    tiles: list[Tile] = []
    for row, caption in zip(chosen.tolist(), _captions(shared, chosen)):
        yield Progress("Reading", len(tiles), len(chosen), str(atlas.columns["file"].iat[row]))
        color = tuple(int(part) for part in coloring.rgb[row])
        pixels, um_per_px = _picture(shared, row, side)
        tiles.append(Tile(pixels, (color[0], color[1], color[2]), tuple(caption.split(" · ", 1)), um_per_px))
    return GalleryToDraw(tiles, coloring, counts_of(atlas, chosen), shared.color_by in atlas.synthetic)


def _coloring(shared: Snapshot, rows: Rows) -> Coloring:
    """Return the colors of all, and a legend that counts only some."""
    atlas = shared.atlas
    if shared.color_by is None:
        return plain(len(atlas))
    counted = np.zeros(len(atlas), bool)
    counted[rows] = True
    whole = colors_of(atlas.columns[shared.color_by])
    legend = counting(whole, counted)
    return replace(legend, entries=tuple(entry for entry in legend.entries if entry.count))


def _captions(shared: Snapshot, rows: Rows) -> list[str]:
    return captions(shared.atlas, rows, shared.color_by, excluded=shared.reasons)


def _picture(shared: Snapshot, row: int, side: int) -> tuple[NDArray[np.generic], float | None]:
    """Return a micrograph without its data bar, about so wide, and the size of its pixels."""
    from napari_micromap.recipe import thumbnail

    atlas = shared.atlas
    micrograph = atlas[row]
    try:
        small = thumbnail(micrograph.specimen(side), side)
    except (Problem, OSError) as problem:
        kept = small_picture(micrograph, shared.thumbnails)
        if kept is None:
            raise Problem(f"“{micrograph.name}” cannot be read ({problem}); take it out of the selection.") from problem
        small = kept
    size, width = (float(str(atlas.columns[name].iat[row])) for name in ("um_per_px", "width"))
    known = np.isfinite(size) and size > 0 and np.isfinite(width)
    return small, size * width / small.shape[1] if known else None
