"""Made-up surfaces of REBCO-like films: grains, pores, needles, outgrowths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Heights: TypeAlias = NDArray[np.float32]  # (h, w), in pixels
Mask: TypeAlias = NDArray[np.bool_]  # (h, w)


@dataclass(frozen=True, slots=True)
class Film:
    """What the surface of a film is like.

    Parameters
    ----------
    porosity, needles : float
        Share of the area that is pores, and that is a-axis needles.
    grain_um : float
        Diameter of the c-axis grains of the matrix, in µm.
    pore_um : float
        Diameter of a usual pore, in µm.
    outgrowths_per_um2 : float
        Round particles on the surface.
    angle : float
        Of the needles' directions against the picture, in degrees; they are perpendicular to one another.
    """

    porosity: float
    needles: float
    grain_um: float
    pore_um: float
    outgrowths_per_um2: float
    angle: float = 0.0


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface, and what each pixel of it is.

    Parameters
    ----------
    height : (h, w) float32
        In pixels.
    pores, needles, outgrowths : (h, w) bool
        They do not overlap; what is in none of them is the matrix.
    """

    height: Heights
    pores: Mask
    needles: Mask
    outgrowths: Mask


def grow(film: Film, shape: tuple[int, int], um_per_px: float, rng: np.random.Generator) -> Surface:
    """Grow a surface of (h, w) pixels that is as the film says."""
    matrix, bounds = _matrix(shape, film.grain_um / um_per_px, rng)
    height = matrix.copy()
    needles = _raise_needles(height, film, um_per_px, rng)
    outgrowths = _raise_outgrowths(height, film, um_per_px, rng)
    needles &= ~outgrowths
    pores = _sink_pores(height, bounds, film, um_per_px, needles | outgrowths, rng)
    return Surface(height, pores, needles, outgrowths)


# ---------------------------------------------------------------------------- the matrix


def _matrix(shape: tuple[int, int], grain_px: float, rng: np.random.Generator) -> tuple[Heights, Heights]:
    """Return heights of touching grains, and how far each pixel lies from the middle of its grain (1 at its border)."""
    from scipy import ndimage

    # Half the resolution is enough: grains are soft, and this is the slowest step.
    small = (-(-shape[0] // 2), -(-shape[1] // 2))
    size = grain_px / 2
    margin = int(2 * size) + 4
    seeds = _seeds((small[0] + 2 * margin, small[1] + 2 * margin), size, rng)
    away, nearest = ndimage.distance_transform_edt(~seeds, return_indices=True)
    rows, columns = _warped(small, 0.16 * size, 0.7 * size, rng)
    rows, columns = rows + margin, columns + margin
    away = (away[rows, columns] / (0.62 * size)).astype(np.float32)
    label = nearest[0][rows, columns].astype(np.int64) * seeds.shape[1] + nearest[1][rows, columns]
    own = rng.standard_normal(4096).astype(np.float32)[label * 2654435761 % 4096]
    lean = rng.uniform(0, 2 * np.pi, 4096).astype(np.float32)[label * 2654435761 % 4096]
    dome = 1 - np.minimum(away, 1.3) ** 2
    # Growth steps: islands of c-axis grains are terraced.
    level = dome * rng.uniform(3.5, 5.0)
    dome = 0.62 * dome + 0.38 * (np.floor(level) + _smooth_step((level % 1 - 0.35) / 0.3)) / 4.2
    tilt = (
        np.cos(lean) * (rows - nearest[0][rows, columns]) + np.sin(lean) * (columns - nearest[1][rows, columns])
    ) / size
    border = (label[1:, 1:] != label[:-1, 1:]) | (label[1:, 1:] != label[1:, :-1])
    groove = ndimage.gaussian_filter(np.pad(border, ((1, 0), (1, 0))).astype(np.float32), 0.8)
    rise = 0.16 * grain_px**0.75
    groove *= 0.55 + 0.35 * np.tanh(smooth_noise(small, 1.2 * size, rng))
    height = rise * (dome + 0.42 * own + 0.6 * tilt) - groove * min(2.2, 0.09 * grain_px + 0.6)
    return _doubled(height, shape), _doubled(away, shape)


def _seeds(shape: tuple[int, int], size: float, rng: np.random.Generator) -> Mask:
    """Scatter the middles of grains, on a loose grid, so that none is far larger than the others."""
    steps = [max(2, round(side / size)) for side in shape]
    grid = np.stack(np.meshgrid(*(np.arange(step) for step in steps), indexing="ij"), axis=-1).reshape(-1, 2)
    places = (grid + rng.uniform(-0.1, 1.1, grid.shape)) * [side / step for side, step in zip(shape, steps)]
    places = places[rng.random(len(places)) < 0.85]
    seeds = np.zeros(shape, bool)
    rows, columns = np.clip(places.astype(int), 0, np.array(shape) - 1).T
    seeds[rows, columns] = True
    return seeds


def _warped(
    shape: tuple[int, int], reach: float, length: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and column numbers that wander by about ``reach``, so that borders are not straight."""
    rows, columns = np.indices(shape)
    wander = [smooth_noise(shape, length / 2, rng) * reach for _ in range(2)]
    return np.rint(rows + wander[0]).astype(np.intp), np.rint(columns + wander[1]).astype(np.intp)


# ---------------------------------------------------------------------------- pores


def _sink_pores(
    height: Heights, bounds: Heights, film: Film, um_per_px: float, taken: Mask, rng: np.random.Generator
) -> Mask:
    """Sink pores into a height map, mostly where grains meet; their area is exactly that of the film."""
    size = film.pore_um / um_per_px
    field = smooth_noise(height.shape, 0.34 * size, rng) + np.float32(2.2) * bounds
    small = tuple(-(-side // 2) for side in height.shape)
    field += np.float32(0.1) * _doubled(smooth_noise(small, 0.05 * size, rng), height.shape)
    field[taken] = -np.inf
    wanted = min(round(film.porosity * height.size), int(np.count_nonzero(~taken)) - 1)
    if wanted <= 0:
        return np.zeros(height.shape, bool)
    edge = np.partition(field.ravel(), -wanted)[-wanted]
    pores: Mask = field >= edge
    depth = 1 - np.exp((edge - field[pores]) / 0.35)
    height[pores] -= depth * min(14.0, 1.1 * size)
    return pores


# ---------------------------------------------------------------------------- needles


def _raise_needles(height: Heights, film: Film, um_per_px: float, rng: np.random.Generator) -> Mask:
    """Raise elongated grains, in two perpendicular directions, until they cover their share."""
    mask = np.zeros(height.shape, bool)
    wanted = round(film.needles * mask.size)
    covered = 0
    turned = np.deg2rad(film.angle)
    crowd = smooth_noise(height.shape, 40.0, rng)
    while covered < wanted:
        center = rng.uniform(0, 1, 2) * height.shape
        width = min(rng.lognormal(np.log(0.19), 0.35), 0.45) / um_per_px
        length = min(width * rng.lognormal(np.log(6), 0.4), 3.4 / um_per_px)
        lot, direction = rng.random(), turned + rng.integers(2) * np.pi / 2 + rng.normal(0, 0.012)
        top, roof = rng.uniform(1.5, 6.5), rng.normal(0, [0.10, 0.02, 0.5])
        if lot > 0.65 + 0.4 * crowd[int(center[0]), int(center[1])]:
            continue
        covered += _raise_needle(height, mask, center, length, width, direction, top, roof, rng)
    return mask


def _raise_needle(
    height: Heights, mask: Mask, center: NDArray[Any], length: float, width: float, direction: float, top: float,
    roof: NDArray[Any], rng: np.random.Generator,
) -> int:  # fmt: skip
    """Raise one needle; return how many pixels it covers anew."""
    sine, cosine = abs(np.sin(direction)), abs(np.cos(direction))
    reach = np.array([length * sine + 1.6 * width * cosine, length * cosine + 1.6 * width * sine]) / 2 + 1
    patch, (rows, columns) = _patch(height.shape, center, reach)
    if rows.size == 0:
        return 0
    along = columns * np.cos(direction) + rows * np.sin(direction)
    across = rows * np.cos(direction) - columns * np.sin(direction)
    # Flanks are nearly straight and often narrow to one end; ends are a little pointed.
    half = width / 2 * (1 + 0.5 * roof[2] * along / length)
    half += 0.018 * width * (np.sin(along * rng.uniform(0.08, 0.2) + rng.uniform(0, 6)) + np.sin(along * 0.31))
    inside = np.minimum(half - np.abs(across), (length / 2 - np.abs(along)) - rng.uniform(0, 0.5) * np.abs(across))
    covers = inside > 0
    level = np.median(height[patch][::3, ::3]) + top + roof[0] * across + roof[1] * along
    level += 0.25 * np.round(np.sin(along * rng.uniform(0.05, 0.15) + across * 0.1))  # growth steps
    flank = np.clip(inside / 1.8, 0, 1)
    raised = height[patch] * (1 - flank) + level * flank
    height[patch] = np.where(covers, np.maximum(raised, height[patch] - 1), height[patch])
    new = int(np.count_nonzero(covers & ~mask[patch]))
    mask[patch] |= covers
    return new


# ---------------------------------------------------------------------------- outgrowths


def _raise_outgrowths(height: Heights, film: Film, um_per_px: float, rng: np.random.Generator) -> Mask:
    """Raise round particles, some of several balls."""
    mask = np.zeros(height.shape, bool)
    count = rng.poisson(film.outgrowths_per_um2 * height.size * um_per_px**2)
    for _ in range(count):
        center = rng.uniform(0, 1, 2) * height.shape
        radius = min(rng.lognormal(np.log(0.26), 0.38), 0.75) / um_per_px
        for ball in range(rng.choice([1, 1, 2, 3])):
            shift = rng.normal(0, 0.75, 2) * radius * (ball > 0)
            _raise_ball(height, mask, center + shift, radius * (1 if ball == 0 else rng.uniform(0.45, 0.85)), rng)
    return mask


def _raise_ball(height: Heights, mask: Mask, center: NDArray[Any], radius: float, rng: np.random.Generator) -> None:
    patch, (rows, columns) = _patch(height.shape, center, np.full(2, 1.35 * radius))
    if rows.size == 0:
        return
    turn = np.arctan2(rows, columns)
    wave, phase = rng.uniform(0.01, 0.07, 3), rng.uniform(0, 2 * np.pi, 3)
    outline = radius * (1 + sum(wave[k] * np.cos((k + 2) * turn + phase[k]) for k in range(3)))
    away = np.hypot(rows, columns) / outline
    inside = away < 1
    ball = 0.85 * radius * np.sqrt(np.clip(1 - away**2, 0, 1))
    height[patch] = np.where(inside, np.maximum(height[patch], np.median(height[patch]) + ball), height[patch])
    mask[patch] |= inside


# ---------------------------------------------------------------------------- pieces


def _patch(
    shape: tuple[int, ...], center: NDArray[Any], reach: NDArray[Any]
) -> tuple[tuple[slice, slice], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the part of a picture around a place, and its rows and columns counted from there."""
    spans = []
    for side, middle, far in zip(shape, center, reach):
        start, stop = max(0, int(middle - far)), min(side, int(middle + far) + 1)
        spans.append(slice(start, max(start, stop)))
    rows, columns = (
        np.arange(span.start, span.stop, dtype=np.float32) - np.float32(middle) for span, middle in zip(spans, center)
    )
    return (spans[0], spans[1]), (rows[:, None] + 0 * columns, columns[None] + 0 * rows[:, None])


def smooth_noise(shape: tuple[int, ...], length: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth noise of unit variance; ``length`` is the sigma of its smoothing, in pixels."""
    # Coarse where it is smooth: as many points as it needs, then interpolated.
    step = max(1, int(length / 1.6))
    coarse = [-(-side // step) + 1 for side in shape]
    noise = blurred(rng.standard_normal(coarse, dtype=np.float32), length / step)
    noise *= np.float32(2 * np.sqrt(np.pi) * length / step) if length / step > 0.6 else np.float32(1)
    return noise[: shape[0], : shape[1]] if step == 1 else _enlarged(noise, step, shape)


def _enlarged(
    coarse: NDArray[np.float32], step: int, shape: tuple[int, ...], start: float = 0.0
) -> NDArray[np.float32]:
    """Interpolate linearly, one direction after the other, from ``start`` (in fine pixels) on."""
    for axis in (1, 0):
        place = (np.arange(shape[axis], dtype=np.float32) + np.float32(start)) / np.float32(step)
        whole = np.minimum(place.astype(np.intp), coarse.shape[axis] - 2)
        part = (place - whole).reshape((-1, 1) if axis == 0 else (1, -1)).astype(np.float32)
        low = np.take(coarse, whole, axis)
        coarse = low + (np.take(coarse, whole + 1, axis) - low) * part
    return coarse


def _doubled(half: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    padded = np.pad(half.astype(np.float32), ((0, 1), (0, 1)), mode="edge")
    return _enlarged(padded, 2, shape)


def blurred(picture: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """Blur by a Gaussian of ``sigma`` pixels."""
    from scipy import ndimage

    picture = picture.astype(np.float32, copy=False)
    step = int(sigma / 1.4)
    if step < 2:
        return np.asarray(ndimage.gaussian_filter(picture, sigma, truncate=2.6), np.float32)
    # What is that smooth needs fewer points.
    wide = np.pad(picture, [(step, 2 * step + -side % step) for side in picture.shape], mode="edge")
    tall, broad = (side // step for side in wide.shape)
    coarse = wide[: tall * step, : broad * step].reshape(tall, step, broad, step).mean(axis=(1, 3))
    coarse = ndimage.gaussian_filter(coarse, sigma / step, truncate=2.6)
    return _enlarged(coarse, step, picture.shape, start=step - (step - 1) / 2)


def _smooth_step(value: NDArray[Any]) -> NDArray[Any]:
    value = np.clip(value, 0, 1)
    stepped: NDArray[Any] = value * value * (3 - 2 * value)
    return stepped
