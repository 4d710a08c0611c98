"""Networks that turn pictures into maps of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from napari_micromap.choices import Choices

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Download:
    """Weights that are not on this machine yet: what consent is asked for."""

    url: str
    path: Path  # where they will lie
    megabytes: float
    sha256_start: str  # the first hex digits of the content's SHA-256, as published


class Network(Protocol):
    """A loaded network in evaluation mode."""

    weights_sha256: str  # of the file that was loaded, 64 hex digits
    depths: Sequence[str]  # what the maps are called, shallow to deep: "stride 8", …, "head"
    widths: Sequence[int]  # channels of each map

    def maps(self, batch: Tensor) -> list[Tensor]:
        """Return a (b, c, h, w) map a depth for a (b, 3, side, side) batch of values in 0–1; it normalizes itself."""


class Backbone(Protocol):
    """A pretrained CNN; a frozen dataclass with flat fields."""

    title: ClassVar[str]  # as users read it: "ResNet-50 (ImageNet)"

    def download(self) -> Download | None:
        """Say what would have to be downloaded, or None if the weights are here."""

    def load(self, device: str = "cpu") -> Network:
        """Load and verify the weights.

        Raises
        ------
        WeightsMissing
            If they are not on this machine.
        WeightsDamaged
            If their content does not have the hash that they should have.
        """


# The first is the default: its weights come with the installation.
BACKBONES: Choices[Backbone] = Choices(
    "backbone",
    {
        "efficientnet-lite0": "napari_micromap.backbones.efficientnet_lite:EfficientNetLite0",
        "resnet50": "napari_micromap.backbones.torchvision_cnns:ResNet50",
    },
)
