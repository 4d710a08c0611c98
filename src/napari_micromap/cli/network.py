"""Options of network and recipe, the same for all verbs that embed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from napari_micromap.recipe import Recipe

# What is said of each step of the recipe that can be asked for.
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "depths": "pool several depths, or the last layer as in the first paper",
        "views": "flips and quarter turns to average over; 1 for directional structures",
        "side": "pixels a side for the network",
        "low_percent": "gray percentile that becomes black",
        "high_percent": "gray percentile that becomes white",
        "even_light": "take away shading wider than this share of the picture, such as 0.5",
        "local_contrast": "raise contrast part by part (CLAHE), such as 0.01",
        "invert": "black becomes white",
        "scale": "bring all to one size of pixel: the coarsest there is, or --um-per-px",
        "um_per_px": "that size of a pixel, in µm",
        "windows": "squeeze each picture as a whole, or cut windows and average over them",
        "window_um": "width of a window, in µm",
        "window_px": "the same in pixels, where the scale is not known",
        "overlap": "share of a window that its neighbor has as well",
        "most_windows": "windows of one picture at most",
        "precision": "number format: bfloat16 is quicker and less exact",
    }
)


def add_network(parser: Any) -> None:
    """Add the options to a parser, or to a group of one."""
    from napari_micromap.presets import PRESETS

    said = f"backbone and recipe by one name: {', '.join(PRESETS)}; what else is said changes it; default: %(default)s"
    parser.add_argument("--preset", choices=list(PRESETS), default=next(iter(PRESETS)), metavar="NAME", help=said)
    parser.add_argument("--backbone", choices=list(BACKBONES), metavar="NAME",
                        help="one that “micromap backbones” lists; default: that of the preset")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="FILE", help="its weights, where they are already here")
    parser.add_argument("--architecture", metavar="NAME", help="with --backbone own: what your weights were trained in")
    parser.add_argument("--model", metavar="NAME", help="with --backbone timm: the name of the model")
    _add_steps(parser)


def _add_steps(parser: Any) -> None:
    from napari_micromap.recipe import Recipe

    hints = get_type_hints(Recipe, include_extras=True)
    for name in (field.name for field in fields(Recipe) if field.name in STEPS):
        kind = get_args(hints[name])[0] if get_origin(hints[name]) is Annotated else hints[name]
        option, said = f"--{name.replace('_', '-')}", STEPS[name]
        if kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, help=said)
        elif get_origin(kind) is Literal:
            values = get_args(kind)
            parser.add_argument(option, type=type(values[0]), choices=values, help=said)
        else:
            limits = next((note for note in hints[name].__metadata__ if isinstance(note, dict)), {})
            parser.add_argument(option, type=_within(kind, limits), metavar="N", help=said)


def _within(kind: type[Any], limits: Mapping[str, Any]) -> Any:
    def number(text: str) -> Any:
        value = kind(text)
        if not limits.get("min", value) <= value <= limits.get("max", value):
            raise argparse.ArgumentTypeError(f"{text} is not within {limits['min']:g} and {limits['max']:g}")
        return value

    number.__name__ = "whole number" if kind is int else "number"
    return number


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe of the preset, with what is said otherwise."""
    from napari_micromap.presets import changed, preset_named

    return changed(preset_named(arguments.preset), **{name: getattr(arguments, name, None) for name in STEPS})


def backbone_of(arguments: argparse.Namespace) -> Backbone:
    """Return the backbone that is named, else that of the preset, with its file of weights."""
    from napari_micromap.presets import preset_named

    backbone: Any = BACKBONES[arguments.backbone or preset_named(arguments.preset).backbone_name]()
    known = {field.name for field in fields(backbone)}
    given = {"weights_file": arguments.weights, "architecture": arguments.architecture, "model": arguments.model}
    for name, value in given.items():
        if value is None:
            continue
        if name not in known:
            option = {"weights_file": "weights"}.get(name, name)
            what = "has its own weights" if name == "weights_file" else f"takes no {option}"
            raise Problem(f"{backbone.title} {what}; leave --{option} out.")
        backbone = replace(backbone, **{name: _checked(type(backbone), name, value)})
    made: Backbone = backbone
    return made


def _checked(cls: type[Any], name: str, value: Any) -> Any:
    hint = get_type_hints(cls)[name]
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise Problem(f"No {name} is named “{value}”; there are: {', '.join(get_args(hint))}.")
    return value.expanduser().absolute() if isinstance(value, Path) else value
