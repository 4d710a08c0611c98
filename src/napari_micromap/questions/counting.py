"""What descriptors count in micrographs, as work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Micrograph
from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.problems import Problem
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.pipeline import Workshop

_KEPT_AT_ONCE = 16  # micrographs whose values are written in one go: a sudden end loses no more
_TOLD_AT = (16, 48, 144, 432)  # measured micrographs at which what was counted so far is told
_SMALLEST = 16  # pixels of a side below which there is nothing to count


@dataclass(frozen=True, eq=False)
class Counted:
    """Values of micrographs.

    Parameters
    ----------
    values : row to values by quantity
        Lengths in pixels of the file.
    unread : row to the reason
    """

    values: Mapping[int, Mapping[str, float]]
    unread: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outline:
    """What was counted in one micrograph for one quantity.

    Parameters
    ----------
    mask : (h, w) bool
        Over the whole picture without its data bar, perhaps coarser than it.
    out : (h, w) bool or None
        What was left out.
    said : str
        How the mask came about.
    value : float
        The quantity; lengths in pixels of the file.
    step : int
        Pixels of the file, a side, in one of the mask's.
    whole : bool
        Whether the quantity looks at the whole picture, so that all of it is outlined.
    """

    mask: NDArray[np.bool_]
    out: NDArray[np.bool_] | None
    said: str
    value: float
    step: int
    whole: bool


def measure(atlas: Atlas, rows: Iterable[int], measuring: Measuring, workshop: Workshop) -> Work[Counted]:
    """Measure micrographs by all descriptors; what is known is not measured again.

    Now and then ``Progress.partial`` holds what was counted so far.
    """
    wanted = [int(row) for row in rows]
    names = list(measuring.descriptors)
    keys = {row: _keys(atlas[row], measuring, workshop) for row in wanted}
    known = workshop.measurements.get([key for row in wanted for key in keys[row].values()])
    lacking = {row: [n for n in names if keys[row][n] not in known or _is_changed(atlas[row])] for row in wanted}
    values: dict[int, dict[str, float]] = {row: {} for row in wanted}
    unread: dict[int, str] = {}
    fresh: list[tuple[str, Mapping[str, float]]] = []
    for row in wanted:
        for name in names:
            values[row].update(known.get(keys[row][name], {}))
    asked = [row for row in wanted if lacking[row]]
    found = in_order(lambda row: _tried(atlas[row], measuring, lacking[row]), asked)
    if asked:
        yield Progress("Measuring", 0, len(asked), note=atlas[asked[0]].name)
    try:
        for done, (row, one) in enumerate(zip(asked, found), start=1):
            if isinstance(one, str):
                unread[row] = one
            else:
                for name, numbers in one.items():
                    values[row].update(numbers)
                    fresh += [] if _is_changed(atlas[row]) else [(keys[row][name], numbers)]
            so_far = None
            if done in _TOLD_AT and done < len(asked):
                so_far = Counted({r: dict(v) for r, v in values.items() if len(v) and r not in unread}, dict(unread))
            yield Progress("Measuring", done, len(asked), atlas[row].name, so_far)
            if len(fresh) >= _KEPT_AT_ONCE * len(names):
                workshop.measurements.put(fresh)
                fresh = []
    finally:
        found.close()
        if fresh:
            workshop.measurements.put(fresh)
    return Counted({row: one for row, one in values.items() if row not in unread}, unread)


def outline(micrograph: Micrograph, quantity: str, measuring: Measuring) -> Work[Outline]:
    """Find again what was counted in a micrograph for one quantity.

    Raises
    ------
    Problem
        If no descriptor has a quantity of this name.
    """
    yield Progress("Outlining", note=micrograph.name)
    prepared = measuring.prepared(micrograph.specimen())
    for descriptor in measuring.descriptors.values():
        found = prepared.measured(descriptor)
        name = next((name for name in found.values if _alike(name, quantity)), None)
        if name is None:
            continue
        whole = found.mask is None or name not in found.outlined
        mask = np.ones(prepared.gray.shape, bool) if whole or found.mask is None else found.mask
        if whole and prepared.out is not None:
            mask = ~prepared.out
        said = "everything in view counts" if whole else found.threshold
        return Outline(mask, prepared.out, said, found.values[name], prepared.step, whole)
    raise Problem(f"“{quantity}” is not counted in pictures, so there is nothing to outline.")


def _alike(name: str, quantity: str) -> bool:
    """Say whether two names are the same quantity, perhaps in another unit."""
    return name.replace("px", "µm") == quantity.replace("px", "µm")


def _keys(micrograph: Micrograph, measuring: Measuring, workshop: Workshop) -> dict[str, str]:
    content = workshop.thumbnails.key_of(micrograph)  # changes with what is cut off
    return {name: f"{content}:{measuring.key_of(name)}" for name in measuring.descriptors}


def _is_changed(micrograph: Micrograph) -> bool:
    return micrograph.live is not None and micrograph.live.changed


def _tried(micrograph: Micrograph, measuring: Measuring, names: list[str]) -> dict[str, dict[str, float]] | str:
    """Measure a micrograph, or say why that cannot be done."""
    try:
        picture: NDArray[Any] = micrograph.specimen()
    except (Problem, OSError) as error:
        return str(error)
    except MemoryError:
        return "It is too large for the memory of this machine."
    if min(picture.shape[:2]) < _SMALLEST:
        return "It is too small to count anything in it."
    prepared = measuring.prepared(picture)
    return {name: dict(prepared.measured(measuring.descriptors[name]).values) for name in names}
