"""Presets: backbone and recipe under one name, in scripts and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_micromap.backbones import BACKBONES
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.backbones.torchvision_cnns import ResNet50
from napari_micromap.cli import main
from napari_micromap.cli.network import STEPS
from napari_micromap.presets import PRESETS, changed, preset_named, preset_of
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe


def test_the_first_is_what_is_used_where_nothing_is_chosen() -> None:
    name, preset = next(iter(PRESETS.items()))
    assert name == "micromap"
    assert preset.backbone() == EfficientNetLite0() == BACKBONES[next(iter(BACKBONES))]()
    assert preset.recipe == Recipe()


def test_the_paper_is_the_last_layer_of_resnet50_without_tricks() -> None:
    paper = preset_named("paper")
    assert paper.backbone() == ResNet50()
    assert paper.recipe == Recipe(depths="last", views=1, low_percent=0, high_percent=100)


def test_each_is_known_again_by_what_it_is() -> None:
    for name, preset in PRESETS.items():
        assert preset_of(preset.backbone(), preset.recipe) == name
        assert preset_of(preset.backbone(), changed(preset, precision="bfloat16")) == name
        assert preset_of(preset.backbone(), changed(preset, invert=True)) is None
        assert preset.title and preset.about.endswith(".")
    with pytest.raises(Problem, match="there are: micromap, paper"):
        preset_named("nothing")


def test_each_step_of_the_recipe_can_be_asked_for_on_the_command_line() -> None:
    assert set(STEPS) == set(Recipe.__dataclass_fields__)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    import imageio.v3 as iio

    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        iio.imwrite(folder / f"{number}.png", rng.integers(0, 256, (96, 96), np.uint8))
    return folder


def said_by(capsys: Any, *call: str) -> Any:
    assert main([*call, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_line_takes_a_preset_and_changes_of_it(pictures: Path, tmp_path: Path, capsys: Any) -> None:
    from napari_micromap.session import Session

    said = said_by(
        capsys, "map", str(pictures), "--preset", "paper", "--backbone", "efficientnet-lite0", "--even-light", "0.5",
        "--side", "96", "-o", str(tmp_path / "map"),
    )  # fmt: skip
    assert (said["backbone"], said["dim"]) == ("efficientnet-lite0", 1280)
    session = Session()
    session.restore(said["out"])
    expected = changed(PRESETS["paper"], even_light=0.5, side=96)
    assert session.atlas.made_by["recipe"] == repr(expected)
    session.workshop.close()


def test_weights_that_must_be_downloaded_are_asked_for(pictures: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TORCH_HOME", str(pictures))
    assert main(["map", str(pictures), "--preset", "paper"]) == 1
    assert "ResNet-50 (ImageNet) (102 MB) are not on this machine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["--backbone", "own", "--architecture", "mine"], "No architecture is named “mine”; there are: resnet50"),
        (["--backbone", "own"], "Choose the file of your weights"),
        (["--backbone", "resnet50", "--model", "x"], "takes no model; leave --model out"),
        (["--weights", "x.pth"], "has its own weights; leave --weights out"),
    ],
)
def test_wrong_calls_are_answered_in_a_sentence(call: list[str], said: str, pictures: Path, capsys: Any) -> None:
    assert main(["map", str(pictures), *call]) == 1
    assert said in capsys.readouterr().err
