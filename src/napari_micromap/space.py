"""From embeddings to the features of a collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Embeddings, Features, FittedSpace

BLOCK = 4096  # rows that are held as float64 at a time
MICROGRAPHS_A_COMPONENT = 5  # fewer, and a component tells noise
FEWEST_COMPONENTS = 5  # of two, scaled to length 1, only an angle is left: the map of a small set would be a circle
# Spreads from the mean that count. No image of a collection of 900 lies farther out; a new one does, by thousands, if a
# channel speaks that was silent but for a trace in those before, and would lie wherever that one channel points.
FAR = 30.0
NOTHING = 1e-6  # of the largest value: what rounding leaves where all micrographs are the same


class Space(Protocol):
    """A frozen dataclass with flat fields, fitted once to a collection."""

    def fit(self, embeddings: Embeddings) -> FittedSpace:
        """Fit to (n, d) embeddings."""


@dataclass(frozen=True)
class Standardized:
    """Each dimension standardized over the collection, then principal components, then unit length.

    Parameters
    ----------
    whiten : bool
        Give all components the same weight. Powerful and dangerous: it raises what is rare, and noise.
    components : int
        Principal components at most; never more than a fifth of the micrographs, and at least 5.
    """

    whiten: bool = False
    components: int = 50

    def fit(self, embeddings: Embeddings) -> StandardizedSpace:
        """Fit to (n, d) embeddings."""
        kept = max(FEWEST_COMPONENTS, min(self.components, len(embeddings) // MICROGRAPHS_A_COMPONENT))
        mean, sd = moments(embeddings)
        variances, axes = principal_axes(embeddings, mean, sd, kept)
        scales = 1 / np.sqrt(variances, out=np.ones(kept), where=variances > 0) if self.whiten else np.ones(kept)
        components = axes * scales[:, None]
        return StandardizedSpace(mean.astype(np.float32), sd.astype(np.float32), components.astype(np.float32))


@dataclass(frozen=True, eq=False)
class StandardizedSpace:
    """A collection's way from embeddings to features; it stays as it is while the collection grows.

    Parameters
    ----------
    mean, sd : (d,) float32
        Of each dimension over the collection; sd is 1 where nothing varies.
    components : (p, d) float32
        Principal axes, the largest first; rows of zeros where there are not enough micrographs.
    """

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    components: NDArray[np.float32]

    def __call__(self, embeddings: Embeddings) -> Features:
        """Turn (n, d) embeddings into (n, p) features of length 1; 0 for what lies in the very middle."""
        features = np.empty((len(embeddings), len(self.components)), np.float32)
        for rows in _blocks(len(embeddings)):
            features[rows] = ((embeddings[rows] - self.mean) / self.sd).clip(-FAR, FAR) @ self.components.T
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        unit = np.zeros_like(features)
        np.divide(features, lengths, out=unit, where=lengths > NOTHING)
        return unit

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return what makes this space, by name."""
        return {"mean": self.mean, "sd": self.sd, "components": self.components}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> StandardizedSpace:
        """Make the space again from what :meth:`arrays` returned."""
        mean, sd, components = (np.array(arrays[name], np.float32) for name in ("mean", "sd", "components"))
        if mean.shape != sd.shape or components.ndim != 2 or components.shape[1:] != mean.shape:
            raise ValueError("mean, sd and components do not fit one another")
        return cls(mean, sd, components)


# Fitted spaces by the name under which a session keeps them.
SPACES: Mapping[str, type[StandardizedSpace]] = {"StandardizedSpace": StandardizedSpace}


def moments(embeddings: Embeddings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each dimension; 1 for the latter where nothing varies."""
    n = len(embeddings)
    mean = embeddings.mean(axis=0, dtype=np.float64)
    square = np.zeros_like(mean)
    for rows in _blocks(n):
        square += ((embeddings[rows] - mean) ** 2).sum(axis=0)
    sd = np.sqrt(square / n)
    sd[sd <= NOTHING * float(np.abs(embeddings).max(initial=0.0))] = 1.0
    return mean, sd


def principal_axes(
    embeddings: Embeddings, mean: NDArray[np.float64], sd: NDArray[np.float64], kept: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (kept,) variances and (kept, d) axes of the standardized embeddings, the largest first.

    By the smaller of covariance and Gram matrix, so no copy of the embeddings is made where they are many. The largest
    coordinate of each axis is positive: the same collection always gives the same map. What has no variance is 0.
    """
    n, d = embeddings.shape
    if n < d:
        standardized = (embeddings - mean) / sd
        matrix = standardized @ standardized.T
    else:
        matrix = np.zeros((d, d))
        for rows in _blocks(n):
            block = (embeddings[rows] - mean) / sd
            matrix += block.T @ block
    # Not scipy's, which finds only some and is quicker by a third: it holds the interpreter, and a window, for seconds.
    values, vectors = np.linalg.eigh(matrix)
    values, axes = values[::-1][:kept], vectors[:, ::-1][:, :kept].T
    real = values > NOTHING**2 * max(1.0, float(np.trace(matrix)))
    values, axes = values[real], axes[real]
    if n < d:
        axes = axes @ standardized / np.sqrt(values)[:, None]
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    missing = kept - len(axes)
    return np.pad(values / n, (0, missing)), np.pad(axes, ((0, missing), (0, 0)))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(first, first + BLOCK) for first in range(0, n, BLOCK))
