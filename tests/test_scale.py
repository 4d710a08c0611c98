"""One scale for all, and windows pooled to one embedding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.embedding.inference import Inference
from napari_micromap.embedding.keys import Keys
from napari_micromap.embedding.scales import scaled, settled
from napari_micromap.growing import made_by
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe, cuts_in, is_blank, prepare, prepare_windows, recipe_key, window_side
from napari_micromap.sources.folder import Folder
from napari_micromap.streaming import Stop
from napari_micromap.work import finish

OWN = Recipe()
COMMON = Recipe(scale="chosen", um_per_px=0.04)


def texture(grain_um: float, um_per_px: float, seed: int, shape: tuple[int, int] = (448, 560)) -> NDArray[np.float32]:
    """Render a texture of blobs whose size is a length, so that it can be taken at any magnification."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    soft = ndimage.gaussian_filter(noise, grain_um / um_per_px)
    rendered: NDArray[np.float32] = np.tanh(3 * soft / soft.std()).astype(np.float32)
    return rendered


# ---------------------------------------------------------------------- where windows lie


@pytest.mark.parametrize(
    ("height", "width", "side", "overlap", "most"),
    [(100, 130, 40, 0.25, None), (3000, 4000, 224, 0.5, 9), (50, 500, 64, 0.0, None), (7, 9, 64, 0.3, 4)],
)
def test_windows_reach_from_edge_to_edge_and_never_beyond(
    height: int, width: int, side: int, overlap: float, most: int | None
) -> None:
    cuts = cuts_in(height, width, side, overlap, most)
    assert len(np.unique(cuts, axis=0)) == len(cuts) <= (most or 10**9)
    assert (cuts[:, :2] >= 0).all()
    assert (cuts[:, 0] + cuts[:, 2] <= height).all() and (cuts[:, 1] + cuts[:, 3] <= width).all()
    assert (cuts[:, 2] == min(side, height)).all() and (cuts[:, 3] == min(side, width)).all()
    if most is None:
        covered = np.zeros((height, width), bool)
        for top, left, tall, wide in cuts.tolist():
            covered[top : top + tall, left : left + wide] = True
        assert covered.all()


def test_windows_are_equal_fields_whatever_the_magnification() -> None:
    for um_per_px in (0.01, 0.02, 0.03, 0.04):
        side = window_side(COMMON, um_per_px)
        assert side is not None and side * um_per_px == pytest.approx(224 * 0.04)


def test_nothing_is_enlarged_more_than_one_and_a_half_times() -> None:
    assert window_side(COMMON, 4.0) == pytest.approx(224 / 1.5)
    wide = Recipe(windows="pooled", window_um=1.0)
    assert window_side(wide, 4.0) == pytest.approx(224 / 1.5)


def test_a_picture_of_unknown_scale_is_taken_as_it_is() -> None:
    picture = texture(0.1, 0.02, 0)
    assert np.array_equal(prepare_windows(picture, COMMON, np.nan)[0], prepare(picture, OWN))
    assert prepare_windows(picture, COMMON, np.nan).shape == (1, 224, 224)


def test_a_small_field_goes_on_mirrored() -> None:
    squares = prepare_windows(texture(0.1, 0.01, 0, (300, 300)), COMMON, 0.01)
    assert squares.shape == (1, 224, 224)
    assert np.array_equal(squares[0, :75], squares[0, 149:74:-1])


# ---------------------------------------------------------------------- what is blank


def test_noise_on_nothing_is_blank_and_fine_or_faint_structure_is_not() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((224, 224), 0.4, np.float32)
    assert is_blank(flat)
    assert is_blank(flat + rng.normal(0, 0.03, flat.shape).astype(np.float32))
    assert not is_blank(flat + 0.1 * np.sin(np.arange(224, dtype=np.float32) / 5)[None])
    assert not is_blank((0.5 + 0.3 * texture(0.05, 0.02, 1, (224, 224))).astype(np.float32))


def test_blank_windows_do_not_count() -> None:
    specimen = np.zeros((448, 1344), np.float32)
    specimen[:, :448] = texture(0.1, 0.02, 3, (448, 448))
    recipe = Recipe(windows="pooled", window_px=224, overlap=0.0, most_windows=100)
    assert len(prepare_windows(specimen, recipe)) == 4
    assert len(prepare_windows(np.zeros((448, 448), np.float32), recipe)) == 4  # all are blank: none is dropped


# ---------------------------------------------------------------------- embeddings


def test_two_magnifications_of_a_texture_come_together_at_one_scale_and_others_stay_apart() -> None:
    network = EfficientNetLite0().load("cpu")
    kinds = [(grain, um) for grain in (0.12, 0.36) for um in (0.02, 0.04)]
    cosines = {}
    for name, recipe in (("own", OWN), ("common", COMMON)):
        recipe = replace(recipe, views=1)
        pictures = [prepare_windows(texture(g, um, seed), recipe, um) for seed, (g, um) in enumerate(kinds)]
        vectors = Inference(network, recipe).vectors(pictures, 1, Stop())
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines[name] = vectors @ vectors.T
    for first, second in ((0, 1), (2, 3)):  # measured: 0.98 and more against 0.82 and less
        assert cosines["common"][first, second] > 0.95
        assert cosines["own"][first, second] < cosines["common"][first, second] - 0.05
    assert cosines["common"][0, 2] < cosines["common"][0, 1] - 0.05


def test_windows_are_averaged_before_their_depths_are_normalized() -> None:
    network = EfficientNetLite0().load("cpu")
    squares = np.stack([prepare(texture(0.1, 0.02, seed), OWN) for seed in range(3)])
    inference = Inference(network, OWN)
    apart, same = inference.vectors(list(squares), 1, Stop()), inference.vectors([squares[[0, 0, 0]]], 1, Stop())
    np.testing.assert_allclose(same[0], apart[0], atol=1e-6)
    pooled = inference.vectors([squares], 1, Stop())[0]
    mean = apart.mean(axis=0)
    assert pooled @ mean / np.linalg.norm(pooled) / np.linalg.norm(mean) > 0.999


# ---------------------------------------------------------------------- a collection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from tifffile import imwrite

    for number, um_per_px in enumerate((0.02, 0.04, 0.0)):
        pixels = (127 + 100 * texture(0.2, um_per_px or 0.02, number, (256, 320))).astype(np.uint8)
        if um_per_px:
            imwrite(tmp_path / f"{number}.tif", pixels, imagej=True,
                    resolution=(1 / um_per_px, 1 / um_per_px), metadata={"unit": "um"})  # fmt: skip
        else:
            imwrite(tmp_path / f"{number}.tif", pixels)
    return tmp_path


def embedded(atlas: Atlas, workshop: pipeline.Workshop, recipe: Recipe) -> Atlas:
    return finish(pipeline.embed(atlas, None, recipe, workshop, "cpu"))


def test_the_coarsest_scale_is_recorded_with_how_many_have_none(folder: Path, tmp_path: Path) -> None:
    workshop = pipeline.Workshop(tmp_path / "kept")
    atlas = finish(pipeline.gather(Folder(folder)))
    np.testing.assert_allclose(atlas.um_per_px, [0.02, 0.04, np.nan], rtol=1e-6)
    done = embedded(atlas, workshop, Recipe(views=1, scale="coarsest"))
    assert done.made_by["scale"] == {"um_per_px": 0.04, "unknown": 1, "limited": 0}
    assert made_by(done)[1] == Recipe(views=1, scale="chosen", um_per_px=0.04)
    # a corrected scale is another embedding, where the recipe asks for it, and the same one where it does not
    other = atlas.with_columns(atlas.columns.assign(um_per_px=[0.01, 0.04, np.nan]))
    again = embedded(other, workshop, Recipe(views=1, scale="chosen", um_per_px=0.04))
    same = [np.array_equal(a, b) for a, b in zip(done.embeddings, again.embeddings)]  # type: ignore[arg-type]
    assert same == [False, True, True]
    own = Recipe(views=1)
    assert np.array_equal(embedded(atlas, workshop, own).embeddings, embedded(other, workshop, own).embeddings)  # type: ignore[arg-type]
    assert "scale" not in embedded(atlas, workshop, own).made_by
    workshop.close()


def test_a_scale_that_nobody_knows_or_named_is_said() -> None:
    with pytest.raises(Problem, match="how large its pixels are"):
        settled(Recipe(scale="coarsest"), np.array([np.nan, np.nan]))
    with pytest.raises(Problem, match="how many µm"):
        settled(Recipe(scale="chosen"), np.array([0.1]))
    fares = scaled(Recipe(scale="chosen", um_per_px=0.1), np.array([0.05, 0.14, 0.4, np.nan]))
    assert fares is not None and (fares.unknown, fares.limited) == (1, 1)


def test_recipes_of_before_keep_their_keys_and_their_words() -> None:
    assert repr(OWN).startswith("Recipe(depths='several', views=8, side=224, low_percent=0.5, high_percent=99.5, ")
    assert "window" not in repr(OWN) and "scale" not in recipe_key(OWN)
    assert "um_per_px=0.04" in repr(COMMON) and recipe_key(COMMON) != recipe_key(OWN)
    keys = Keys("B()", "", OWN, "float32")
    assert keys.key("content", um_per_px=0.1) == keys.key("content")
