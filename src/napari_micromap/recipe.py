"""How a micrograph becomes an embedding: crop, contrast, size, views, depths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Gray: TypeAlias = NDArray[np.float32]  # (h, w), 0 black to 1 white

VERSION = 1  # goes up when the same recipe would give other numbers; a part of the cache's keys
SAMPLED = 2**18  # pixels, about, that percentiles are taken from
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue, ITU-R BT.601
NEARLY_GRAY = 8  # of 255: what JPEG leaves between the channels of a gray picture


@dataclass(frozen=True)
class Recipe:
    """What happens to each picture before, in and after the network.

    Parameters
    ----------
    depths : "several" or "last"
        "several" pools the maps of several depths, fine to coarse, each L2-normalized; "last" takes the last layer
        alone, as in the paper.
    views : 1 or 8
        8 averages over all flips and rotations, so that direction does not matter; 1 takes the picture as it stands,
        for directional structures.
    side : int
        Pixels a side to which the picture is squeezed for the network.
    low_percent, high_percent : float
        Gray percentiles that become black and white.
    precision : "float32", "bfloat16" or "auto"
        Number format of the network, one for a whole collection; "auto" takes bfloat16 where the device is fast in it.
    """

    depths: Literal["several", "last"] = "several"
    views: Literal[1, 8] = 8
    side: Annotated[int, {"min": 32, "max": 1024, "step": 32}] = 224
    low_percent: Annotated[float, {"min": 0.0, "max": 49.0, "step": 0.5}] = 0.5
    high_percent: Annotated[float, {"min": 51.0, "max": 100.0, "step": 0.5}] = 99.5
    precision: Literal["float32", "bfloat16", "auto"] = "float32"


def recipe_key(recipe: Recipe) -> str:
    """Return a recipe as text for keys of a cache; "auto" must have been decided before."""
    steps = ",".join(f"{step.name}={getattr(recipe, step.name)}" for step in fields(recipe))
    return f"{VERSION}:{steps}"


# ------------------------------------------------------------ pictures to what the network sees


def gray_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return (h, w) gray of (h, w) or (h, w, 3) pixels, at full depth; a gray picture comes back as it is."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., channel] * np.float32(weight) for channel, weight in enumerate(LUMA))
    gray: NDArray[Any] = red + green + blue
    return gray


def gray_window(gray: NDArray[Any], low_percent: float, high_percent: float) -> tuple[float, float]:
    """Return the gray values that become black and white.

    Pixels that are not finite do not count. Where the percentiles coincide, as in a picture with a few bright specks
    on nothing, the extremes take their place; they coincide in a constant picture only.
    """
    step = max(1, math.ceil((gray.size / SAMPLED) ** 0.5))
    low, high = _percentiles(gray[::step, ::step], (low_percent, high_percent))
    return (low, high) if high > low else _percentiles(gray, (0.0, 100.0))


def prepare(specimen: NDArray[Any], recipe: Recipe) -> Gray:
    """Turn a picture without its data bar into the square that the network sees.

    The window is taken at full depth, before anything is averaged or rounded, so 16-bit and float pictures lose
    nothing; the squeezing averages over all pixels (a triangle filter as wide as the step).

    Parameters
    ----------
    specimen : (h, w) or (h, w, 3), any number format

    Returns
    -------
    (side, side) float32
        0 black to 1 white; a constant picture is 0.5 all over.
    """
    gray = gray_of(specimen)
    windowed = _windowed(gray, gray_window(gray, recipe.low_percent, recipe.high_percent))
    return _resized(windowed, recipe.side, recipe.side)


def thumbnail(specimen: NDArray[Any], side: int = 192, recipe: Recipe | None = None) -> NDArray[np.uint8]:
    """Make a small picture in the same window, its aspect ratio kept; small pictures are not enlarged.

    Returns
    -------
    (h, w) uint8, or (h, w, 3) where the picture has colors; nearly gray ones (JPEG leaves traces) are gray.
    """
    recipe = recipe or Recipe()
    window = gray_window(gray_of(specimen), recipe.low_percent, recipe.high_percent)
    height, width = specimen.shape[:2]
    shrink = min(1.0, side / max(height, width))
    rows, columns = max(1, round(height * shrink)), max(1, round(width * shrink))
    channels = [specimen] if specimen.ndim == 2 else [specimen[..., channel] for channel in range(3)]
    small = np.stack([_resized(_windowed(channel, window), rows, columns) for channel in channels], axis=-1)
    levels = np.rint(small * 255).astype(np.uint8)
    if specimen.ndim == 3 and np.ptp(levels.astype(np.int16), axis=-1).max() > NEARLY_GRAY:
        return levels
    return np.ascontiguousarray(levels[..., len(channels) // 2])


def _percentiles(gray: NDArray[Any], percents: tuple[float, float]) -> tuple[float, float]:
    values = gray.ravel()
    if gray.dtype.kind == "f":
        values = values[np.isfinite(values)]
    elif gray.dtype in (np.uint8, np.uint16):
        return _percentiles_of_counts(np.bincount(values), percents)
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, percents)
    return float(low), float(high)


def _percentiles_of_counts(counts: NDArray[np.intp], percents: tuple[float, float]) -> tuple[float, float]:
    """Do the same from counts of gray levels, which is faster; without interpolation between levels."""
    reached = np.cumsum(counts)
    low, high = (int(np.searchsorted(reached, max(1.0, reached[-1] * percent / 100))) for percent in percents)
    return float(low), float(high)


def _windowed(gray: NDArray[Any], window: tuple[float, float]) -> Gray:
    """Scale a window of gray values to 0–1; what is no number takes the mean, so that it makes no edge of its own."""
    low, high = window
    if high <= low:
        return np.full(gray.shape, 0.5, np.float32)
    if gray.dtype == np.uint8:
        table = ((np.arange(256, dtype=np.float64) - low) / (high - low)).clip(0, 1).astype(np.float32)
        return np.take(table, gray)
    # Only single floats and small integers keep their differences as float32.
    exact = np.float32 if gray.dtype.itemsize <= 2 or gray.dtype == np.float32 else np.float64
    scaled: NDArray[Any] = gray.astype(exact)
    with np.errstate(over="ignore", invalid="ignore"):
        np.subtract(scaled, exact(low), out=scaled)
        np.divide(scaled, exact(high - low), out=scaled)
    missing = np.isnan(scaled) if gray.dtype.kind == "f" else None
    np.clip(scaled, 0, 1, out=scaled)
    if missing is not None and missing.any():
        scaled[missing] = scaled[~missing].mean()
    return scaled.astype(np.float32, copy=False)


def _resized(gray: Gray, rows: int, columns: int) -> Gray:
    from PIL import Image

    if gray.shape == (rows, columns):
        return gray
    # reducing_gap averages whole blocks first where the picture is much larger: 4 times faster on 6144×4096
    small = Image.fromarray(gray).resize((columns, rows), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, np.float32).clip(0, 1)


# ------------------------------------------------------------ batches, views, and pooling


def batch_of(prepared: Sequence[Gray]) -> Tensor:
    """Stack (side, side) pictures to a (b, 3, side, side) batch; the three channels share their memory."""
    import torch

    return torch.from_numpy(np.stack(prepared))[:, None].expand(-1, 3, -1, -1)


def views_of(batch: Tensor, views: Literal[1, 8] = 8) -> Iterator[Tensor]:
    """Yield the batch as it stands, or its 8 flips and rotations, one after the other.

    Parameters
    ----------
    batch : (b, c, side, side)
    """
    yield batch
    if views == 1:
        return
    yield batch.flip(-1)
    yield batch.flip(-2)
    yield batch.flip(-1, -2)
    turned = batch.transpose(-1, -2)
    yield turned
    yield turned.flip(-1)
    yield turned.flip(-2)
    yield turned.flip(-1, -2)


def turned_back(view: int, maps: Sequence[Tensor]) -> list[Tensor]:
    """Turn the (b, c, h, w) maps of one of :func:`views_of` back, so that they lie as the picture does."""
    axes = [axis for axis, bit in ((-1, 1), (-2, 2)) if view & bit]
    back = [depth.flip(*axes) if axes else depth for depth in maps]
    return [depth.transpose(-1, -2) for depth in back] if view >= 4 else back


def pool(
    maps_per_view: Iterable[Sequence[Tensor]], depths: Literal["several", "last"] = "several"
) -> NDArray[np.float32]:
    """Average maps over positions, then over views; L2-normalize each depth, and put the depths side by side.

    Parameters
    ----------
    maps_per_view : iterable over views of (b, c, h, w) maps, one a depth
        Views are used up one by one, so only one view's maps are held at a time.

    Returns
    -------
    (b, d) float32
    """
    import torch
    from torch.nn.functional import normalize

    sums: list[Tensor] = []
    views = 0
    for maps in maps_per_view:
        used = maps if depths == "several" else maps[-1:]
        means = [depth.mean(dim=(2, 3), dtype=torch.float32) for depth in used]
        sums = means if not views else [total + mean for total, mean in zip(sums, means)]
        views += 1
    blocks = [normalize(total / views, dim=1) for total in sums]
    pooled: NDArray[np.float32] = torch.cat(blocks, dim=1).cpu().numpy()
    return pooled
