"""Dots as they are drawn: their order, colors and shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.colors import DARK_GROUND, LIGHT_GROUND, MISSING, luminance
from napari_micromap.views.map.packed import Packed, Rgb, mixed, packed

FILLED, HOLLOW, CROSSED = 0, 1, 2  # with a value, without one, excluded
LARGEST_DOT = 9.0
FADED = 0.25  # what is left of the color of dots that are not selected while others are
FADED_CROSS = 0.6  # of a cross, which has less of it
FADED_LINE = 0.35  # and of the lines around them

_STEPS = ((200, 9.0), (2_000, 6.0), (20_000, 4.0), (200_000, 3.0))  # below so many dots: diameter in logical pixels
_SMALLEST_DOT = 2.0
# sRGB levels to light, and what the eye makes of red, green and blue (WCAG 2.2).
_LINEAR = np.array([luminance((level, level, level)) for level in range(256)], np.float32)
_RED, _GREEN, _BLUE = (_LINEAR * np.float32(part) for part in (0.2126, 0.7152, 0.0722))
_PLAIN, _STRONG = (3.0, 0.82), (4.5, 0.5)  # contrast with the ground: how much of the outline's color a line takes


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies behind the dots, and the colors that stand out from it.

    Parameters
    ----------
    rgb : (int, int, int)
        Color of the ground itself.
    outline : (int, int, int)
        Color toward which the thin line around each dot is tinted.
    strong : (int, int, int)
        Color of the line around selected dots.
    missing : (int, int, int)
        Color of the ring of a dot without a value.
    """

    rgb: Rgb
    outline: Rgb
    strong: Rgb
    missing: Rgb


def lines_around(fill: Packed, ground: Ground) -> Packed:
    """Return the colors of the lines around dots: their own, tinted as much as they need to stand out.

    So crowded dots do not drown in gray lines.
    """
    level = np.uint32(255)
    light = _RED[fill & level] + _GREEN[fill >> np.uint32(8) & level] + _BLUE[fill >> np.uint32(16) & level]
    behind = np.float32(luminance(ground.rgb))
    contrast = (np.maximum(light, behind) + np.float32(0.05)) / (np.minimum(light, behind) + np.float32(0.05))
    (low, most), (high, least) = _PLAIN, _STRONG
    share = np.float32(most) - (contrast - np.float32(low)) * np.float32((most - least) / (high - low))
    return mixed(fill, packed(ground.outline), np.clip(share, least, most))


def ground_of(rgb: Rgb) -> Ground:
    """Return a ground of this color with what stands out from it: light on dark, dark on light."""
    if luminance(rgb) < 0.18:
        return Ground(rgb, outline=(240, 243, 250), strong=(255, 255, 255), missing=MISSING)
    return Ground(rgb, outline=(16, 18, 24), strong=(0, 0, 0), missing=MISSING)


DARK = ground_of(DARK_GROUND)
LIGHT = ground_of(LIGHT_GROUND)


@dataclass(frozen=True, eq=False, slots=True)
class Dots:
    """Dots in the order in which they are drawn: excluded, without value, the others, the selected.

    Parameters
    ----------
    x, y : (m,) float32
        Map coordinates, all finite.
    rows : (m,) int32
        Row of each dot.
    colors : (1 + m,) uint32
        Opaque color of each dot, with that of the ground in front.
    kinds : (m,) uint8
        FILLED, HOLLOW or CROSSED.
    selected_from : int
        Dots from here on are selected.
    ground : Ground
        What they stand on.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    rows: NDArray[np.int32]
    colors: Packed
    kinds: NDArray[np.uint8]
    selected_from: int
    ground: Ground

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Lowest and highest map coordinates; zeros without dots."""
        if not len(self):
            return (0.0, 0.0), (0.0, 0.0)
        return (float(self.x.min()), float(self.y.min())), (float(self.x.max()), float(self.y.max()))


def diameter(n: int, zoom: float = 1.0) -> float:
    """Return the diameter of a dot in logical pixels, by how many there are; it grows slowly as one zooms in."""
    at_rest = next((size for below, size in _STEPS if n < below), _SMALLEST_DOT)
    return float(min(LARGEST_DOT, at_rest * max(1.0, zoom) ** 0.35))


def shuffled(n: int, seed: int = 0) -> NDArray[np.intp]:
    """Return rows in a seeded random order, which stays the same for the rows that were there before it grew."""
    return np.argsort(np.random.default_rng(seed).random(n, np.float32), kind="stable")


def arrange(
    positions: NDArray[np.floating],
    rgb: NDArray[np.uint8],
    *,
    missing: NDArray[np.bool_] | None = None,
    selected: NDArray[np.bool_] | None = None,
    excluded: NDArray[np.bool_] | None = None,
    ground: Ground = DARK,
    order: NDArray[np.intp] | None = None,
) -> Dots:
    """Put dots in the order in which they are drawn, with their colors.

    Parameters
    ----------
    positions : (n, 2) array
        Map coordinates; NaN for rows that are not on the map.
    rgb : (n, 3) uint8
        Color of each row.
    missing : (n,) bool
        Rows without a value: hollow gray rings, drawn first.
    selected : (n,) bool
        Rows that keep their color with a stronger outline, on top; if any is, the others fade.
    excluded : (n,) bool
        Rows that are a small cross.
    ground : Ground
        What they stand on.
    order : (n,) int
        Order of drawing within the same state; :func:`shuffled` if left out, so that no category always lies on top.
    """
    n = len(positions)
    order = shuffled(n) if order is None else order
    state = np.full(n, 2, np.uint8)
    kind = np.full(n, FILLED, np.uint8)
    if missing is not None:
        state[missing], kind[missing] = 1, HOLLOW
    if excluded is not None:
        state[excluded], kind[excluded] = 0, CROSSED
    if selected is not None:
        state[selected] = 3
    present = np.isfinite(positions[:, 0]) & np.isfinite(positions[:, 1])
    order = order if present.all() else order[present[order]]
    if state.min(initial=3) != state.max(initial=0):
        order = order[np.argsort(state[order], kind="stable")]  # a radix sort: 1e6 rows in some ms
    placed = np.take(np.asarray(positions, np.float32), order, axis=0)
    selected_from = int(np.searchsorted(state[order], 3))
    return Dots(
        x=np.ascontiguousarray(placed[:, 0]),
        y=np.ascontiguousarray(placed[:, 1]),
        rows=order.astype(np.int32),
        colors=_colors(rgb, kind, order, selected_from, ground),
        kinds=kind[order],
        selected_from=selected_from,
        ground=ground,
    )


def moved(dots: Dots, positions: NDArray[np.floating]) -> Dots:
    """Return the same dots at other positions, all of them finite where they were."""
    placed = np.take(np.asarray(positions, np.float32), dots.rows, axis=0)
    return replace(dots, x=np.ascontiguousarray(placed[:, 0]), y=np.ascontiguousarray(placed[:, 1]))


def _colors(
    rgb: NDArray[np.uint8], kind: NDArray[np.uint8], order: NDArray[np.intp], selected_from: int, ground: Ground
) -> Packed:
    """Return the colors of the ground and of the dots in their order."""
    rgba = np.full((len(rgb), 4), 255, np.uint8)
    rgba[:, :3] = rgb
    of_rows = rgba.view(np.uint32).ravel()
    of_rows[kind != FILLED] = packed(ground.missing)
    colors = np.concatenate([np.array([packed(ground.rgb)]), np.take(of_rows, order)])
    if selected_from < len(order):
        kept = np.where(kind[order[:selected_from]] == CROSSED, np.float32(FADED_CROSS), np.float32(FADED))
        colors[1 : 1 + selected_from] = mixed(colors[0], colors[1 : 1 + selected_from], kept)
        rings = 1 + selected_from + np.flatnonzero(kind[order[selected_from:]] != FILLED)
        colors[rings] = mixed(colors[rings], packed(ground.strong), 0.6)
    return colors
