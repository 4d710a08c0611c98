"""Prepared pictures through a network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import Problem
from napari_micromap.recipe import Gray, Recipe, batch_of, depths_joined, pooled_depths, views_of
from napari_micromap.streaming import Stop

if TYPE_CHECKING:
    from torch import Tensor

    from napari_micromap.backbones import Network
    from napari_micromap.embedding.keys import Precision

AT_ONCE_CPU = 4  # pictures: more only grow out of the processor's caches
AT_ONCE_GPU = 32
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # what torch says of CUDA, MPS, processors
SAME = 0.999  # cosine from which on bfloat16 may stand for float32
COMPARED = 16  # pictures


class Inference:
    """A network that makes embeddings by a recipe.

    Parameters
    ----------
    network : Network
        In the precision that was decided.
    recipe : Recipe
        Its depths count.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        self.network = network
        self.on_cpu = network.device == "cpu"
        self.at_once = AT_ONCE_CPU if self.on_cpu else AT_ONCE_GPU
        self._recipe = recipe

    def vectors(self, prepared: Sequence[NDArray[np.float32]], views: Literal[1, 8], stop: Stop) -> NDArray[np.float32]:
        """Return (b, d) embeddings of b pictures, each (side, side) or (w, side, side): the mean over its windows.

        Where memory runs out, in smaller batches from then on.
        """
        import torch

        done: list[list[Tensor]] = []
        pictures = [windows if windows.ndim == 3 else windows[None] for windows in prepared]
        left: list[Gray] = [square for windows in pictures for square in windows]
        while left:
            tried = min(self.at_once, len(left))  # another thread may make it smaller meanwhile
            try:
                done.append(self._vectors(left[:tried], views, stop))
                del left[:tried]
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if tried == 1:
                    where = "This machine" if self.on_cpu else "The graphics card"
                    raise Problem(f"{where} has too little memory free; close other programs.") from error
                torch.cuda.empty_cache()  # does nothing where there is no such card
                self.at_once = min(self.at_once, (tried + 1) // 2)
        depths = [torch.cat(parts) for parts in zip(*done)]
        counts = [len(windows) for windows in pictures]
        if len(depths[0]) > len(counts):
            depths = [torch.stack([part.mean(dim=0) for part in torch.split(depth, counts)]) for depth in depths]
        return depths_joined(depths)

    def _vectors(self, prepared: Sequence[Gray], views: Literal[1, 8], stop: Stop) -> list[Tensor]:
        def maps() -> Iterator[Sequence[Tensor]]:
            for view in views_of(batch_of(prepared), views):
                stop.check()
                yield self.network.maps(view)

        return pooled_depths(maps(), self._recipe.depths)


def is_out_of_memory(error: Exception) -> bool:
    """Tell a lack of memory from other errors: not every device has a class of its own for it."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in NO_MEMORY)


def decided_precision(network: Network, prepared: Sequence[Gray]) -> Precision:
    """Return bfloat16 if it is quicker here, and tells of each depth of these pictures the same as float32."""
    low = network.in_bfloat16()
    batch = batch_of(prepared[:1])
    for warmed in (network, low):
        warmed.maps(batch)
    seconds = {"float32": 0.0, "bfloat16": 0.0}
    for picture in prepared:
        batch = batch_of([picture])
        began = time.perf_counter()
        exact = _pooled(network.maps(batch))
        between = time.perf_counter()
        rough = _pooled(low.maps(batch))
        seconds["float32"] += between - began
        seconds["bfloat16"] += time.perf_counter() - between
        if any(float(a @ b) < SAME for a, b in zip(exact, rough)):
            return "float32"
    return "bfloat16" if seconds["bfloat16"] < seconds["float32"] else "float32"


def _pooled(maps: Sequence[Tensor]) -> list[Tensor]:
    from torch.nn.functional import normalize

    return [normalize(depth.mean(dim=(2, 3)), dim=1)[0].cpu() for depth in maps]
