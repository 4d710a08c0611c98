"""One scale for all tiles of a page, and the bars on tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.labels import length_label, round_length

FEWEST = 64  # of its own pixels that a tile shows across: what is cut smaller is only a blur
LONGEST = 0.4  # of a tile's width: its scale bar
UNKNOWN = "no scale"


@dataclass(frozen=True, eq=False)
class OneScale:
    """What of each picture is shown, so that all have the same scale.

    Parameters
    ----------
    field_um : float
        Width that fills a tile, in µm.
    sizes : (k, 2) int
        Height and width that are shown, in each picture's own pixels.
    cuts : (k, 4) float
        Top, left, height and width of what is shown, as shares of the whole picture.
    widths : (k,) float
        How much of a tile's width each fills.
    """

    field_um: float
    sizes: NDArray[np.intp]
    cuts: NDArray[np.float64]
    widths: NDArray[np.float64]


def one_scale(sizes: NDArray[np.floating], um_per_px: NDArray[np.floating], tallest: float) -> OneScale | None:
    """Cut pictures from their middles, so that the smallest field fills a tile; None where no scale is known.

    Fields so small that the coarsest picture would show too few of its pixels fill only part of a tile. A picture of
    unknown scale is shown as a whole.

    Parameters
    ----------
    sizes : (k, 2)
        Height and width in pixels.
    um_per_px : (k,)
        NaN where unknown.
    tallest : float
        Height of a tile over its width, at most.
    """
    known = um_per_px > 0
    if not known.any():
        return None
    fields = np.where(known, sizes[:, 1] * np.where(known, um_per_px, 1.0), np.nan)
    field = float(min(max(np.nanmin(fields), FEWEST * np.nanmax(um_per_px)), np.nanmax(fields)))
    shown = np.rint(sizes).astype(np.intp)
    # Whole pixels are cut, and what they measure says how wide the tile is: so the scale is exact.
    across = np.minimum(shown[:, 1], np.rint(field / np.where(known, um_per_px, np.nan)))
    down = np.rint(across * sizes[:, 0] / sizes[:, 1])
    most = np.floor(tallest * field / np.where(known, um_per_px, np.nan))
    cut = np.maximum(1, np.stack([np.minimum(np.minimum(down, most), shown[:, 0]), across], axis=1))
    cut = np.where(known[:, None], cut, shown).astype(np.intp)
    begin = (shown - cut) // 2
    cuts = np.concatenate([begin / shown, cut / shown], axis=1)
    return OneScale(field, cut, cuts, np.where(known, cut[:, 1] * um_per_px / field, 1.0))


@dataclass(frozen=True, eq=False)
class TileBars:
    """Scale bars of tiles: how long in scene units, 0 where there is none, and what stands above.

    Parameters
    ----------
    lengths : (k,) float
    labels : sequence of str
        "" for a tile without any.
    """

    lengths: NDArray[np.float64]
    labels: Sequence[str]


def tile_bars(um_per_unit: NDArray[np.floating], widths: NDArray[np.floating]) -> TileBars:
    """Return a bar of round length for each tile; of unknown scale it is said.

    Parameters
    ----------
    um_per_unit : (k,)
        µm a scene unit, NaN where unknown.
    widths : (k,)
        Of the tiles in scene units.
    """
    lengths, labels = np.zeros(len(widths)), []
    for tile, (scale, width) in enumerate(zip(um_per_unit.tolist(), widths.tolist(), strict=True)):
        if scale > 0:
            length = round_length(scale * width * LONGEST)
            lengths[tile] = length / scale
            labels.append(length_label(length))
        else:
            labels.append(UNKNOWN)
    return TileBars(lengths, labels)


def only_unknown(um_per_unit: NDArray[np.floating]) -> TileBars:
    """Say on tiles of unknown scale that it is not known, and nothing on the others."""
    return TileBars(np.zeros(len(um_per_unit)), ["" if scale > 0 else UNKNOWN for scale in um_per_unit.tolist()])
