"""Networks from elsewhere: MicroNet, the user's own weights, timm."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_micromap.backbones import BACKBONES
from napari_micromap.backbones.micronet import MicroNetResNet50
from napari_micromap.backbones.own import CLASSES, OwnCheckpoint
from napari_micromap.backbones.timm_models import TimmModel, taps_of
from napari_micromap.backbones.torchvision_cnns import ResNet18, TorchvisionCnn
from napari_micromap.backbones.weights import hub_folder, without_prefixes
from napari_micromap.problems import Problem, WeightsDamaged, WeightsMissing


@pytest.fixture(autouse=True)
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture(scope="module")
def weights() -> Any:
    """A ResNet-18 that learned nothing: good for trying the code, never for results."""
    import torch
    from torchvision.models import resnet18

    torch.manual_seed(0)
    return resnet18(weights=None).state_dict()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], Path]:
    def save(content: Any, name: str = "mine.pth") -> Path:
        import torch

        torch.save(content, tmp_path / name)
        return tmp_path / name

    return save


def same(one: Any, other: Any) -> bool:
    import torch

    gray = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    return all(torch.equal(a, b) for a, b in zip(one.maps(gray), other.maps(gray), strict=True))


# ------------------------------------------------------------ the user's own weights


def wrapped_by_moco(weights: Any) -> Any:
    """Two networks and a queue, as contrastive learning saves them."""
    import torch

    query = {f"module.encoder_q.{name}": value for name, value in weights.items() if not name.startswith("fc.")}
    key = {f"module.encoder_k.{name}": torch.zeros_like(value) for name, value in weights.items()}
    head = {"module.encoder_q.fc.0.weight": torch.ones(4, 512), "module.queue": torch.zeros(8, 8)}
    return {"epoch": 9, "arch": "resnet18", "state_dict": {**query, **key, **head}}


def wrapped_by_dino(weights: Any) -> Any:
    import torch

    inside = {f"module.backbone.{name}": value for name, value in weights.items() if not name.startswith("fc.")}
    return {"student": {}, "teacher": {**inside, "module.head.mlp.0.weight": torch.ones(3, 3)}, "epoch": 1}


WRAPPINGS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda weights: weights,
    "module": lambda weights: {f"module.{name}": value for name, value in weights.items()},
    "backbone": lambda weights: {"model": {f"backbone.{name}": value for name, value in weights.items()}},
    "moco": wrapped_by_moco,
    "dino": wrapped_by_dino,
    "lightning": lambda weights: {"state_dict": {f"model.encoder.{name}": value for name, value in weights.items()}},
}


@pytest.mark.parametrize("wrapped", WRAPPINGS.values(), ids=WRAPPINGS)
def test_what_training_wraps_around_a_network_is_taken_off(wrapped: Any, weights: Any, saved: Any) -> None:
    plain = ResNet18(saved(weights, "plain.pth")).load()
    path = saved(wrapped(weights))
    made = OwnCheckpoint("resnet18", path).load()
    assert same(made, plain)
    assert made.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert OwnCheckpoint("resnet18", path).weights_sha256() == made.weights_sha256


def test_safetensors_hold_the_same(weights: Any, saved: Any, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({f"backbone.{name}": value for name, value in weights.items()}, tmp_path / "mine.safetensors")
    made = OwnCheckpoint("resnet18", tmp_path / "mine.safetensors").load()
    assert same(made, ResNet18(saved(weights)).load())
    (tmp_path / "broken.safetensors").write_bytes(b"404: not found, sorry")
    with pytest.raises(WeightsDamaged, match="cannot be read as weights"):
        OwnCheckpoint("resnet18", tmp_path / "broken.safetensors").load()


def test_weights_that_do_not_fit_are_refused_in_a_clear_sentence(weights: Any, saved: Any) -> None:
    with pytest.raises(
        WeightsDamaged, match=r"mine\.pth does not fit ResNet-50: choose the architecture .* parameters are missing"
    ):
        OwnCheckpoint("resnet50", saved(weights)).load()
    with pytest.raises(WeightsDamaged, match="another shape"):
        OwnCheckpoint("resnet18", saved({**weights, "conv1.weight": weights["conv1.weight"][:, :1]})).load()


def test_without_a_file_it_says_what_is_missing(tmp_path: Path) -> None:
    for nothing in (None, Path()):
        with pytest.raises(WeightsMissing, match="Choose the file of your weights"):
            OwnCheckpoint(weights_file=nothing).weights_sha256()
    with pytest.raises(WeightsMissing, match="no file of weights"):
        OwnCheckpoint(weights_file=tmp_path / "gone.pth").load()
    assert OwnCheckpoint().download() is None


def test_architectures_are_those_that_are_here_under_their_names() -> None:
    here = {name: cls.__name__ for name, cls in BACKBONES.items() if issubclass(cls, TorchvisionCnn)}
    assert here == {**CLASSES, "micronet": "MicroNetResNet50"}


def test_names_that_only_look_like_prefixes_stay() -> None:
    import torch

    one = torch.zeros(1)
    assert set(without_prefixes({"layer1.module.weight": one, "module.module.a": one})) == {"layer1.module.weight", "a"}


# ------------------------------------------------------------ MicroNet


def test_micronet_loads_a_local_file_with_its_wrapping(tmp_path: Path, saved: Any) -> None:
    import torch
    from torchvision.models import resnet50

    torch.manual_seed(1)
    inside = {f"module.{name}": value for name, value in resnet50(weights=None, num_classes=54).state_dict().items()}
    path = saved({"epoch": 90, "state_dict": inside}, "micronet.pth.tar")
    network = MicroNetResNet50(path).load()
    assert list(network.widths) == [512, 1024, 2048]
    assert network.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    wanted = MicroNetResNet50().download()
    assert wanted is not None and wanted.path.parent == hub_folder() and wanted.sha256_start == ""
    with pytest.raises(WeightsMissing, match="allow their download"):
        MicroNetResNet50().load()


# ------------------------------------------------------------ timm


STRIDES, BLOCKS = ("stride 8", "stride 16", "stride 32"), ("block 2", "block 4", "block 6")


@pytest.mark.parametrize(("name", "depths"), [("test_resnet.r160_in1k", STRIDES), ("test_vit.r160_in1k", BLOCKS)])
def test_a_model_of_timm_loads_a_local_file(name: str, depths: Any, tmp_path: Path) -> None:
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    random = timm.create_model(name, pretrained=False).eval()
    save_file(random.state_dict(), tmp_path / "random.safetensors")
    network = TimmModel(name, tmp_path / "random.safetensors").load()
    assert tuple(network.depths) == depths
    gray = torch.rand(2, 1, 97, 97)
    maps = network.maps(gray)
    assert [depth.shape[1] for depth in maps] == list(network.widths)
    assert all(depth.dtype == torch.float32 and depth.ndim == 4 and len(depth) == 2 for depth in maps)
    assert all(torch.equal(a, b) for a, b in zip(maps, network.maps(gray.expand(-1, 3, -1, -1))))
    low = network.in_bfloat16().maps(gray)
    assert all(torch.allclose(a, b, atol=0.2 * float(a.abs().max())) for a, b in zip(maps, low))
    assert not all(torch.equal(a, b) for a, b in zip(maps, low))


def test_weights_of_another_network_do_not_fit_a_model_of_timm(weights: Any, saved: Any) -> None:
    with pytest.raises(WeightsDamaged, match=r"mine\.pth does not fit test_vit\.r160_in1k: .* parameters are missing"):
        TimmModel("test_vit.r160_in1k", saved(weights)).load()


def test_a_model_of_timm_is_downloaded_only_after_consent(tmp_path: Path) -> None:
    wanted = TimmModel().download()
    assert wanted is not None and "dinov2" in wanted.url and wanted.size == "88 MB"
    other = TimmModel("resnet18.a1_in1k").download()
    assert other is not None and other.size == "size not known"
    with pytest.raises(WeightsMissing, match="allow their download"):
        TimmModel().load()


def test_names_that_timm_does_not_know_are_told(saved: Any, weights: Any) -> None:
    with pytest.raises(Problem, match="no name of a model"):
        TimmModel("hf-hub:somebody/thing").download()
    with pytest.raises(Problem, match="timm knows no model “resnet_of_mine”"):
        TimmModel("resnet_of_mine", saved(weights)).load()


def test_three_depths_are_taken_whatever_the_network() -> None:
    assert taps_of([2, 4, 8, 16, 32]) == ([2, 3, 4], ("stride 8", "stride 16", "stride 32"))
    assert taps_of([14] * 12) == ([3, 7, 11], ("block 4", "block 8", "block 12"))
