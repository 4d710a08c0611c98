"""A convolutional trunk, its weights proven, that gives maps at several depths."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from napari_micromap.backbones.runtime import Runtime, runtime_of
from napari_micromap.problems import Problem, WeightsDamaged

if TYPE_CHECKING:
    from torch import Tensor, nn

Weights: TypeAlias = "Mapping[str, Tensor]"  # a state dict: the name of a parameter to its values
TOO_SIMILAR = 0.999  # pairwise cosine above which outputs say nothing: almost surely an untrained network


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a network wants done to gray values in 0–1: minus mean, over std, per channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class CnnNetwork:
    """A trunk of modules in a row, tapped behind some of them; in evaluation mode, nothing is trained.

    Parameters
    ----------
    trunk : nn.Sequential
        With its weights in it.
    taps : mapping of int to str
        Number of a module in the trunk to the name of the map behind it.
    preprocessing : Preprocessing
        What the weights were trained with.
    sha256 : str
        Of the file of weights.
    device : str
        "cpu", "cuda", "mps" or "auto".
    """

    def __init__(
        self, trunk: nn.Sequential, taps: Mapping[int, str], preprocessing: Preprocessing, sha256: str, device: str
    ) -> None:
        import torch

        self.device = device_named(device)
        self.precision: Literal["float32", "bfloat16"] = "float32"
        self.weights_sha256 = sha256
        self.depths: Sequence[str] = tuple(taps.values())
        self._taps = frozenset(taps)
        last = max(taps) + 1
        self._trunk = trunk[:last].eval().requires_grad_(False)
        self._trunk.to(self.device).to(memory_format=torch.channels_last)
        self._mean = torch.tensor(preprocessing.mean, device=self.device).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std, device=self.device).view(1, 3, 1, 1)
        self._runtime: Runtime | None = None
        self._fuse()
        self._runtime = self._proven_runtime()
        self.widths: Sequence[int] = tuple(found.shape[1] for found in self.maps(probes()[:1]))

    def maps(self, batch: Tensor) -> list[Tensor]:
        """Return a (b, c, h, w) float32 map a depth for a (b, 1 or 3, side, side) batch of values in 0–1."""
        import torch

        if self._runtime is not None and self._runtime.takes(batch):
            return self._runtime.maps(batch)
        # TF32 is not float32: its vectors differ from those of a CPU.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            values = (moved(batch, self.device) - self._mean) / self._std
            values = values.contiguous(memory_format=torch.channels_last)
            if self.precision == "bfloat16":
                values = values.bfloat16()
            found = []
            for number, module in enumerate(self._trunk):
                values = module(values)
                if number in self._taps:
                    # a copy: the next module may work in place
                    found.append(values.clone() if values.dtype == torch.float32 else values.float())
        return found

    @property
    def runs_in(self) -> str:
        """The library that computes: "onnxruntime" or "torch"."""
        return "torch" if self._runtime is None else "onnxruntime"

    def in_bfloat16(self) -> CnnNetwork:
        """Return this network with weights and values in bfloat16, half the bits."""
        import torch

        other = copy.copy(self)
        other.precision, other._runtime = "bfloat16", None
        other._trunk = copy.deepcopy(self._trunk).to(torch.bfloat16)
        return other

    def _fuse(self) -> None:
        """Put each normalization into the convolution before it, if the outputs stay the same."""
        plain, before = self._trunk, self.maps(probes())
        self._trunk = fused(plain, probes().to(self.device).expand(-1, 3, -1, -1))
        if not alike(before, self.maps(probes())):
            self._trunk = plain

    def _proven_runtime(self) -> Runtime | None:
        """Return what runs this network quicker on a processor, if there is such and its outputs are the same."""
        if self.device != "cpu":
            return None
        example = probes().expand(-1, 3, -1, -1).contiguous()
        runtime = runtime_of(self._trunk, self._taps, self._mean, self._std, example)
        return runtime if runtime is not None and alike(self.maps(probes()), runtime.maps(probes())) else None


def moved(batch: Tensor, device: str) -> Tensor:
    """Return a batch on a device; while it is copied to a graphics card, the processor goes on."""
    if device == "cpu":
        return batch
    if batch.stride(1) == 0:  # one channel that stands for three
        batch = batch[:, :1]
    if device.startswith("cuda") and not batch.is_cuda:
        batch = batch.pin_memory()
    return batch.to(device, non_blocking=device.startswith("cuda"))


def alike(ones: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Say whether maps are the same but for the order in which sums were made."""
    import torch

    return all(torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(a.abs().max())) for a, b in zip(ones, others))


def device_named(name: str) -> str:
    """Return the best device there is for "auto", or what MICROMAP_DEVICE says; else the name, if it is there."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = os.environ.get("MICROMAP_DEVICE", name) if name == "auto" else name
    if name == "auto":
        return next(device for device, is_there in there.items() if is_there)
    if not there.get(name.partition(":")[0], False):
        raise Problem(f"There is no device “{name}” here; use auto or {', '.join(d for d in there if there[d])}.")
    return name


def probes(side: int = 96) -> Tensor:
    """Return (6, 1, side, side) pictures that any trained network tells apart, from flat gray to dots."""
    import torch

    ramp = torch.linspace(0, 1, side)
    y, x = torch.meshgrid(ramp, ramp, indexing="ij")
    noise = torch.rand(side, side, generator=torch.Generator().manual_seed(0))
    grains = torch.nn.functional.interpolate(noise[None, None, :14, :14], size=(side, side), mode="bilinear")[0, 0]
    stripes = 0.5 + 0.5 * torch.sin(60 * (x + 0.4 * y))
    dots = ((torch.sin(40 * x) * torch.sin(40 * y)) > 0.6).float()
    return torch.stack([torch.full_like(x, 0.5), noise, grains, stripes, dots, 0.5 * (x + y)])[:, None]


def load_proven(module: nn.Module, weights: Weights) -> None:
    """Load weights into a module and prove that they are in it, all of them and no others.

    Raises
    ------
    WeightsDamaged
        If a parameter has no weights, or weights no parameter, or their shapes differ.
    """
    import torch

    own = module.state_dict()
    # Counters of training steps: older files lack them, and inference does not look at them.
    uncounted = {name: torch.tensor(0) for name in own if name.endswith("num_batches_tracked") and name not in weights}
    wanted = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    wanted |= uncounted
    missing, foreign = sorted(own.keys() - wanted.keys()), sorted(wanted.keys() - own.keys())
    if missing or foreign:
        raise WeightsDamaged(
            f"These weights are of another network: {len(missing)} parameters are missing (such as {missing[:1]}), "
            f"{len(foreign)} do not belong (such as {foreign[:1]})."
        )
    if wrong := [name for name in own if own[name].shape != wanted[name].shape]:
        raise WeightsDamaged(f"These weights are of another network: {wrong[0]} has another shape.")
    module.load_state_dict(wanted, assign=True)
    held = module.state_dict()
    if not all(torch.equal(held[name], value) for name, value in wanted.items()):
        raise WeightsDamaged("The weights did not arrive in the network as they stand in their file.")


def prove_trained(network: CnnNetwork) -> None:
    """Raise WeightsDamaged if the network gives all pictures nearly the same output, as an untrained one does."""
    import torch

    pooled = network.maps(probes())[-1].mean(dim=(2, 3))
    if not bool(torch.isfinite(pooled).all()):
        raise WeightsDamaged("With these weights the network gives no finite numbers.")
    unit = torch.nn.functional.normalize(pooled, dim=1)
    if float((unit @ unit.T).min()) > TOO_SIMILAR:
        raise WeightsDamaged(
            f"With these weights the network says the same of all pictures (cosines above {TOO_SIMILAR}): not trained."
        )


def fused(trunk: nn.Sequential, example: Tensor) -> nn.Sequential:
    """Return a copy whose batch normalizations are folded into the convolutions that feed them."""
    import torch
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    trunk = copy.deepcopy(trunk)
    made: list[tuple[Tensor, nn.Module]] = []  # holds the tensors, so that no address is used twice
    pairs: list[tuple[nn.Module, nn.Module]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made.append((output, module))
        elif isinstance(module, nn.BatchNorm2d):
            pairs.extend((conv, module) for seen, conv in made if seen is inputs[0])

    hooks = [module.register_forward_hook(note) for module in trunk.modules()]
    with torch.inference_mode():
        trunk(example)
    for hook in hooks:
        hook.remove()
    partner_of = {id(norm): conv for conv, norm in pairs}
    replaced = {id(conv): fuse_conv_bn_eval(conv, norm) for conv, norm in pairs}  # type: ignore[arg-type, type-var]
    for parent in list(trunk.modules()):
        for name, child in parent.named_children():
            if id(child) in replaced:
                setattr(parent, name, replaced[id(child)])
            elif id(child) in partner_of:
                setattr(parent, name, nn.Identity())
    return trunk.to(memory_format=torch.channels_last)
