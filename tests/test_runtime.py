"""Trunks in ONNX Runtime: the same maps as in torch, or torch."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.backbones.graph import NotWritten, onnx_model
from napari_micromap.backbones.network import CnnNetwork, probes
from napari_micromap.backbones.torchvision_cnns import IMAGENET, ConvNeXtTiny, ResNet18, trunk_of

pytest.importorskip("onnxruntime")


def untrained(cls: type) -> CnnNetwork:
    from torchvision import models

    torch.manual_seed(0)
    trunk = trunk_of(getattr(models, cls.builder)(weights=None))
    return CnnNetwork(trunk, dict(zip(cls.taps, "abcd")), IMAGENET, "0" * 64, "cpu")


@pytest.fixture(scope="module")
def lite() -> CnnNetwork:
    return EfficientNetLite0().load("cpu")


def in_torch(network: CnnNetwork, batch: torch.Tensor) -> list[torch.Tensor]:
    runtime, network._runtime = network._runtime, None
    try:
        return network.maps(batch)
    finally:
        network._runtime = runtime


@pytest.mark.parametrize("side", [32, 224])
@pytest.mark.parametrize("color", [False, True])
def test_both_runtimes_give_the_same_maps(lite: CnnNetwork, side: int, color: bool) -> None:
    network, batch = lite, probes(side)[1:]  # without the flat one, of which the head says nothing
    assert network.runs_in == "onnxruntime"
    if color:
        batch = torch.cat([batch, batch.flip(-1), 1 - batch], dim=1)
    for found, wanted in zip(network.maps(batch), in_torch(network, batch), strict=True):
        assert found.shape == wanted.shape and found.dtype == torch.float32
        unit = [nn.functional.normalize(maps.mean(dim=(2, 3)), dim=1) for maps in (found, wanted)]
        assert float((unit[0] * unit[1]).sum(dim=1).min()) > 0.999999


def test_a_resnet_is_written_down_as_well() -> None:
    network = untrained(ResNet18)
    assert network.runs_in == "onnxruntime"
    for found, wanted in zip(network.maps(probes(64)), in_torch(network, probes(64)), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


def test_what_cannot_be_written_down_runs_in_torch() -> None:
    network = untrained(ConvNeXtTiny)
    assert network.runs_in == "torch"
    assert [maps.shape[1] for maps in network.maps(probes(64))] == [192, 384, 768]
    with pytest.raises(NotWritten):
        one = torch.zeros(1, 3, 1, 1)
        onnx_model(nn.Sequential(nn.Softplus()), [0], one, one + 1, torch.zeros(1, 3, 32, 32))


def test_without_onnx_runtime_torch_does_it(lite: CnnNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    network = EfficientNetLite0().load("cpu")
    assert network.runs_in == "torch"
    torch.testing.assert_close(network.maps(probes())[-1], lite.maps(probes())[-1], rtol=1e-3, atol=1e-3)


def test_a_side_that_strides_do_not_divide_runs_in_torch_and_bfloat16_too(lite: CnnNetwork) -> None:
    odd = probes(97)
    for found, wanted in zip(lite.maps(odd), in_torch(lite, odd), strict=True):
        assert torch.equal(found, wanted)
    assert lite.in_bfloat16().runs_in == "torch" and lite.runs_in == "onnxruntime"


def test_neither_threads_nor_the_rest_of_a_batch_change_a_bit(lite: CnnNetwork) -> None:
    pictures = torch.cat([probes(64), probes(64).flip(-1)])
    alone = [lite.maps(picture[None])[-1][0] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        several = [maps[-1] for maps in pool.map(lite.maps, pictures.split(4))]
    assert all(torch.equal(one, same) for one, same in zip(alone, torch.cat(several), strict=True))


def test_torchs_compiler_is_not_loaded() -> None:
    said = "EfficientNetLite0().load('cpu'); import sys; assert 'torch._dynamo' not in sys.modules"
    code = f"from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0; {said}"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
