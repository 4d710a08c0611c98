"""Backbone and recipe under one name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A choice of backbone and recipe that goes together.

    Parameters
    ----------
    title : str
        As users read it.
    about : str
        What it is good for, in a sentence.
    backbone_name : str
        In the table of backbones.
    recipe : Recipe
        What happens to each picture.
    """

    title: str
    about: str
    backbone_name: str
    recipe: Recipe

    def backbone(self) -> Backbone:
        """Make the backbone."""
        return BACKBONES[self.backbone_name]()


# The first is what is used where nothing is chosen; docs/recipes.md says why it is as it is.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "micromap": Preset(
            "MicroMap",
            "Several depths of a small network, over all flips and quarter turns: good on most sets, and no download.",
            "efficientnet-lite0",
            Recipe(),
        ),
        "paper": Preset(
            "Paper",
            "ResNet-50, its last layer, each picture as it stands: as such maps were first made.",
            "resnet50",
            Recipe(depths="last", views=1, low_percent=0.0, high_percent=100.0),
        ),
    }
)


def preset_named(name: str) -> Preset:
    """Return a preset by its name."""
    if name not in PRESETS:
        raise Problem(f"No preset is named “{name}”; there are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def preset_of(backbone: Backbone, recipe: Recipe) -> str | None:
    """Return the name of the preset that these are, or None; the number format is another thing."""
    for name, preset in PRESETS.items():
        if preset.backbone() == backbone and preset.recipe == replace(recipe, precision=preset.recipe.precision):
            return name
    return None


def changed(preset: Preset, **steps: Any) -> Recipe:
    """Return a preset's recipe with some steps otherwise; those that are None stay."""
    return replace(preset.recipe, **{name: value for name, value in steps.items() if value is not None})
