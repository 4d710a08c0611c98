"""Uneven light, local contrast, negatives: what each takes away, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_micromap.recipe import Recipe, prepare, recipe_key
from napari_micromap.recipe.light import background, evened, locally_equalized

PLAIN = Recipe()
EVEN = replace(PLAIN, even_light=0.5)
LOCAL = replace(PLAIN, local_contrast=0.01)
NEGATIVE = replace(PLAIN, invert=True)
ALL = Recipe(even_light=0.5, local_contrast=0.01, invert=True)
OPTIONS = pytest.mark.parametrize("recipe", [EVEN, LOCAL, NEGATIVE, ALL], ids=["even", "local", "negative", "all"])

RNG = np.random.default_rng(5)


def grains(height: int = 256, width: int = 256) -> Any:
    """Blobs of some eight pixels, in 8 bit."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(RNG.standard_normal((height, width)), 4)
    return np.uint8(128 + 80 * np.tanh(noise / noise.std()))


def likeness(one: Any, other: Any) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@OPTIONS
def test_what_comes_out_is_gray_between_black_and_white(recipe: Recipe) -> None:
    for picture in (grains(), grains(100, 700), np.uint16(grains()) * 200, grains().astype(float) - 50, grains(3, 5)):
        given = picture.copy()
        given.setflags(write=False)
        prepared = prepare(given, recipe)
        assert prepared.shape == (224, 224) and prepared.dtype == np.float32
        assert 0 <= prepared.min() <= prepared.max() <= 1
        np.testing.assert_array_equal(given, picture)


@OPTIONS
@pytest.mark.parametrize("picture", [np.full((90, 60), 7, np.uint8), np.full((40, 40), np.nan), np.ones((1, 1))])
def test_a_constant_picture_stays_gray_all_over(picture: Any, recipe: Recipe) -> None:
    assert (prepare(picture, recipe) == 0.5).all()


@OPTIONS
def test_flips_and_rotations_come_out_flipped_and_rotated(recipe: Recipe) -> None:
    picture = grains()
    for turn in (np.fliplr, np.flipud, np.transpose, np.rot90):
        np.testing.assert_allclose(prepare(turn(picture), recipe), turn(prepare(picture, recipe)), atol=0.02)


@OPTIONS
def test_brightness_contrast_and_bit_depth_do_not_matter(recipe: Recipe) -> None:
    picture = grains()
    expected = prepare(picture, recipe)
    for other in (picture // 2 + 60, np.uint16(picture) << 8, picture * np.float32(0.01) - 3):
        assert likeness(prepare(other, recipe), expected) > 0.99


@OPTIONS
def test_specks_that_are_no_numbers_stay_small(recipe: Recipe) -> None:
    picture = grains().astype(np.float32)
    expected = prepare(picture, recipe)
    picture[10:14, 10:14] = np.nan
    prepared = prepare(picture, recipe)
    assert np.isfinite(prepared).all()
    assert likeness(prepared, expected) > 0.98


def test_a_slope_of_brightness_goes_and_the_grains_stay() -> None:
    picture = grains().astype(np.float32)
    slope = picture + np.linspace(-120, 120, 256)[:, None] + np.linspace(60, -60, 256)
    shaded, without = prepare(slope, PLAIN), prepare(picture, EVEN)
    assert likeness(shaded, without) < 0.8, "else there is nothing to take away"
    assert likeness(prepare(slope, EVEN), without) > 0.97
    assert likeness(prepare(picture, EVEN), prepare(picture, PLAIN)) > 0.97


def test_what_is_larger_than_the_width_is_background_and_what_is_smaller_is_not() -> None:
    x = np.mgrid[:300, :400][1] / 300
    large, small = (0.5 + 0.4 * np.sin(2 * np.pi * x / length).astype(np.float32) for length in (1.3, 0.08))
    assert np.ptp(background(large, 0.25)[50:-50, 50:-50]) > 0.6
    assert np.ptp(background(small, 0.25)[50:-50, 50:-50]) < 0.05
    assert np.ptp(evened(small, 0.25, (0, 100))) == pytest.approx(1, abs=1e-5)


def test_a_dim_corner_gets_the_contrast_of_the_rest() -> None:
    picture = grains().astype(np.float32)
    picture[:64, :64] = picture[:64, :64] * 0.1 + 100

    def in_corner(recipe: Recipe) -> float:
        made = prepare(picture, recipe)
        return float(made[:48, :48].std() / made[112:, 112:].std())

    assert in_corner(PLAIN) < 0.15
    assert in_corner(LOCAL) > 2 * in_corner(PLAIN)
    assert in_corner(replace(PLAIN, local_contrast=0.1)) > in_corner(LOCAL), "the limit holds noise back"


def test_local_contrast_is_scikit_images() -> None:
    from skimage.exposure import equalize_adapthist

    gray = (grains() / 255).astype(np.float32)
    gray *= np.linspace(0.4, 1, 256, dtype=np.float32)
    theirs = equalize_adapthist(gray, kernel_size=32, clip_limit=0.01)
    assert likeness(locally_equalized(gray, 0.01), theirs) > 0.97


def test_a_negative_is_one_minus_the_picture_whatever_else_is_done() -> None:
    picture = grains()
    for recipe in (PLAIN, EVEN, LOCAL):
        negative = prepare(picture, replace(recipe, invert=True))
        np.testing.assert_allclose(negative, 1 - prepare(picture, recipe), atol=1e-5)
        assert likeness(negative, prepare(255 - picture, recipe)) > 0.995


def test_options_are_recorded_and_those_left_alone_are_not() -> None:
    recipes = [PLAIN, EVEN, LOCAL, NEGATIVE, ALL, replace(EVEN, even_light=0.3), replace(LOCAL, local_contrast=0.02)]
    assert len({recipe_key(recipe) for recipe in recipes}) == len({repr(recipe) for recipe in recipes}) == 7
    assert "even_light=0.5" in repr(EVEN) and "local_contrast=0.01" in repr(LOCAL) and "invert=True" in repr(NEGATIVE)
    assert not any(word in repr(PLAIN) + recipe_key(PLAIN) for word in ("even_light", "local_contrast", "invert"))
    assert eval(repr(ALL), {"Recipe": Recipe}) == ALL
