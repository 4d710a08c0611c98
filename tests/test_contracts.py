"""Every member of every table of choices, through the contract of its room."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from napari_micromap.backbones import BACKBONES, Download
from napari_micromap.choices import Choices, parameters
from napari_micromap.layouts import LAYOUTS
from napari_micromap.neighbors import exact_neighbors
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.sources import SOURCES
from napari_micromap.views.form import form, summary, tooltips
from napari_micromap.work import finish

TABLES: dict[str, Choices[Any]] = {"backbone": BACKBONES, "layout": LAYOUTS, "source": SOURCES}
MEMBERS = [pytest.param(table[name], id=f"{what} {name}") for what, table in TABLES.items() for name in table]
# What a user chooses in a form; folder and layers are what a user opens, and have no default.
CHOSEN = [
    *(pytest.param(table[name], id=name) for table in (BACKBONES, LAYOUTS) for name in table),
    pytest.param(Recipe, id="recipe"),
]


@pytest.mark.parametrize("algorithm", MEMBERS)
def test_each_is_a_frozen_dataclass_that_says_what_it_is(algorithm):
    assert is_dataclass(algorithm) and algorithm.__dataclass_params__.frozen
    assert summary(algorithm), "its docstring becomes the tooltip"
    assert callable(algorithm) and not inspect.isabstract(algorithm)


@pytest.mark.parametrize(("what", "table"), TABLES.items())
def test_a_wrong_name_is_answered_with_the_right_ones(what, table):
    with pytest.raises(Problem, match=next(iter(table))):
        table["nobody"]


@pytest.mark.parametrize("algorithm", CHOSEN)
def test_fields_are_flat(algorithm):
    for name, hint in get_type_hints(algorithm, include_extras=True).items():
        if name in {field.name for field in fields(algorithm)}:
            plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
            flat = plain in (bool, int, float, str, Path | None) or get_origin(plain) is Literal
            assert flat, f"{name}: {hint}"
            if plain in (int, float):
                assert get_origin(hint) is Annotated, f"{name} names no bounds"


@pytest.mark.parametrize("algorithm", CHOSEN)
def test_an_untouched_form_gives_the_default(algorithm, qtbot):
    asked = form(algorithm)
    qtbot.addWidget(asked)
    assert asked() == algorithm()


@pytest.mark.parametrize("algorithm", CHOSEN)
def test_each_field_of_a_form_has_its_tooltip(algorithm):
    assert set(tooltips(algorithm)) >= {field.name for field in fields(algorithm)}


@pytest.mark.parametrize("algorithm", CHOSEN)
def test_provenance_gives_the_algorithm_back(algorithm):
    made = algorithm()
    assert type(made)(**parameters(made)) == made
    assert eval(repr(made), {algorithm.__name__: algorithm, "PosixPath": Path, "WindowsPath": Path}) == made
    for field in fields(algorithm):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, getattr(made, field.name))


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_says_what_it_would_download(name):
    backbone = BACKBONES[name]()
    assert BACKBONES.name_of(backbone) == name and backbone.title
    wanted = backbone.download()
    if wanted is not None:
        assert isinstance(wanted, Download)
        assert wanted.url.startswith("https://") and wanted.megabytes > 1
        # their publishers name no hash: that of the file that was used is recorded
        assert len(wanted.sha256_start) >= 8 or name in ("micronet", "timm")
    assert (wanted is None) or name != next(iter(BACKBONES)), "the default works offline"


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_places_all(name):
    layout = LAYOUTS[name]()
    assert LAYOUTS.name_of(layout) == name
    if layout.holds_gil:
        pytest.skip("runs in the layout process: tested there")
    features = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    neighbors = finish(exact_neighbors(features, 10))
    positions = finish(layout(features, neighbors))
    assert positions.shape == (40, 2) and np.isfinite(positions).all()
