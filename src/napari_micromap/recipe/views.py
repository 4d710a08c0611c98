"""Batches, their flips and rotations, and maps pooled to embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from napari_micromap.recipe.contrast import Gray

if TYPE_CHECKING:
    from torch import Tensor


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
    return depths_joined(pooled_depths(maps_per_view, depths))


def pooled_depths(
    maps_per_view: Iterable[Sequence[Tensor]], depths: Literal["several", "last"] = "several"
) -> list[Tensor]:
    """Average maps over positions, then over views; returns one (b, c) a depth, not normalized."""
    import torch

    sums: list[Tensor] = []
    views = 0
    for maps in maps_per_view:
        used = maps if depths == "several" else maps[-1:]
        means = [depth.mean(dim=(2, 3), dtype=torch.float32) for depth in used]
        sums = means if not views else [total + mean for total, mean in zip(sums, means)]
        views += 1
    return [total / views for total in sums]


def depths_joined(means: Sequence[Tensor]) -> NDArray[np.float32]:
    """L2-normalize each depth's (b, c), and put the depths side by side: (b, d)."""
    import torch
    from torch.nn.functional import normalize

    joined: NDArray[np.float32] = torch.cat([normalize(mean, dim=1) for mean in means], dim=1).cpu().numpy()
    return joined
