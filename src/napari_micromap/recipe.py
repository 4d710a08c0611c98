"""How a micrograph becomes an embedding: crop, contrast, size, views, depths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """What happens to each picture before, in and after the network.

    Parameters
    ----------
    depths : "several" or "last"
        "several" pools strides 8, 16, 32 and the head, each L2-normalized; "last" is the plain last layer, as in the paper.
    views : 1 or 8
        Average over the 8 flips and rotations, or the picture as it stands (for directional films).
    side : int
        Pixels a side to which the picture is squeezed for the network.
    low_percent, high_percent : float
        Gray percentiles that become black and white.
    precision : "float32", "bfloat16" or "auto"
        Number format of the network, one for a whole collection.
    """

    depths: Literal["several", "last"] = "several"
    views: Literal[1, 8] = 8
    side: int = 224
    low_percent: float = 0.5
    high_percent: float = 99.5
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
