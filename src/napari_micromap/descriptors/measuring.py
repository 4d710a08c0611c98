"""All that is counted in a picture, with the thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Descriptor, Measured, as_gray, in_lengths
from napari_micromap.descriptors.correlation import CorrelationLength
from napari_micromap.descriptors.features import BrightFeatures, DarkFeatures
from napari_micromap.descriptors.gray import Gray
from napari_micromap.descriptors.insets import insets
from napari_micromap.descriptors.orientation import Orientation
from napari_micromap.descriptors.texture import Texture

VERSION = 1  # of what is measured; values of another version are measured anew


@dataclass(frozen=True)
class Measuring:
    """What is counted in each picture, and from where on it counts.

    Parameters
    ----------
    dark, bright : float
        How far from its surroundings a dark or bright feature is, in spreads of the picture's own gray values.
    smallest_px : int
        Features of fewer pixels are noise.
    edge : float
        Gray step, of the picture's range, over two pixels that counts as an edge.
    without_insets : bool
        Leave out framed insets, letter boxes, bars and colored marks.
    longest : int
        Larger pictures are made smaller, by a whole number, until no side is longer; in pixels.
    """

    dark: float = 2.0
    bright: float = 2.0
    smallest_px: int = 8
    edge: float = 0.1
    without_insets: bool = False
    longest: int = 1536

    @property
    def descriptors(self) -> dict[str, Descriptor]:
        """Name to what measures."""
        return {
            "dark": DarkFeatures(self.dark, smallest_px=self.smallest_px),
            "bright": BrightFeatures(self.bright, smallest_px=self.smallest_px),
            "gray": Gray(self.edge),
            "orientation": Orientation(),
            "correlation": CorrelationLength(),
            "texture": Texture(),
        }

    def key_of(self, name: str) -> str:
        """Return by what the values of one descriptor are known: they change with nothing else."""
        return f"{VERSION}:{self.descriptors[name]!r}:{self.longest}:{int(self.without_insets)}"

    @staticmethod
    def threshold_of(quantity: str) -> str:
        """Return which field a quantity depends on, "" where it has no threshold."""
        fields = {"dark ": "dark", "bright ": "bright", "edge density": "edge"}
        return next((name for begin, name in fields.items() if quantity.startswith(begin)), "")

    def with_threshold(self, field: str, value: float) -> Measuring:
        """Return the same with another threshold, one of those that :meth:`threshold_of` names."""
        changed: dict[str, Any] = {field: value}
        return replace(self, **changed)

    def prepared(self, picture: NDArray[Any]) -> Prepared:
        """Make a picture of (h, w) or (h, w, 3) ready for descriptors."""
        step = max(1, -(-max(picture.shape[:2]) // self.longest))
        out = insets(picture) if self.without_insets else None
        level, spread = _grays(picture, out)
        gray = as_gray(picture, out)
        if step > 1:
            gray = _means(gray, step).astype(np.float32)
            out = None if out is None else _means(out.astype(np.float32), step) > 0
        return Prepared(gray, out, step, level, spread)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as descriptors take it.

    Parameters
    ----------
    gray : (h, w) float32, 0–1
    out : (h, w) bool or None
        What is left out.
    step : int
        Pixels of the file, a side, in one of ``gray``.
    level, spread : float
        Mean and spread of the file's own gray values, as a share of what its number format can hold.
    """

    gray: NDArray[np.float32]
    out: NDArray[np.bool_] | None
    step: int
    level: float
    spread: float

    def measured(self, descriptor: Descriptor) -> Measured:
        """Measure it; lengths are in pixels of the file."""
        found = descriptor(self.gray, None, self.out)
        values = in_lengths(found.values, self.step, "px")
        own = {"gray mean": self.level, "gray spread": self.spread}  # brightness carries physics; see as_gray
        values |= {name: value for name, value in own.items() if name in values}
        return Measured(values, found.mask, found.threshold, found.outlined)


def _grays(picture: NDArray[Any], out: NDArray[np.bool_] | None) -> tuple[float, float]:
    some = picture if out is None or out.all() else picture[~out]
    numbers = np.asarray(some, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return float("nan"), float("nan")
    most = float(np.iinfo(picture.dtype).max) if picture.dtype.kind in "ui" else 1.0
    return float(numbers.mean()) / most, float(numbers.std()) / most


def _means(picture: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Average squares of pixels; what is left over at the right and at the bottom is dropped."""
    height, width = (side // step * step for side in picture.shape)
    squares = picture[:height, :width].reshape(height // step, step, width // step, step)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)
