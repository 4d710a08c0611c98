"""Weights of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from napari_micromap.backbones import Download, torchvision_cnns
from napari_micromap.backbones.torchvision_cnns import TorchvisionCnn, trunk_weights
from napari_micromap.backbones.weights import state_dict_of, verified
from napari_micromap.problems import WeightsDamaged, WeightsMissing

if TYPE_CHECKING:
    from napari_micromap.backbones import Network

CLASSES = {
    "resnet50": "ResNet50", "resnet18": "ResNet18", "resnet34": "ResNet34", "resnet101": "ResNet101",
    "densenet121": "DenseNet121", "vgg16": "VGG16", "efficientnet-b0": "EfficientNetB0",
    "mobilenet-v3": "MobileNetV3Large", "convnext-tiny": "ConvNeXtTiny",
}  # fmt: skip


@dataclass(frozen=True)
class OwnCheckpoint:
    """A network that you trained or got: its file of weights, and the name of its architecture.

    Pictures are normalized as ImageNet's. Names that training puts around those of the network are taken off, its
    classifier is left behind, nothing in the file is run, and its SHA-256 is recorded with the map.

    Parameters
    ----------
    architecture : str
        What the weights were trained in, by torchvision's layout of it.
    weights_file : Path or None
        A state dict: .pth, .pt or .safetensors.
    """

    architecture: Literal[
        "resnet50", "resnet18", "resnet34", "resnet101", "densenet121", "vgg16", "efficientnet-b0", "mobilenet-v3",
        "convnext-tiny",
    ] = "resnet50"  # fmt: skip
    weights_file: Path | None = None

    title: ClassVar[str] = "Your own weights"

    def download(self) -> Download | None:
        """Return None: what is used is a file of the user's."""
        return None

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the file, without loading it."""
        return verified(self._path())

    def load(self, device: str = "cpu") -> Network:
        """Load the weights into the architecture, and prove that all of it got some."""
        path, cls = self._path(), self._cls()
        sha256 = verified(path)
        own = cls.bare_trunk().state_dict().keys()
        weights = trunk_weights(state_dict_of(path))
        try:
            return cls.network({name: value for name, value in weights.items() if name in own}, sha256, device)
        except WeightsDamaged as error:
            raise WeightsDamaged(
                f"{path.name} does not fit {cls.title.split(' (')[0]}: choose the architecture that it was trained in. "
                f"({error})"
            ) from error

    def _cls(self) -> type[TorchvisionCnn]:
        found: type[TorchvisionCnn] = getattr(torchvision_cnns, CLASSES[self.architecture])
        return found

    def _path(self) -> Path:
        # A form hands out the folder that it stands in where nothing was chosen.
        if self.weights_file is None or not self.weights_file.name:
            raise WeightsMissing("Choose the file of your weights (.pth, .pt or .safetensors).")
        return self.weights_file
