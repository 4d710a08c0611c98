"""Pictures made smaller or larger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_micromap.recipe.contrast import Gray

GAP = 2.0  # how many times larger than wanted a picture stays where whole blocks are averaged first


def resized(gray: Gray, rows: int, columns: int) -> Gray:
    """Average (shrinking) or interpolate (enlarging) to (rows, columns)."""
    return gray if gray.shape == (rows, columns) else in_blocks(gray, rows, columns).resized(rows, columns)


def in_blocks(gray: Gray, rows: int, columns: int) -> Blocks:
    """Average whole blocks where a picture is much larger than (rows, columns): 4 times faster on 6144×4096."""
    return Blocks(gray, gray.shape).averaged(rows, columns)


@dataclass(frozen=True, eq=False)
class Blocks:
    """A picture of which whole blocks of pixels were averaged.

    Parameters
    ----------
    means : (h, w)
    held : float, float
        How many rows and columns of ``means`` the picture takes: the last block may reach beyond its edge.
    """

    means: Gray
    held: tuple[float, ...]

    def averaged(self, rows: int, columns: int) -> Blocks:
        """Average as much more as (rows, columns) bear."""
        height, width = self.held
        down, along = max(1, int(height / rows / GAP)), max(1, int(width / columns / GAP))
        return Blocks(_averaged(self.means, down, along), (height / down, width / along))

    def resized(self, rows: int, columns: int) -> Gray:
        """Bring the picture to (rows, columns)."""
        from PIL import Image

        box = (0, 0, self.held[1], self.held[0])
        small = Image.fromarray(self.means).resize((columns, rows), Image.Resampling.BILINEAR, box=box)
        return np.asarray(small, np.float32).clip(0, 1)

    def are_fine_for(self, rows: int, columns: int) -> bool:
        """Say whether enough is left of the picture to be brought to (rows, columns)."""
        return self.held[0] >= GAP * rows and self.held[1] >= GAP * columns


def _averaged(gray: Gray, down: int, along: int) -> Gray:
    height, width = gray.shape
    if (down, along) == (1, 1):
        return gray
    # Pairs, as in pictures about 1024 wide: the same in a third of the time.
    if (down, along) == (1, 2) and width % 2 == 0:
        return _mean(gray[:, 0::2], gray[:, 1::2])
    if (down, along) == (2, 1) and height % 2 == 0:
        return _mean(gray[0::2], gray[1::2])
    from PIL import Image

    return np.asarray(Image.fromarray(gray).reduce((along, down)), np.float32)


def _mean(one: Gray, other: Gray) -> Gray:
    both: Gray = one + other
    both *= np.float32(0.5)
    return both
