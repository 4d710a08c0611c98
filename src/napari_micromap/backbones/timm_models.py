"""Networks of the package timm, vision transformers such as DINOv2 among them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from napari_micromap.backbones import Download
from napari_micromap.backbones.network import device_named, load_proven, probes, prove_trained
from napari_micromap.backbones.weights import cached, hub_folder, state_dict_of, verified
from napari_micromap.problems import Problem, WeightsDamaged

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_micromap.backbones import Network

PUBLISHED_AT = "https://huggingface.co/timm/"
MEGABYTES = {
    "vit_small_patch14_dinov2.lvd142m": 88.2, "vit_base_patch14_dinov2.lvd142m": 346.3,
    "vit_large_patch14_dinov2.lvd142m": 1217.5,
}  # fmt: skip
STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class TimmModel:
    """Any network of the package timm by its name; the usual one is DINOv2, which learned without labels.

    It needs the package: ``pip install napari-micromap[timm]``. Look at a model's licence before you publish.
    doi:10.48550/arXiv.2304.07193 (DINOv2).

    Parameters
    ----------
    model : str
        As timm calls it, with its weights behind a dot: ``vit_small_patch14_dinov2.lvd142m``.
    weights_file : Path or None
        A file of its weights that is already here; without one, those that timm publishes are downloaded once.
    """

    model: str = "vit_small_patch14_dinov2.lvd142m"
    weights_file: Path | None = None

    title: ClassVar[str] = "DINOv2 or another of timm"

    def download(self) -> Download | None:
        """Say what would have to be downloaded, or None if the weights are here."""
        published = self._published()
        return None if self.weights_file is not None or published.path.is_file() else published

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the file of weights, without loading it."""
        return verified(self._path())

    def load(self, device: str = "cpu") -> Network:
        """Build the network and load its weights; nothing is downloaded here."""
        path = self._path()
        sha256 = verified(path)
        network = built(self.model)
        own, weights = network.state_dict(), state_dict_of(path)
        try:
            load_proven(network, {name: value for name, value in weights.items() if name in own})
            made = TimmNetwork(network, sha256, device)
            prove_trained(made)  # type: ignore[arg-type]
        except WeightsDamaged as error:
            raise WeightsDamaged(f"{path.name} does not fit {self.model}: {error}") from error
        return made

    def _published(self) -> Download:
        name = self.model
        if not name.replace(".", "").replace("_", "").replace("-", "").isalnum():
            raise Problem(f"“{name}” is no name of a model of timm, such as vit_small_patch14_dinov2.lvd142m.")
        path = hub_folder() / f"timm-{name}.safetensors"
        return Download(f"{PUBLISHED_AT}{name}/resolve/main/model.safetensors", path, MEGABYTES.get(name, 0.0), "")

    def _path(self) -> Path:
        return self.weights_file if self.weights_file is not None else cached(self._published())


def built(name: str) -> nn.Module:
    """Build a model by its name, without weights and without its classifier."""
    try:
        import timm
    except ImportError as error:
        raise Problem("Networks of timm need one more package: pip install napari-micromap[timm]") from error
    if not timm.is_model(name):
        raise Problem(f"timm knows no model “{name.partition('.')[0]}”; look it up with timm.list_models().")
    told = timm.get_pretrained_cfg(name)
    # Transformers are built for one size of picture; most can be told to take others.
    options: dict[str, Any] = {}
    if told is not None and told.fixed_input_size:
        options = {"dynamic_img_size": True, "dynamic_img_pad": True}
    try:
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **options)
    except TypeError as error:
        raise Problem(f"“{name}” takes pictures of one size only; choose another model.") from error
    if not hasattr(network, "forward_intermediates"):
        raise Problem(f"“{name}” does not show its maps; choose another model, or a newer timm.")
    return network


class TimmNetwork:
    """A model of timm that gives maps at three depths; in evaluation mode, nothing is trained.

    Parameters
    ----------
    model : nn.Module
        With its weights in it.
    sha256 : str
        Of the file of weights.
    device : str
        "cpu", "cuda", "mps" or "auto".
    """

    def __init__(self, model: nn.Module, sha256: str, device: str) -> None:
        import torch

        self.device = device_named(device)
        self.precision: Literal["float32", "bfloat16"] = "float32"
        self.weights_sha256 = sha256
        self._model = model.eval().requires_grad_(False).to(self.device)
        told: Any = getattr(model, "pretrained_cfg", {})
        mean, std = told.get("mean", (0.485, 0.456, 0.406)), told.get("std", (0.229, 0.224, 0.225))
        self._mean, self._std = (torch.tensor(one, device=self.device).view(1, 3, 1, 1) for one in (mean, std))
        reductions = [int(info["reduction"]) for info in model.feature_info]  # type: ignore[union-attr]
        self._taps, self.depths = taps_of(reductions)
        self.widths: Sequence[int] = tuple(found.shape[1] for found in self.maps(probes()[:1]))

    def maps(self, batch: Tensor) -> list[Tensor]:
        """Return a (b, c, h, w) float32 map a depth for a (b, 1 or 3, side, side) batch of values in 0–1."""
        import torch

        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            values = (batch.to(self.device) - self._mean) / self._std
            if self.precision == "bfloat16":
                values = values.bfloat16()
            found: list[Tensor] = self._model.forward_intermediates(  # type: ignore[operator]
                values, indices=self._taps, norm=True, output_fmt="NCHW", intermediates_only=True
            )
            return [depth.float() for depth in found]

    def in_bfloat16(self) -> TimmNetwork:
        """Return this network with weights and values in bfloat16, half the bits."""
        import torch

        other = copy.copy(self)
        other.precision = "bfloat16"
        other._model = copy.deepcopy(self._model).to(torch.bfloat16)
        return other


def taps_of(reductions: Sequence[int]) -> tuple[list[int], Sequence[str]]:
    """Choose three depths: the last at strides 8, 16 and 32, or thirds where the stride stays the same."""
    last = len(reductions) - 1
    if len(set(reductions)) >= len(STRIDES):
        found = {f"stride {r}": number for number, r in enumerate(reductions) if r in STRIDES}
    else:
        found = {f"block {n + 1}": n for n in sorted({last // 3, 2 * last // 3, last})}
    return list(found.values()), tuple(found)
