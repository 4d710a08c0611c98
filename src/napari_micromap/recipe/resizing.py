"""Pictures made smaller or larger."""

from __future__ import annotations

import numpy as np

from napari_micromap.recipe.contrast import Gray


def resized(gray: Gray, rows: int, columns: int) -> Gray:
    """Average (shrinking) or interpolate (enlarging) to (rows, columns)."""
    from PIL import Image

    if gray.shape == (rows, columns):
        return gray
    # reducing_gap averages whole blocks first where the picture is much larger: 4 times faster on 6144×4096
    small = Image.fromarray(gray).resize((columns, rows), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, np.float32).clip(0, 1)
