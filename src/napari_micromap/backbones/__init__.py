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
    megabytes: float  # 0 where nobody says
    sha256_start: str  # the first hex digits of the content's SHA-256, as published; "" where it is not

    @property
    def size(self) -> str:
        """How much it is, as users read it."""
        return f"{self.megabytes:,.0f} MB" if self.megabytes else "size not known"


class Network(Protocol):
    """A loaded network in evaluation mode."""

    weights_sha256: str  # of the file that was loaded, 64 hex digits
    device: str  # "cpu", "cuda", "mps"
    depths: Sequence[str]  # what the maps are called, shallow to deep: "stride 8", …, "head"
    widths: Sequence[int]  # channels of each map

    def maps(self, batch: Tensor) -> list[Tensor]:
        """Return a (b, c, h, w) float32 map a depth for (b, 1 or 3, side, side) values in 0–1; it normalizes itself."""

    def in_bfloat16(self) -> Network:
        """Return this network at half the bits: quicker where the processor can, and less exact."""


class Backbone(Protocol):
    """A pretrained network; a frozen dataclass with flat fields."""

    title: ClassVar[str]  # as users read it: "ResNet-50 (ImageNet)"

    def download(self) -> Download | None:
        """Say what would have to be downloaded, or None if the weights are here."""

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the file of weights, verified as by ``load``, but without loading it."""

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
CNNS = "napari_micromap.backbones.torchvision_cnns"
BACKBONES: Choices[Backbone] = Choices(
    "backbone",
    {
        "efficientnet-lite0": "napari_micromap.backbones.efficientnet_lite:EfficientNetLite0",
        "resnet50": f"{CNNS}:ResNet50",
        "resnet18": f"{CNNS}:ResNet18",
        "resnet34": f"{CNNS}:ResNet34",
        "resnet101": f"{CNNS}:ResNet101",
        "densenet121": f"{CNNS}:DenseNet121",
        "vgg16": f"{CNNS}:VGG16",
        "efficientnet-b0": f"{CNNS}:EfficientNetB0",
        "mobilenet-v3": f"{CNNS}:MobileNetV3Large",
        "convnext-tiny": f"{CNNS}:ConvNeXtTiny",
        "micronet": "napari_micromap.backbones.micronet:MicroNetResNet50",
        "own": "napari_micromap.backbones.own:OwnCheckpoint",
        "timm": "napari_micromap.backbones.timm_models:TimmModel",
    },
)
