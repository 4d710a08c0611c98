"""Thumbnails of micrographs, kept or made."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import Problem
from napari_micromap.recipe import thumbnail
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.atlas import Micrograph
    from napari_micromap.store.thumbnails import Thumbnails

Small = NDArray[np.uint8]  # (h, w) or (h, w, 3)
_SIDE = 320  # pixels to read at least, so that the kept one serves everybody


def small_pictures(micrographs: Mapping[int, Micrograph], store: Thumbnails) -> Work[dict[int, Small]]:
    """Take thumbnails from the store, or read the pictures; those that cannot be read are an empty array.

    Parameters
    ----------
    micrographs : row to Micrograph
    store : Thumbnails

    Yields
    ------
    Progress
        Its ``partial`` holds all thumbnails so far.
    """
    done: dict[int, Small] = {}
    for row, micrograph in micrographs.items():
        yield Progress("Reading", len(done), len(micrographs), micrograph.name, partial=dict(done))
        small = small_picture(micrograph, store)
        done[row] = np.empty((0, 0), np.uint8) if small is None else small
    return done


def small_picture(micrograph: Micrograph, store: Thumbnails) -> Small | None:
    """Take a thumbnail from the store, or read the picture and keep one; None where it cannot be read."""
    key = store.key_of(micrograph)
    kept = store.get(key)
    if kept is not None:
        return kept
    try:
        made = thumbnail(micrograph.specimen(_SIDE))
    except (Problem, OSError):
        return None
    with contextlib.suppress(Problem):  # one that cannot be kept is shown all the same
        store.put(key, made)
    return made
