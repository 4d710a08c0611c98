"""From pictures to what a network sees, and from its maps to embeddings."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.recipe import (
    Recipe,
    batch_of,
    gray_of,
    gray_window,
    pool,
    prepare,
    prepare_windows,
    prepare_with_thumbnail,
    recipe_key,
    thumbnail,
    views_of,
)
from napari_micromap.recipe.contrast import windowed
from napari_micromap.recipe.resizing import in_blocks, in_blocks_by_strips, resized

RECIPE = Recipe()
TEXTURE = np.random.default_rng(3).integers(0, 256, (300, 400)).astype(np.uint8)
SMOOTH = (127 + 120 * np.sin(np.arange(300)[:, None] / 17) * np.cos(np.arange(400) / 23)).astype(np.uint8)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int16, np.int32, np.int64, np.uint32, np.float16, np.float32, np.float64]
)
def test_a_picture_is_prepared_alike_in_every_number_format(dtype: Any) -> None:
    prepared = prepare(SMOOTH.astype(dtype), RECIPE)
    assert prepared.shape == (224, 224)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared, prepare(SMOOTH, RECIPE), atol=0.006)


def test_sixteen_bit_depth_survives_bright_specks() -> None:
    # All of the structure lies within 200 of 65536 levels; naive conversion to 8 bit would leave nothing of it.
    deep = SMOOTH.astype(np.uint16) * 200 // 255 + 1000
    deep[::97, ::89] = 65535
    assert np.abs(prepare(deep, RECIPE) - prepare(SMOOTH, RECIPE)).mean() < 0.005
    assert len(np.unique(np.rint(prepare(deep, RECIPE) * 255))) > 100


def test_eight_bit_shifted_into_sixteen_prepares_to_the_same() -> None:
    np.testing.assert_array_equal(prepare(TEXTURE, RECIPE), prepare(TEXTURE.astype(np.uint16) << 8, RECIPE))


def test_brightness_and_contrast_of_the_microscope_do_not_matter() -> None:
    dim = SMOOTH.astype(np.float32) * 0.3 - 40
    np.testing.assert_allclose(prepare(dim, RECIPE), prepare(SMOOTH, RECIPE), atol=0.005)


def test_pixels_that_are_no_numbers_leave_the_others_as_they_are() -> None:
    holes = SMOOTH.astype(np.float32)
    holes[:40, :40] = np.nan
    holes[100, 100], holes[100, 101] = np.inf, -np.inf
    prepared = prepare(holes, RECIPE)
    assert np.isfinite(prepared).all()
    np.testing.assert_allclose(prepared[60:, 60:], prepare(SMOOTH, RECIPE)[60:, 60:], atol=0.02)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((50, 60), 7, np.uint8),
        np.zeros((50, 60, 3), np.uint16),
        np.full((50, 60), np.nan, np.float32),
        np.full((50, 60), np.inf, np.float64),
        np.full((1, 1), 9, np.int32),
    ],
)
def test_a_constant_picture_is_gray_all_over(picture: Any) -> None:
    assert (prepare(picture, RECIPE) == 0.5).all()
    assert np.isin(thumbnail(picture), (127, 128)).all()


def test_huge_numbers_do_not_overflow() -> None:
    for huge in (SMOOTH.astype(np.float64) * 1e300, SMOOTH.astype(np.float32) * np.float32(1e36)):
        np.testing.assert_allclose(prepare(huge, RECIPE), prepare(SMOOTH, RECIPE), atol=0.005)
    large = SMOOTH.astype(np.int64) + 2**40
    np.testing.assert_allclose(prepare(large, RECIPE), prepare(SMOOTH, RECIPE), atol=0.005)


def test_a_few_specks_on_nothing_stay_visible() -> None:
    specks = np.zeros((200, 200), np.uint8)
    specks[50:53, 50:53] = 255
    assert gray_window(specks, 0.5, 99.5) == (0.0, 255.0)
    assert prepare(specks, RECIPE).max() > 0.9


def test_squeezing_averages_so_that_fine_stripes_become_even_gray() -> None:
    stripes = np.zeros((1024, 1024), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(prepare(stripes, RECIPE)) < 0.02


def test_the_window_of_colors_is_that_of_their_gray() -> None:
    color = np.dstack([SMOOTH, SMOOTH // 2, SMOOTH // 3])
    assert gray_of(color).shape == SMOOTH.shape
    np.testing.assert_allclose(prepare(color, RECIPE), prepare(SMOOTH, RECIPE), atol=0.01)


def test_inputs_are_left_as_they_are() -> None:
    for dtype in (np.uint8, np.uint16, np.float32, np.float64):
        before = SMOOTH.astype(dtype)
        given = before.copy()
        given.setflags(write=False)
        prepare(given, RECIPE)
        thumbnail(given)
        np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("shape", [(300, 400), (400, 100), (1000, 3), (40, 30)])
def test_thumbnails_keep_the_aspect_ratio_and_are_not_enlarged(shape: tuple[int, int]) -> None:
    small = thumbnail(np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16), side=192)
    assert small.dtype == np.uint8
    shrink = min(1, 192 / max(shape))
    assert small.shape == (max(1, round(shape[0] * shrink)), max(1, round(shape[1] * shrink)))


def test_thumbnails_have_color_only_where_the_picture_has() -> None:
    noise = np.random.default_rng(0).integers(-1, 2, (*SMOOTH.shape, 3))
    nearly_gray = (SMOOTH[..., None].astype(int) + noise).clip(0, 255).astype(np.uint8)
    assert thumbnail(nearly_gray).ndim == 2
    assert thumbnail(np.dstack([SMOOTH, SMOOTH, 255 - SMOOTH])).shape == (144, 192, 3)


def test_thumbnails_of_real_sets_are_gray_and_full_of_contrast(real_data: Path) -> None:
    for name in ("nanocomp/10wt_C3/1.jpg", "uhcs/micrograph1.tif", "nasa_super/45kx_SE_15kV-etched_0.tif"):
        small = thumbnail(read_pixels(real_data / name))
        assert small.ndim == 2
        assert small.min() < 5
        assert small.max() > 250


def test_the_eight_views_are_all_flips_and_rotations() -> None:
    batch = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).reshape(2, 3, 5, 5)
    views = list(views_of(batch))
    expected = [np.rot90(side, turn, (2, 3)) for side in (batch.numpy(), batch.numpy()[..., ::-1]) for turn in range(4)]
    assert len(views) == 8
    assert all(not torch.equal(a, b) for a, b in combinations(views, 2))
    assert {view.numpy().tobytes() for view in views} == {np.ascontiguousarray(view).tobytes() for view in expected}
    assert [view is batch for view in views_of(batch, 1)] == [True]


def test_a_batch_is_gray_in_three_channels() -> None:
    prepared = [prepare(SMOOTH, RECIPE), prepare(TEXTURE, RECIPE)]
    batch = batch_of(prepared)
    assert batch.shape == (2, 3, 224, 224)
    for channel in range(3):
        np.testing.assert_array_equal(batch[:, channel], prepared)


def maps_like(seed: int) -> list[torch.Tensor]:
    made = torch.Generator().manual_seed(seed)
    return [torch.rand((4, width, side, side), generator=made) for width, side in ((6, 9), (10, 4), (7, 1))]


def test_pooling_gives_each_depth_the_same_weight() -> None:
    pooled = pool([maps_like(0), maps_like(1)])
    assert (pooled.shape, pooled.dtype) == ((4, 23), np.dtype(np.float32))
    for start, stop in ((0, 6), (6, 16), (16, 23)):
        np.testing.assert_allclose(np.linalg.norm(pooled[:, start:stop], axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        pool(iter([maps_like(1), maps_like(0)])), pooled, rtol=1e-5, err_msg="the order of the views must not matter"
    )
    mean = np.mean([maps[2].mean((2, 3)).numpy() for maps in (maps_like(0), maps_like(1))], axis=0)
    np.testing.assert_allclose(
        pool([maps_like(0), maps_like(1)], "last"), mean / np.linalg.norm(mean, axis=1)[:, None], rtol=1e-5
    )


def test_pooled_embeddings_do_not_care_where_or_which_way_round() -> None:
    kernel = torch.rand((5, 3, 3, 3), generator=torch.Generator().manual_seed(2))
    batch = batch_of([prepare(SMOOTH, RECIPE), prepare(TEXTURE, RECIPE)])

    def embed(pictures: torch.Tensor) -> Any:
        return pool([torch.relu(torch.nn.functional.conv2d(view, kernel))] for view in views_of(pictures))

    for view in views_of(batch):
        np.testing.assert_allclose(embed(view), embed(batch), atol=1e-5)


def test_pooling_low_precision_maps_gives_float32() -> None:
    pooled = pool([[depth.bfloat16() for depth in maps_like(0)]])
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, pool([maps_like(0)]), atol=0.01)
    assert np.isfinite(pool([[torch.zeros((1, 3, 2, 2))]])).all()


def test_the_key_tells_every_recipe_from_every_other() -> None:
    others = [
        replace(RECIPE, depths="last"),
        replace(RECIPE, views=1),
        replace(RECIPE, side=256),
        replace(RECIPE, low_percent=1.0),
        replace(RECIPE, high_percent=99.0),
        replace(RECIPE, precision="bfloat16"),
    ]
    assert len({recipe_key(recipe) for recipe in (RECIPE, Recipe(), *others)}) == 7


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(views=1, side=64), Recipe(invert=True), Recipe(low_percent=5.0)])
@pytest.mark.parametrize("shape", [(60, 300), (301, 200), (40, 50, 3)])
def test_the_way_that_makes_both_gives_the_same_square_and_thumbnail(recipe: Recipe, shape: tuple[int, ...]) -> None:
    specimen = np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)
    squares, small = prepare_with_thumbnail(specimen, recipe)
    assert np.array_equal(squares, prepare_windows(specimen, recipe))
    assert np.array_equal(small, thumbnail(specimen))


@pytest.mark.parametrize("shape", [(768, 1024), (691, 1025), (1100, 450), (1537, 2049), (40, 50)])
def test_a_large_picture_is_averaged_once_for_square_and_thumbnail(shape: tuple[int, int]) -> None:
    coarse = np.random.default_rng(0).random((max(1, shape[0] // 40), max(1, shape[1] // 40)), np.float32)
    specimen = (np.asarray(Image.fromarray(coarse).resize(shape[::-1])) * 50000).astype(np.uint16)
    gray = (specimen.astype(np.float32) - np.float32(20)) / np.float32(50000)
    averaged = Image.fromarray(gray).resize((224, 224), Image.Resampling.BILINEAR, reducing_gap=2.0)
    expected = np.asarray(averaged).clip(0, 1)
    # Pillow takes the box in single floats, where pixels are left over; else the order of sums alone differs.
    left_over = shape == (1537, 2049)
    np.testing.assert_allclose(resized(gray, 224, 224), expected, rtol=0, atol=2e-5 if left_over else 5e-7)
    squares, small = prepare_with_thumbnail(specimen, RECIPE)
    assert np.array_equal(squares, prepare_windows(specimen, RECIPE))
    other = thumbnail(specimen)
    assert small.shape == other.shape and np.abs(small.astype(int) - other.astype(int)).mean() < 1


@pytest.mark.parametrize("shape", [(300, 700), (1537, 2049), (900, 70)])
def test_a_picture_made_strip_by_strip_is_the_same_as_the_whole(shape: tuple[int, int]) -> None:
    gray = np.random.default_rng(0).random(shape, np.float32)
    whole = in_blocks(gray, 96, 32)
    strips = in_blocks_by_strips(lambda first, last: gray[first:last], shape, 96, 32)
    assert strips.held == whole.held
    np.testing.assert_allclose(strips.means, whole.means, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_small_integers_are_scaled_by_the_same_numbers_as_floats(dtype: Any) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(16, -1)
    for window in ((0.0, 255.0), (3.0, 77.0), (3.5, 77.5), (-4.0, 90.0)):
        exact = ((levels.astype(np.float64) - window[0]) / (window[1] - window[0])).clip(0, 1)
        np.testing.assert_allclose(windowed(levels, window), exact, rtol=1e-6, atol=1e-7)
        assert (
            np.array_equal(windowed(levels, window), windowed(levels.astype(np.float32), window)) or dtype == np.uint8
        )
