"""What a materials scientist counts in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of one picture, and what was counted.

    Parameters
    ----------
    values : dict
        Name, with its unit, to number; NaN where nothing was there to measure.
    mask : (h, w) bool, optional
        The pixels that were counted, to be outlined on the picture: a number without its mask is worth little.
    threshold : str
        How the mask came about, in words.
    outlined : tuple of names
        The values that the mask is about; the others look at the whole picture.
    """

    values: dict[str, float]
    mask: NDArray[np.bool_] | None = None
    threshold: str = field(default="")
    outlined: tuple[str, ...] = ()


class Descriptor(Protocol):
    """A frozen dataclass with flat fields that measures one picture."""

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1; lengths are in µm where the scale is known, else in px.

        Pixels of ``out`` are left out: insets, letters.
        """


def unit_of(um_per_px: float | None) -> tuple[str, float]:
    """Return the unit of lengths and how much a pixel is of it."""
    known = um_per_px is not None and np.isfinite(um_per_px) and um_per_px > 0
    return ("µm", float(um_per_px)) if known and um_per_px is not None else ("px", 1.0)


def in_lengths(values: Mapping[str, float], per_px: float, unit: str) -> dict[str, float]:
    """Turn values in px into those in a unit of which a pixel is ``per_px``: lengths, and counts an area."""
    turned: dict[str, float] = {}
    for name, value in values.items():
        if name.endswith(" (px)"):
            turned[f"{name[:-4]}({unit})"] = value * per_px
        elif name.endswith(" per 100 px²"):
            turned[f"{name[:-3]}{unit}²"] = value / per_px**2
        else:
            turned[name] = value
    return turned


def inner(out: NDArray[np.bool_] | None, reach: int) -> NDArray[np.bool_] | Literal[True]:
    """Return (h, w) True where nothing that is left out lies within ``reach`` pixels."""
    if out is None or not out.any():
        return True
    from scipy import ndimage

    far: NDArray[np.bool_] = ~ndimage.binary_dilation(out, np.ones((3, 3), bool), iterations=reach)
    return far


def filled(gray: NDArray[np.float32], out: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Return the picture with its usual gray where something is left out, so that filters see no edge of a frame."""
    if out is None or not out.any() or out.all():
        return gray
    return np.where(out, np.median(gray[~out]), gray).astype(np.float32)


def as_gray(picture: NDArray[Any], out: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Return (h, w) float32 in 0–1 of a picture by its own 0.5 and 99.5 % gray values, those left out not asked."""
    gray = np.asarray(picture, np.float32)
    if gray.ndim == 3:
        gray = gray[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    finite = np.isfinite(gray)
    asked = finite if out is None or out.all() else finite & ~out
    low, high = np.percentile(gray[asked], [0.5, 99.5]) if asked.any() else (0.0, 1.0)
    scaled = (np.where(finite, gray, low) - low) / max(float(high - low), 1e-12)
    return np.asarray(np.clip(scaled, 0, 1), np.float32)
