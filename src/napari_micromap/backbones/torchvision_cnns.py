"""The usual CNNs of torchvision, ResNet-50 among them."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_micromap.backbones import Download
from napari_micromap.backbones.network import CnnNetwork, Preprocessing, Weights, load_proven, prove_trained
from napari_micromap.backbones.weights import cached, hash_in_name, hub_folder, state_dict_of, verified

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_micromap.backbones import Network

RESNET_TRUNK = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
CLASSIFIERS = ("fc.", "classifier.")
# DenseNet's files still say norm.1 where the modules say norm1.
OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
PUBLISHED_AT = "https://download.pytorch.org/models/"
PARAMETERS = """

    Parameters
    ----------
    weights_file : Path or None
        A file of weights that is already here; without one, those that torchvision publishes are downloaded once.
    """
DEPTHS = ("stride 8", "stride 16", "stride 32", "head")
IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@dataclass(frozen=True)
class TorchvisionCnn:
    """A CNN of torchvision, trained on ImageNet."""

    weights_file: Path | None = None

    title: ClassVar[str]
    builder: ClassVar[str]  # of torchvision.models
    published: ClassVar[str]  # the file of weights, with its hash
    megabytes: ClassVar[float]
    # The last modules of the trunk at strides 8, 16 and 32, and the head if there is one.
    taps: ClassVar[tuple[int, ...]]

    def __init_subclass__(cls) -> None:
        cls.__doc__ = f"{cls.__doc__}{PARAMETERS}"

    def download(self) -> Download | None:
        """Say what would have to be downloaded, or None if the weights are here."""
        if self.weights_file is not None or self._published().path.is_file():
            return None
        return self._published()

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the file of weights, verified, without loading it."""
        return verified(self._path())

    def load(self, device: str = "cpu") -> Network:
        """Load and verify the weights."""
        path = self._path()
        sha256 = verified(path)
        return self.network(trunk_weights(state_dict_of(path)), sha256, device)

    @classmethod
    def bare_trunk(cls) -> nn.Sequential:
        """Build the convolutional part without values."""
        import torch
        from torchvision import models

        with torch.device("meta"):  # no random values that the weights overwrite at once
            return trunk_of(getattr(models, cls.builder)(weights=None))

    @classmethod
    def network(cls, weights: Weights, sha256: str, device: str) -> Network:
        """Build the network with the weights of its trunk, and prove that they are in it."""
        trunk = cls.bare_trunk()
        load_proven(trunk, weights)
        network = CnnNetwork(trunk, dict(zip(cls.taps, DEPTHS)), IMAGENET, sha256, device)
        prove_trained(network)
        return network

    def _published(self) -> Download:
        return Download(
            url=PUBLISHED_AT + self.published,
            path=hub_folder() / self.published,
            megabytes=self.megabytes,
            sha256_start=hash_in_name(Path(self.published)),
        )

    def _path(self) -> Path:
        return self.weights_file if self.weights_file is not None else cached(self._published())


def trunk_of(module: nn.Module) -> nn.Sequential:
    """Return the convolutional part of a network of torchvision as modules in a row."""
    from torch import nn

    if hasattr(module, "layer1"):
        return nn.Sequential(OrderedDict((name, module.get_submodule(name)) for name in RESNET_TRUNK))
    features = module.get_submodule("features")
    assert isinstance(features, nn.Sequential)
    if hasattr(features, "norm5"):
        features.add_module("relu5", nn.ReLU())  # DenseNet ends with one that stands in no module
    return features


def trunk_weights(weights: Weights) -> dict[str, Tensor]:
    """Give weights of a whole network the names they have in its trunk, and leave its classifier behind."""
    kept = {name: value for name, value in weights.items() if not name.startswith(CLASSIFIERS)}
    return {OLD_NAME.sub(r"\1\2", name).removeprefix("features."): value for name, value in kept.items()}


class ResNet18(TorchvisionCnn):
    """ResNet-18, the smallest of its family; doi:10.48550/arXiv.1512.03385."""

    title = "ResNet-18 (ImageNet)"
    builder, taps = "resnet18", (5, 6, 7)
    published, megabytes = "resnet18-f37072fd.pth", 46.8


class ResNet34(TorchvisionCnn):
    """ResNet-34; doi:10.48550/arXiv.1512.03385."""

    title = "ResNet-34 (ImageNet)"
    builder, taps = "resnet34", (5, 6, 7)
    published, megabytes = "resnet34-b627a593.pth", 87.3


class ResNet50(TorchvisionCnn):
    """ResNet-50, with which microstructure maps were first made; doi:10.48550/arXiv.1512.03385."""

    title = "ResNet-50 (ImageNet)"
    builder, taps = "resnet50", (5, 6, 7)
    published, megabytes = "resnet50-0676ba61.pth", 102.5


class ResNet101(TorchvisionCnn):
    """ResNet-101, deep and slow; doi:10.48550/arXiv.1512.03385."""

    title = "ResNet-101 (ImageNet)"
    builder, taps = "resnet101", (5, 6, 7)
    published, megabytes = "resnet101-63fe2227.pth", 178.8


class DenseNet121(TorchvisionCnn):
    """DenseNet-121, much used on SEM images; doi:10.48550/arXiv.1608.06993."""

    title = "DenseNet-121 (ImageNet)"
    builder, taps = "densenet121", (6, 8, 12)
    published, megabytes = "densenet121-a639ec97.pth", 32.3


class VGG16(TorchvisionCnn):
    """VGG-16, plain, good at texture, large; doi:10.48550/arXiv.1409.1556."""

    title = "VGG-16 (ImageNet)"
    builder, taps = "vgg16", (22, 29, 30)
    published, megabytes = "vgg16-397923af.pth", 553.4


class EfficientNetB0(TorchvisionCnn):
    """EfficientNet-B0, small and accurate; doi:10.48550/arXiv.1905.11946."""

    title = "EfficientNet-B0 (ImageNet)"
    builder, taps = "efficientnet_b0", (3, 5, 7, 8)
    published, megabytes = "efficientnet_b0_rwightman-7f5810bc.pth", 21.4


class MobileNetV3Large(TorchvisionCnn):
    """MobileNet-V3, the quickest here; doi:10.48550/arXiv.1905.02244."""

    title = "MobileNet-V3 large (ImageNet)"
    builder, taps = "mobilenet_v3_large", (6, 12, 15, 16)
    published, megabytes = "mobilenet_v3_large-8738ca79.pth", 22.1


class ConvNeXtTiny(TorchvisionCnn):
    """ConvNeXt-Tiny, a modern CNN; doi:10.48550/arXiv.2201.03545."""

    title = "ConvNeXt-Tiny (ImageNet)"
    builder, taps = "convnext_tiny", (3, 5, 7)
    published, megabytes = "convnext_tiny-983f1562.pth", 114.4
