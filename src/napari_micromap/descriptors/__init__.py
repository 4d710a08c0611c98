"""What a materials scientist counts in a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_micromap.choices import Choices


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
    """

    values: dict[str, float]
    mask: NDArray[np.bool_] | None = None
    threshold: str = field(default="")


class Descriptor(Protocol):
    """A frozen dataclass with flat fields that measures one picture."""

    title: ClassVar[str]

    def __call__(self, gray: NDArray[np.float32], um_per_px: float | None = None) -> Measured:
        """Measure an (h, w) gray picture of values 0–1; lengths are in µm where the scale is known, else in px."""


DESCRIPTORS: Choices[Descriptor] = Choices(
    "descriptor",
    {
        "dark": "napari_micromap.descriptors.features:DarkFeatures",
        "bright": "napari_micromap.descriptors.features:BrightFeatures",
        "gray": "napari_micromap.descriptors.gray:Gray",
        "orientation": "napari_micromap.descriptors.orientation:Orientation",
        "correlation": "napari_micromap.descriptors.correlation:CorrelationLength",
        "texture": "napari_micromap.descriptors.texture:Texture",
    },
)


def unit_of(um_per_px: float | None) -> tuple[str, float]:
    """Return the unit of lengths and how much a pixel is of it."""
    known = um_per_px is not None and np.isfinite(um_per_px) and um_per_px > 0
    return ("µm", float(um_per_px)) if known and um_per_px is not None else ("px", 1.0)


def as_gray(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Return (h, w) float32 in 0–1 of a picture by its own 0.5 and 99.5 % gray values."""
    gray = np.asarray(picture, np.float32)
    if gray.ndim == 3:
        gray = gray[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    finite = np.isfinite(gray)
    low, high = np.percentile(gray[finite], [0.5, 99.5]) if finite.any() else (0.0, 1.0)
    scaled = (np.where(finite, gray, low) - low) / max(float(high - low), 1e-12)
    return np.asarray(np.clip(scaled, 0, 1), np.float32)
