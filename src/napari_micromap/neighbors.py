"""Who is near whom, in feature space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest others of each micrograph by cosine distance, nearest first, without itself.

    Parameters
    ----------
    rows : (n, k) int32
        Row numbers.
    distances : (n, k) float32
        1 − cosine, 0 to 2.
    """

    rows: NDArray[np.int32]
    distances: NDArray[np.float32]
