"""Thumbnails fetched for the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_micromap.atlas import Atlas
from napari_micromap.montage.small import Small, small_pictures
from napari_micromap.store.thumbnails import Thumbnails
from napari_micromap.work import Progress, Work

_TALLEST, _FLATTEST = 1.25, 0.5  # height over width of the boxes


def aspect_of(atlas: Atlas) -> float:
    """Return the height over width that most pictures of a collection need, without their data bars."""
    sizes = atlas.columns[["height", "width", "bar_rows"]].to_numpy(float, na_value=np.nan)
    ratios = (sizes[:, 0] - np.nan_to_num(sizes[:, 2])) / np.maximum(sizes[:, 1], 1)
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    return float(np.clip(np.percentile(ratios, 80), _FLATTEST, _TALLEST)) if len(ratios) else 0.75


def pictures_of(atlas: Atlas, rows: Sequence[int], store: Thumbnails, side: int) -> Work[dict[int, Small]]:
    """Take thumbnails from the store, or make them, no larger than needed; ``partial`` holds those so far."""
    micrographs = {row: atlas[row] for row in rows}
    done: dict[int, Small] = {}
    steps = small_pictures(micrographs, store)
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return _shrunk(end.value, done, side)
        so_far = progress.partial if isinstance(progress.partial, dict) else {}
        yield Progress(progress.stage, progress.done, progress.total, progress.note, _shrunk(so_far, done, side))


def _shrunk(found: dict[int, Small], done: dict[int, Small], side: int) -> dict[int, Small]:
    """Return all found so far, those that are new made smaller first."""
    from PIL import Image

    for row in found.keys() - done.keys():
        small = found[row]
        if max(small.shape[:2]) > side:
            picture = Image.fromarray(small)
            picture.thumbnail((side, side), Image.Resampling.BOX)
            small = np.asarray(picture)
        done[row] = small
    return dict(done)
