"""Right pixels from files of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray


def crop_bar(pixels: NDArray[Any], bar_rows: int) -> NDArray[Any]:
    """Cut the data bar, ``bar_rows`` rows at the bottom, off a picture of (h, w) or (h, w, 3)."""
    return pixels[: pixels.shape[0] - bar_rows] if 0 < bar_rows < pixels.shape[0] else pixels


def read_pixels(path: Path, page: int = 0) -> NDArray[Any]:
    """Read one picture with its data bar."""
    import tifffile  # placeholder of the first hour

    return tifffile.imread(path, key=page)
