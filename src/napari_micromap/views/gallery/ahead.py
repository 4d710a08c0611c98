"""What napari needs for its first layers, brought in ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Points, Vectors

from napari_micromap.work import Progress, Work


def bring_in() -> Work[None]:
    """Import and fill what napari else does at the first gallery, under the user's hand: units alone take 0.2 s.

    The layers that are made here are seen by nobody: no viewer knows of them.
    """
    yield Progress("Getting ready")
    import PIL.Image  # noqa: F401  tiles are read by it

    yield Progress("Getting ready")
    from napari.components import histogram  # noqa: F401  of an Image's controls

    yield Progress("Getting ready")
    looks: dict[str, Any] = {"units": ("um", "um"), "scale": (1.0, 1.0)}
    Image([np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8)], multiscale=True, **looks)
    yield Progress("Getting ready")
    Vectors(np.ones((2, 2, 2)), edge_color=np.ones((2, 4)), vector_style="line", **looks)
    yield Progress("Getting ready")
    text = {"string": "{label}", "color": {"feature": "ink"}, "scaling": True}
    Points(np.zeros((1, 2)), features={"label": ["a"], "ink": ["#ffffff"]}, text=text, **looks)
